// What people write, as elements: a little Markdown, links, and who is called. The grammar is that of the server's
// markup.rs; tests/markup.json holds both to it. Text only ever goes in as text. The time is linear in the text:
// whatever needs a look ahead is computed once per line, and tests/markup_worst.json holds texts made to need more.

import { make } from "./dom.js";

/** Quotes within quotes, so deep. */
const DEPTH_MAX = 3;
const NAME_MAX = 64;
/** Characters that are compared with names in one message: enough for every @ that can mention somebody. */
const NAME_CHARS = 6400;
const ITEM = /^[ \t]*(?:[-*+]|(\d{1,9})[.)]) (.*)$/s;
const SCHEMES = ["https://", "http://", "mailto:"];
const TAIL = ".,;:!?'*_~";
const PAIRS = { ")": "(", "]": "[", "}": "{" };
const MARKS = /[`*_@＠:]/;

const isBlank = (c) => /^\p{White_Space}$/u.test(c);
const isWord = (c) => /^[\p{Alphabetic}\p{N}]$/u.test(c);
/** Scripts that put no blanks between words. */
const UNSPACED =
  /^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\u{20000}-\u{3ffff}]$/u;
const isGap = (c) => c === undefined || UNSPACED.test(c) || !(isWord(c) || c === "_");

/** As names are compared. */
export const nameKey = (text) => text.normalize("NFKC").toLowerCase().normalize("NFKC");

/** Renders a text; `called` has the keys of the usernames that it calls, and whether that is me. */
export function render(text, called = new Map()) {
  const fragment = document.createDocumentFragment();
  const names = { called, charsLeft: NAME_CHARS };
  const lines = text.replace(/\r\n?/g, "\n").split("\n");
  for (const block of blocks(lines, 0, names)) fragment.append(block);
  return fragment;
}

/** Without white space at the end. No expression: one that looks for it at the end tries every place. */
function trimEnd(text) {
  let end = text.length;
  while (end > 0 && isBlank(text[end - 1])) end--;
  return text.slice(0, end);
}

const trim = (text) => trimEnd(text).replace(/^\p{White_Space}+/u, "");

/** An element with many parts; too many arguments of one call are an error. */
function wrap(tag, parts) {
  const element = make(tag, "");
  for (const part of parts) element.append(part);
  return element;
}

/** What a line begins: its kind, and the line without its mark. */
function lineOf(line, depth) {
  if (line.startsWith("```") && /^[\w+-]*$/.test(trimEnd(line.slice(3)))) return { kind: "fence" };
  if (line.startsWith(">") && depth < DEPTH_MAX) return { kind: "quote", rest: line.slice(line[1] === " " ? 2 : 1) };
  const [, number, text] = ITEM.exec(line) ?? [];
  const rest = text && trim(text);
  return rest ? { kind: number ? "ol" : "ul", number: Number(number), rest } : { kind: "text", rest: line };
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
    for (; begun[at]?.kind === first.kind; at++) block.push(begun[at].rest);
    if (first.kind === "quote") made.push(wrap("blockquote", blocks(block, depth + 1, names)));
    else if (first.kind === "text") made.push(...paragraph(block, names));
    else made.push(list(first, block, names));
  }
  return made;
}

function list({ kind, number }, items, names) {
  const element = wrap(kind, items.map((item) => wrap("li", lineParts(item, names))));
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

/** A line as text and elements. */
function lineParts(text, names) {
  if (!MARKS.test(text)) return text ? [text] : [];
  const line = new Line([...text]);
  return inline(line, names, { start: 0, end: line.chars.length });
}

/** A part of a line as text and elements; nothing is bold or italic twice. */
function inline(line, names, part) {
  const made = [];
  let from = part.start;
  const pass = (to) => {
    if (to > from) made.push(line.text(from, to));
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

function element({ kind, marks, me }, line, names, part) {
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
      link.setAttribute("href", text);
      link.setAttribute("target", "_blank");
      link.setAttribute("rel", "noopener");
      return link;
    }
  }
}

/** A line, and for every place in it what comes next. */
class Line {
  constructor(chars) {
    this.chars = chars;
    /** Where the code span ends that begins at a place, and whether a place is within one. */
    this.code = new Map();
    this.inCode = new Uint8Array(chars.length);
    this.findCode();
    this.lookAhead();
  }

  text(from, to) {
    return this.chars.slice(from, to).join("");
  }

  /** Code spans: a run of backticks up to the next run of the same length, from left to right. */
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
      if (partner === undefined) continue;
      const end = runs[partner].at + length;
      this.code.set(at, { kind: "code", marks: length, end });
      this.inCode.fill(1, at, end);
      place = partner;
    }
  }

  /** The next places where emphasis may end, that no address goes beyond, and of an @. */
  lookAhead() {
    const { chars, inCode } = this;
    const length = chars.length;
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
      const italic = (mark) => c === mark && !inCode[at] && this.closesItalic(at, length);
      note(this.star, italic("*"));
      note(this.underscore, italic("_"));
      note(this.bold, !inCode[at] && this.closesBold(at, length));
      note(this.stop, isBlank(c) || /^[\p{Cc}<>"`]$/u.test(c));
      note(this.sign, c === "@");
    }
  }

  /** What begins there, and where it ends: { kind, end }. */
  span(at, names, part) {
    const before = at > part.start ? this.chars[at - 1] : undefined;
    switch (this.chars[at]) {
      case "`":
        return this.code.get(at);
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
        return before && isWord(before) ? null : this.address(at, part.end);
    }
    return null;
  }

  emphasis(at, before, part) {
    const mark = this.chars[at];
    const next = at + 1 < part.end ? this.chars[at + 1] : undefined;
    if (!part.bold && mark === "*" && next === "*") return this.boldSpan(at, part.end);
    const opens = !part.italic && !(before && (isWord(before) || before === mark)) && next && !isBlank(next) && next !== mark;
    if (!opens) return null;
    const last = part.end - 1;
    if (last < at + 2) return null;
    const end = (mark === "*" ? this.star : this.underscore)[at + 2];
    if (end <= last) return { kind: "italic", end: end + 1 };
    const closes = this.chars[last] === mark && !this.inCode[last] && this.closesItalic(last, part.end);
    return closes ? { kind: "italic", end: part.end } : null;
  }

  /** Whether emphasis may end there, in a part that ends at `end`. */
  closesItalic(at, end) {
    const [mark, last] = [this.chars[at], this.chars[at - 1]];
    const after = at + 1 < end ? this.chars[at + 1] : undefined;
    return last !== undefined && !isBlank(last) && last !== mark && !(after && (isWord(after) || after === mark));
  }

  boldSpan(at, end) {
    const last = end - 2;
    if (last < at + 3 || isBlank(this.chars[at + 2])) return null;
    const found = this.bold[at + 3];
    if (found <= last) return { kind: "bold", end: found + 2 };
    return !this.inCode[last] && this.closesBold(last, end) ? { kind: "bold", end } : null;
  }

  closesBold(at, end) {
    const star = (place) => place < end && this.chars[place] === "*";
    return star(at) && star(at + 1) && !star(at + 2) && at > 0 && !isBlank(this.chars[at - 1]);
  }

  /** The longest name that is called. */
  mention(from, names, end) {
    if (!names.called.size || names.charsLeft <= NAME_MAX) return null;
    // One more than a name has, to see where it ends.
    let to = from;
    while (to < end && to <= from + NAME_MAX && !this.inCode[to]) to++;
    const found = findName(this.chars.slice(from, to), names);
    return found && { kind: "mention", me: found.me, end: from + found.length };
  }

  /** A full stop after an address is not part of it. */
  address(at, end) {
    const begins = (scheme) => [...scheme].every((c, place) => this.chars[at + place]?.toLowerCase() === c);
    const scheme = SCHEMES.find((one) => at + one.length <= end && begins(one));
    if (!scheme) return null;
    const [body, stop] = [at + scheme.length, Math.min(this.stop[at], end)];
    const first = this.chars[body];
    const good =
      scheme === "mailto:"
        ? this.sign[body] > body && this.sign[body] < stop
        : body < stop && (isWord(first) || first === "[");
    return good ? { kind: "link", end: this.withoutTail(body, stop) } : null;
  }

  /** Where an address ends without the signs that belong to the sentence. */
  withoutTail(from, to) {
    const counts = {};
    for (let at = from; at < to; at++) counts[this.chars[at]] = (counts[this.chars[at]] ?? 0) + 1;
    for (; to > from; to--) {
      const last = this.chars[to - 1];
      const unpaired = Object.hasOwn(PAIRS, last) && counts[last] > (counts[PAIRS[last]] ?? 0);
      if (!unpaired && !TAIL.includes(last)) break;
      counts[last]--;
    }
    return to;
  }
}

/** The longest name that `rest` begins with: whether it is mine, and its length. */
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
    // As many characters as it has, unless they were typed in another form.
    const usual = [...name].length;
    if (fits(usual)) return { me, length: usual };
    for (let length = 1; length <= NAME_MAX; length++) if (length !== usual && fits(length)) return { me, length };
  }
  return null;
}
