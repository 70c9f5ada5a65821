// End of URLs and e-mail addresses in an array of characters, in any script. Same rules as in the server's
// model/text/markup/links.rs.

import { isLetter, isSentenceSign } from "./text.js";

const TAIL = ".,;:!?'*_~\\";
const PAIRS = { ")": "(", "]": "[", "}": "{" };

/** Returns the end of a URL without trailing characters that belong to the sentence. */
export function withoutTail(chars, from, to) {
  const counts = {};
  for (let at = from; at < to; at++) counts[chars[at]] = (counts[chars[at]] ?? 0) + 1;
  for (; to > from; to--) {
    const last = chars[to - 1];
    const isPair = Object.hasOwn(PAIRS, last);
    const isTail = isPair ? counts[last] > (counts[PAIRS[last]] ?? 0) : TAIL.includes(last) || isSentenceSign(last);
    if (!isTail) break;
    counts[last]--;
  }
  return to;
}

/** Returns the end of a URL without a scheme: a host with a dot, and a path after it; 0 if there is none. */
export function hostEnd(chars, from, stop) {
  let whole = from;
  while (whole < stop && isHost(chars[whole])) whole++;
  let to = whole;
  while (to > from && !isLetter(chars[to - 1])) to--;
  if (to === from || !isLetter(chars[from]) || !chars.slice(from, to).includes(".")) return 0;
  const goesOn = to === whole && whole < stop && "/?#:".includes(chars[whole]);
  return goesOn ? withoutTail(chars, from, stop) : to;
}

const isHost = (c) => isLetter(c) || c === "-" || c === ".";

const isLocal = (c) => isLetter(c) || "._-+%".includes(c);

/** Returns the end of each e-mail address in a line, by its start. */
export function mailAddresses(chars) {
  const found = new Map();
  chars.forEach((c, at) => {
    if (c !== "@") return;
    const [start, end] = [localPart(chars, at), domainEnd(chars, at + 1)];
    if (start >= 0 && end) found.set(start, end);
  });
  return found;
}

/** Returns the start of the part before the @, or -1. */
function localPart(chars, at) {
  let start = at;
  while (start > 0 && isLocal(chars[start - 1])) start--;
  if (start > 0 && "/@".includes(chars[start - 1])) return -1;
  while (start < at && !isLetter(chars[start])) start++;
  return start < at && chars[at - 1] !== "." ? start : -1;
}

/** Returns the end of the part after the @, or 0. */
function domainEnd(chars, from) {
  let end = from;
  while (end < chars.length && isHost(chars[end])) end++;
  while (end > from && !isLetter(chars[end - 1])) end--;
  const domain = chars.slice(from, end).join("");
  const good = end > from && isLetter(chars[from]) && !domain.includes("..") && /\.\p{Alphabetic}{2,}$/u.test(domain.slice(domain.lastIndexOf(".")));
  return good ? end : 0;
}
