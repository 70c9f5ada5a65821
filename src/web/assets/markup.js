// What people write, as elements: a little Markdown, links, and who is called. The grammar is that of the server's
// markup.rs; tests/markup.json holds both to it. Text only ever goes in as text.

import { make } from "./dom.js";

/** Quotes within quotes, so deep. */
const DEPTH_MAX = 3;
const NAME_MAX = 64;
const ITEM = /^[ \t]*(?:[-*+]|(\d{1,9})[.)]) (.*)$/s;
const SCHEMES = ["https://", "http://", "mailto:"];
const TAIL = ".,;:!?'*_~";
const PAIRS = { ")": "(", "]": "[", "}": "{" };

const isBlank = (c) => /^\p{White_Space}$/u.test(c);
const isWord = (c) => /^[\p{Alphabetic}\p{N}]$/u.test(c);
/** Scripts that put no blanks between words. */
const UNSPACED =
  /^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\u{20000}-\u{3ffff}]$/u;
const isGap = (c) => c === undefined || UNSPACED.test(c) || !(isWord(c) || c === "_");
const trim = (text) => text.replace(/^\p{White_Space}+|\p{White_Space}+$/gu, "");

/** As names are compared. */
export const nameKey = (text) => text.normalize("NFKC").toLowerCase().normalize("NFKC");

/** Renders a text; `called` has the keys of the usernames that it calls, and whether that is me. */
export function render(text, called = new Map()) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(text.replace(/\r\n?/g, "\n").split("\n"), 0, called));
  return fragment;
}

/** What a line begins: its kind, and the line without its mark. */
function lineOf(line, depth) {
  if (/^```[\w+-]*\p{White_Space}*$/u.test(line)) return { kind: "fence" };
  if (line.startsWith(">") && depth < DEPTH_MAX) return { kind: "quote", rest: line.slice(line[1] === " " ? 2 : 1) };
  const [, number, rest] = ITEM.exec(line) ?? [];
  if (!rest || !trim(rest)) return { kind: "text", rest: line };
  return { kind: number ? "ol" : "ul", number: Number(number), rest: trim(rest) };
}

function blocks(lines, depth, called) {
  const made = [];
  for (let at = 0; at < lines.length; ) {
    const first = lineOf(lines[at], depth);
    const block = [];
    if (first.kind === "fence") {
      const rest = lines.slice(at + 1);
      const end = rest.findIndex((line) => line.replace(/\p{White_Space}+$/u, "") === "```");
      const code = end < 0 ? rest : rest.slice(0, end);
      made.push(make("pre", "", make("code", "", code.join("\n"))));
      at += code.length + 1 + (end < 0 ? 0 : 1);
      continue;
    }
    for (; at < lines.length; at++) {
      const line = lineOf(lines[at], depth);
      if (line.kind !== first.kind) break;
      block.push(line.rest);
    }
    if (first.kind === "quote") made.push(make("blockquote", "", ...blocks(block, depth + 1, called)));
    else if (first.kind === "text") made.push(...paragraph(block, called));
    else made.push(list(first, block, called));
  }
  return made;
}

function list({ kind, number }, items, called) {
  const element = make(kind, "", ...items.map((item) => make("li", "", ...inline([...item], called, {}))));
  if (kind === "ol" && number !== 1) element.setAttribute("start", number);
  return element;
}

function paragraph(lines, called) {
  const first = lines.findIndex((line) => trim(line));
  if (first < 0) return [];
  const last = lines.findLastIndex((line) => trim(line));
  const parts = lines.slice(first, last + 1).map((line) => inline([...line], called, {}));
  return [make("p", "", ...parts.flatMap((part, place) => (place ? ["\n", ...part] : part)))];
}

/** The characters of a line as text and elements; nothing is bold or italic twice. */
function inline(chars, called, around) {
  const made = [];
  let text = "";
  for (let at = 0; at < chars.length; ) {
    const found = span(chars, at, called, around);
    if (!found) {
      text += chars[at++];
      continue;
    }
    if (text) made.push(text);
    text = "";
    made.push(element(found, chars.slice(at, at + found.length), called, around));
    at += found.length;
  }
  if (text) made.push(text);
  return made;
}

/** What begins there: { kind, length }. */
function span(chars, at, called, around) {
  const before = chars[at - 1];
  const rest = () => chars.slice(at);
  switch (chars[at]) {
    case "`":
      return before === "`" ? null : code(rest());
    case "*":
    case "_":
      return emphasis(rest(), before, around);
    case "@":
    case "＠":
      return isGap(before) ? mention(chars.slice(at + 1), called) : null;
    case "h":
    case "H":
    case "m":
    case "M":
      return before && isWord(before) ? null : address(rest());
  }
  return null;
}

function element({ kind, marks, me }, chars, called, around) {
  const text = chars.join("");
  const inner = (count) => chars.slice(count, chars.length - count);
  switch (kind) {
    case "code":
      return make("code", "", inner(marks).join(""));
    case "bold":
      return make("strong", "", ...inline(inner(2), called, { ...around, bold: true }));
    case "italic":
      return make("em", "", ...inline(inner(1), called, { ...around, italic: true }));
    case "mention":
      return make("span", me ? "mention me" : "mention", text);
    default: {
      const link = make("a", "", text);
      link.setAttribute("href", text);
      link.setAttribute("target", "_blank");
      link.setAttribute("rel", "noopener");
      return link;
    }
  }
}

function code(rest) {
  const marks = run(rest, 0);
  for (let at = marks; at < rest.length; ) {
    const found = run(rest, at);
    if (found === marks && at > marks) return { kind: "code", marks, length: at + marks };
    at += Math.max(found, 1);
  }
  return null;
}

/** How many backticks stand there. */
function run(chars, at) {
  let end = at;
  while (chars[end] === "`") end++;
  return end - at;
}

function emphasis(rest, before, around) {
  const [mark, next] = rest;
  if (!around.bold && mark === "*" && next === "*") return bold(rest);
  const opens = !around.italic && !(before && (isWord(before) || before === mark)) && next && !isBlank(next) && next !== mark;
  if (!opens) return null;
  const end = endOf(rest, 2, (at) => {
    const [last, after] = [rest[at - 1], rest[at + 1]];
    return rest[at] === mark && !isBlank(last) && last !== mark && !(after && (isWord(after) || after === mark));
  });
  return end && { kind: "italic", length: end + 1 };
}

function bold(rest) {
  if (!rest[2] || isBlank(rest[2])) return null;
  const end = endOf(
    rest,
    3,
    (at) => rest[at] === "*" && rest[at + 1] === "*" && rest[at + 2] !== "*" && !isBlank(rest[at - 1]),
  );
  return end && { kind: "bold", length: end + 2 };
}

/** The first place where something ends, or null; what is between backticks does not count. */
function endOf(rest, at, ends) {
  while (at < rest.length) {
    if (ends(at)) return at;
    at += (rest[at] === "`" && code(rest.slice(at))?.length) || 1;
  }
  return null;
}

/** The longest name that is called. */
function mention(rest, called) {
  if (!called.size) return null;
  for (let length = Math.min(rest.length, NAME_MAX); length > 0; length--) {
    if (!isGap(rest[length])) continue;
    const key = nameKey(rest.slice(0, length).join(""));
    if (called.has(key)) return { kind: "mention", me: called.get(key), length: length + 1 };
  }
  return null;
}

/** A full stop after an address is not part of it. */
function address(rest) {
  const scheme = SCHEMES.find((one) => rest.slice(0, one.length).join("").toLowerCase() === one);
  if (!scheme) return null;
  let length = rest.findIndex((c) => isBlank(c) || /^[\p{Cc}<>"`]$/u.test(c));
  if (length < 0) length = rest.length;
  while (length > scheme.length && isTail(rest.slice(0, length))) length--;
  const body = rest.slice(scheme.length, length);
  const good = scheme === "mailto:" ? body.indexOf("@") > 0 : body.length > 0 && (isWord(body[0]) || body[0] === "[");
  return good ? { kind: "link", length } : null;
}

function isTail(address) {
  const last = address.at(-1);
  const count = (wanted) => address.filter((c) => c === wanted).length;
  return TAIL.includes(last) || (last in PAIRS && count(last) > count(PAIRS[last]));
}
