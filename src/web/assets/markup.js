// Renders message text as DOM elements: a subset of Markdown, links and mentions. The server's model/text/markup has
// the same grammar; tests/markup.json tests both. Text is only ever inserted as text. The time is linear in the length
// of the text: everything that needs look-ahead is computed once per line; tests/markup_worst.json holds texts designed
// to take longer.

import { make } from "./dom.js";
import { hostEnd, mailAddresses, withoutTail } from "./urls.js";
import { isBlank, isGap, isLetter, isSolid, mayCloseBefore, mayOpenAfter, nameKey, stopsAddress } from "./text.js";

/** Maximum depth of nested quotes. */
const DEPTH_MAX = 3;
const NAME_MAX = 64;
/** Maximum number of characters compared with names in one message: enough for every @ that can be a mention. */
const NAME_CHARS = 6400;
const ITEM = /^[ \t]*(?:[-*]|(\d{1,9})\.) (.*)$/s;
const SCHEMES = ["https://", "http://", "mailto:"];
const WWW = "www.";
const MARKS = /[`*_@＠:]|www\./i;
const ESCAPED = "*_`@＠";

/** Renders a text. `called` maps the keys of mentioned user names to whether that is the reader. */
export function render(text, called = new Map()) {
  const fragment = document.createDocumentFragment();
  const names = { called, charsLeft: NAME_CHARS };
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  for (const block of blocks(lines, 0, names)) fragment.append(block);
  return fragment;
}

/** Removes trailing white space. A regular expression anchored at the end would be tried at every position. */
function trimEnd(text) {
  let end = text.length;
  while (end > 0 && isBlank(text[end - 1])) end--;
  return text.slice(0, end);
}

const trim = (text) => trimEnd(text).replace(/^\p{White_Space}+/u, "");

/** Creates an element with many children. One call with too many arguments would throw. */
function wrap(tag, parts) {
  const element = make(tag, "");
  for (const part of parts) element.append(part);
  return element;
}

/**
 * Returns the kind of block a line belongs to, and the line without its marker. A backslash before the marker makes it
 * text.
 */
function lineOf(line, depth) {
  if (line.startsWith("```") && /^[\w+-]*$/.test(trimEnd(line.slice(3)))) return { kind: "fence" };
  if (line.startsWith("\\") && marked(line.slice(1), depth)) return { kind: "text", rest: line.slice(1) };
  return marked(line, depth) ?? { kind: "text", rest: line };
}

function marked(line, depth) {
  if (line.startsWith(">") && depth < DEPTH_MAX) {
    // Else it is an arrow, an emoticon, or "more than 5".
    return [undefined, ">", " "].includes(line[1]) ? { kind: "quote", rest: line.slice(line[1] === " " ? 2 : 1) } : null;
  }
  const [, number, text] = ITEM.exec(line) ?? [];
  const rest = text && trim(text);
  return rest ? { kind: number ? "ol" : "ul", number: Number(number), rest } : null;
}

/** Sets the text direction of a top-level block by its content; nested blocks inherit it. */
function directed(element, depth) {
  if (!depth) element.setAttribute("dir", "auto");
  return element;
}

function blocks(lines, depth, names) {
  const begun = lines.map((line) => lineOf(line, depth));
  const made = [];
  for (let at = 0; at < lines.length; ) {
    const first = begun[at];
    if (first.kind === "fence") {
      let end = at + 1;
      while (end < lines.length && !(lines[end].startsWith("```") && trimEnd(lines[end]) === "```")) end++;
      made.push(make("pre", "", make("code", "", lines.slice(at + 1, end).join("\n"))));
      at = end + 1;
      continue;
    }
    const block = [];
    for (; begun[at]?.kind === first.kind; at++) block.push(begun[at]);
    const rest = block.map((line) => line.rest);
    if (first.kind === "quote") made.push(directed(wrap("blockquote", blocks(rest, depth + 1, names)), depth));
    else if (first.kind === "text") made.push(...paragraph(rest, names).map((one) => directed(one, depth)));
    else made.push(directed(list(first, block, names), depth));
  }
  return made;
}

function list({ kind, number }, items, names) {
  let next = number;
  const made = items.map((item) => {
    const element = wrap("li", lineParts(item.rest, names));
    if (kind === "ol" && item.number !== next) element.setAttribute("value", (next = item.number));
    next++;
    return element;
  });
  const element = wrap(kind, made);
  if (kind === "ol" && number !== 1) element.setAttribute("start", number);
  return element;
}

function paragraph(lines, names) {
  const first = lines.findIndex((line) => trim(line));
  if (first < 0) return [];
  const last = lines.findLastIndex((line) => trim(line));
  const parts = lines.slice(first, last + 1).map((line) => lineParts(line, names));
  return [wrap("p", parts.flatMap((part, place) => (place ? ["\n", ...part] : part)))];
}

/** Returns a line as text and elements. */
function lineParts(text, names) {
  if (!MARKS.test(text)) return text ? [text] : [];
  const line = new Line([...text]);
  return inline(line, names, { start: 0, end: line.chars.length });
}

/** Returns a part of a line as text and elements. Bold and italic do not nest in themselves. */
function inline(line, names, part) {
  const made = [];
  let from = part.start;
  const pass = (to) => {
    if (to > from) made.push(line.shown(from, to));
  };
  for (let at = part.start; at < part.end; ) {
    const found = line.span(at, names, part);
    if (!found) {
      at++;
      continue;
    }
    pass(at);
    made.push(element(found, line, names, { ...part, start: at, end: found.end }));
    at = from = found.end;
  }
  pass(part.end);
  return made;
}

function element({ kind, marks, me, scheme }, line, names, part) {
  const text = line.text(part.start, part.end);
  const inner = (count, around) => ({ ...part, ...around, start: part.start + count, end: part.end - count });
  switch (kind) {
    case "code":
      return make("code", "", line.text(part.start + marks, part.end - marks));
    case "bold":
      return wrap("strong", inline(line, names, inner(2, { bold: true })));
    case "italic":
      return wrap("em", inline(line, names, inner(1, { italic: true })));
    case "mention":
      return make("span", me ? "mention me" : "mention", text);
    default: {
      const link = make("a", "", text);
      link.setAttribute("href", scheme + text);
      link.setAttribute("target", "_blank");
      link.setAttribute("rel", "noopener");
      return link;
    }
  }
}

/** Characters of a line, and tables with look-ahead for every index. */
class Line {
  constructor(chars) {
    this.chars = chars;
    /** End of the code span that begins at an index, and whether an index is within one. */
    this.code = new Map();
    this.inCode = new Uint8Array(chars.length);
    this.findCode();
    /** Marks after a backslash, and backslashes that are not shown. */
    this.escaped = new Uint8Array(chars.length + 2);
    this.hidden = new Uint8Array(chars.length);
    this.findEscapes();
    this.lookAhead();
    /** End of the e-mail address that begins at an index. */
    this.mail = mailAddresses(chars);
  }

  text(from, to) {
    return this.chars.slice(from, to).join("");
  }

  /** Returns the text without backslashes that are markup. */
  shown(from, to) {
    return this.chars.slice(from, to).filter((_, place) => !this.hidden[from + place]).join("");
  }

  /** Two backslashes do not escape: they occur in Windows paths. */
  isBehindBackslash(at) {
    return this.chars[at - 1] === "\\" && this.chars[at - 2] !== "\\";
  }

  /**
   * Finds code spans: from a run of backticks to the next run of the same length, left to right. A span does not begin
   * within a word or after a backslash.
   */
  findCode() {
    const runs = [];
    this.chars.forEach((c, at) => {
      const last = runs.at(-1);
      if (c !== "`") return;
      if (last && last.at + last.length === at) last.length++;
      else runs.push({ at, length: 1 });
    });
    const next = new Map();
    for (let place = runs.length - 1; place >= 0; place--) {
      runs[place].partner = next.get(runs[place].length);
      next.set(runs[place].length, place);
    }
    for (let place = 0; place < runs.length; place++) {
      const { at, length, partner } = runs[place];
      const isInside = at > 0 && isLetter(this.chars[at - 1]);
      if (partner === undefined || isInside || this.isBehindBackslash(at)) continue;
      const end = runs[partner].at + length;
      this.code.set(at, { kind: "code", marks: length, end });
      this.inCode.fill(1, at, end);
      place = partner;
    }
  }

  /**
   * Finds escaped marks. A backslash is hidden where its mark could have opened markup, or closed what another escaped
   * mark could have opened. Any other backslash is part of the text.
   */
  findEscapes() {
    const { chars, escaped, hidden } = this;
    chars.forEach((c, at) => (escaped[at] = ESCAPED.includes(c) && !this.inCode[at] && this.isBehindBackslash(at)));
    const after = [];
    for (let at = chars.length - 1; at >= 0; at--) after[at] = escaped[at + 2] ? after[at + 2] : chars[at + 1];
    const before = [];
    const open = {};
    const isBare = (c) => c === undefined || isBlank(c);
    chars.forEach((mark, at) => {
      if (!escaped[at]) return;
      const [last, next] = [(before[at] = escaped[at - 2] ? before[at - 2] : chars[at - 2]), after[at]];
      if ("@＠".includes(mark)) hidden[at - 1] = isGap(last) && next !== undefined && isLetter(next);
      else if (mayOpenAfter(last) && !isBare(next)) {
        open[mark] = (open[mark] ?? 0) + 1;
        hidden[at - 1] = 1;
      } else if (open[mark] && mayCloseBefore(next) && !isBare(last)) {
        open[mark]--;
        hidden[at - 1] = 1;
      }
    });
  }

  /** Computes the next index at which emphasis may end, a URL must end, and an @ occurs. */
  lookAhead() {
    const { chars } = this;
    const length = chars.length;
    /** Number of letters, digits and pictographs before an index. */
    this.solid = new Uint32Array(length + 1);
    chars.forEach((c, at) => (this.solid[at + 1] = this.solid[at] + isSolid(c)));
    const table = (last) => new Uint32Array(length + 1).fill(last);
    const nowhere = 0xffffffff;
    this.star = table(nowhere);
    this.underscore = table(nowhere);
    this.bold = table(nowhere);
    this.sign = table(nowhere);
    this.stop = table(length);
    for (let at = length - 1; at >= 0; at--) {
      const c = chars[at];
      const note = (places, is) => (places[at] = is ? at : places[at + 1]);
      const italic = (mark) => c === mark && this.closesItalic(at, length);
      note(this.star, italic("*"));
      note(this.underscore, italic("_"));
      note(this.bold, this.closesBold(at, length));
      note(this.stop, stopsAddress(c));
      note(this.sign, c === "@");
    }
  }

  /** Returns the span that begins at `at`: { kind, end }, or null. */
  span(at, names, part) {
    const before = at > part.start ? this.chars[at - 1] : undefined;
    const mailEnd = this.mail.get(at);
    if (mailEnd <= part.end) return { kind: "link", scheme: "mailto:", end: mailEnd };
    const c = this.chars[at];
    if (c === "`") return this.code.get(at)?.end <= part.end ? this.code.get(at) : null;
    if (this.escaped[at]) return null;
    switch (c) {
      case "*":
      case "_":
        return this.emphasis(at, before, part);
      case "@":
      case "＠":
        return isGap(before) ? this.mention(at + 1, names, part.end) : null;
      case "h":
      case "H":
      case "m":
      case "M":
        return before && isLetter(before) ? null : this.address(at, part.end);
      case "w":
      case "W":
        return before && (isLetter(before) || "/.-_@:".includes(before)) ? null : this.www(at, Math.min(this.stop[at], part.end));
    }
    return null;
  }

  emphasis(at, before, part) {
    const mark = this.chars[at];
    const next = at + 1 < part.end ? this.chars[at + 1] : undefined;
    if (!mayOpenAfter(before)) return null;
    if (!part.bold && mark === "*" && next === "*") return this.boldSpan(at, part.end);
    if (part.italic || !next || isBlank(next) || next === mark) return null;
    const last = part.end - 1;
    if (last < at + 2) return null;
    let end = (mark === "*" ? this.star : this.underscore)[at + 2];
    if (end > last) {
      if (this.chars[last] !== mark || !this.closesItalic(last, part.end)) return null;
      end = last;
    }
    return this.solid[end] > this.solid[at + 1] ? { kind: "italic", end: end + 1 } : null;
  }

  /** Whether italic may end at `at`, in a part that ends at `end`. */
  closesItalic(at, end) {
    const [mark, last] = [this.chars[at], this.chars[at - 1]];
    if (this.inCode[at] || this.escaped[at] || last === undefined || isBlank(last) || last === mark) return false;
    return mayCloseBefore(at + 1 < end ? this.chars[at + 1] : undefined);
  }

  boldSpan(at, end) {
    const last = end - 2;
    if (last < at + 3 || isBlank(this.chars[at + 2])) return null;
    let close = this.bold[at + 3];
    if (close > last) {
      if (!this.closesBold(last, end)) return null;
      close = last;
    }
    return this.solid[close] > this.solid[at + 2] ? { kind: "bold", end: close + 2 } : null;
  }

  closesBold(at, end) {
    const star = (place) => place < end && this.chars[place] === "*";
    if (!star(at) || !star(at + 1) || this.inCode[at] || this.escaped[at] || !at || isBlank(this.chars[at - 1])) return false;
    return mayCloseBefore(at + 2 < end ? this.chars[at + 2] : undefined);
  }

  /** Returns the mention with the longest name. */
  mention(from, names, end) {
    if (!names.called.size || names.charsLeft <= NAME_MAX) return null;
    // One more than the longest name, to see where a name ends.
    let to = from;
    while (to < end && to <= from + NAME_MAX && !this.inCode[to]) to++;
    const found = findName(this.chars.slice(from, to), names);
    return found && { kind: "mention", me: found.me, end: from + found.length };
  }

  /** Whether the line has `scheme` at `at`, ignoring ASCII case. */
  begins(at, end, scheme) {
    const is = (c, place) => this.chars[at + place] === c || this.chars[at + place] === c.toUpperCase();
    return at + scheme.length <= end && [...scheme].every(is);
  }

  /** Returns a link without a scheme. */
  www(at, stop) {
    const end = this.begins(at, stop, WWW) && hostEnd(this.chars, at + WWW.length, stop);
    return end ? { kind: "link", scheme: "https://", end } : null;
  }

  /** Returns a link with a scheme. A full stop after it is not part of it. */
  address(at, end) {
    const scheme = SCHEMES.find((one) => this.begins(at, end, one));
    if (!scheme) return null;
    const [body, stop] = [at + scheme.length, Math.min(this.stop[at], end)];
    const first = this.chars[body];
    const good =
      scheme === "mailto:"
        ? this.sign[body] > body && this.sign[body] < stop
        : body < stop && (/^[\p{Alphabetic}\p{N}]$/u.test(first) || first === "[");
    return good ? { kind: "link", scheme: "", end: withoutTail(this.chars, body, stop) } : null;
  }
}

/** Returns the longest name at the start of `rest`: its length, and whether it is the reader's. */
function findName(rest, names) {
  const keyOf = (chars) => {
    names.charsLeft -= chars.length;
    return nameKey(chars.join(""));
  };
  const key = keyOf(rest);
  const begun = [...names.called].filter(([name]) => key.startsWith(name) && isGap([...key.slice(name.length, name.length + 2)][0]));
  begun.sort(([one], [other]) => other.length - one.length);
  for (const [name, me] of begun) {
    const fits = (length) =>
      length <= rest.length && names.charsLeft >= length && isGap(rest[length]) && keyOf(rest.slice(0, length)) === name;
    // The name's own length first; it differs if the name was typed in another Unicode form.
    const usual = [...name].length;
    if (fits(usual)) return { me, length: usual };
    for (let length = 1; length <= NAME_MAX; length++) if (length !== usual && fits(length)) return { me, length };
  }
  return null;
}
