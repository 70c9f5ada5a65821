// Text rules: character classes of all scripts, cutting, comparison of names and emoji. Same rules as in the server's
// model/text.

export const isBlank = (c) => /^\p{White_Space}$/u.test(c);

/** Whether it belongs to a script without spaces between words. */
const isUnspaced = (c) => /^[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\ud7ff\uf900-\ufaff\u{20000}-\u{3ffff}]$/u.test(c);

const isAlphanumeric = (c) => /^[\p{Alphabetic}\p{N}]$/u.test(c);

/** Whether it is a letter or digit of a script that separates words by spaces. */
export const isLetter = (c) => isAlphanumeric(c) && !isUnspaced(c);

/** Whether a name may end before this character or begin after it. */
export const isGap = (c) => c === undefined || isUnspaced(c) || !(isAlphanumeric(c) || c === "_");

const isPicture = (c) => /^[\u2600-\u27bf\ufe0f\u{1f000}-\u{1faff}]$/u.test(c);

/** Whether it can be emphasised. Marks and signs alone are an emoticon. */
export const isSolid = (c) => isAlphanumeric(c) || isPicture(c);

/**
 * Punctuation beyond ASCII: quotation marks, brackets, full stops, commas, question marks and dashes of all scripts.
 */
const SENTENCE =
  /^[\u00a1\u00ab\u00bb\u00bf\u037e\u055c-\u055e\u0589\u05c3\u060c\u061b\u061f\u06d4\u0700-\u070a\u0964\u0965\u0e5a\u0e5b\u0f0d-\u0f12\u104a\u104b\u1361-\u1368\u17d4-\u17d6\u1802\u1803\u1808\u1809\u2013-\u2015\u2018-\u201f\u2026\u2039\u203a\u3001\u3002\u3008-\u3011\u3014-\u301f\ufe10-\ufe19\ufe50-\ufe5e\uff01\uff02\uff07-\uff09\uff0c\uff0e\uff1a-\uff1c\uff1e\uff1f\uff3b\uff3d\uff5b\uff5d\uff5f-\uff64]$/u;

export const isSentenceSign = (c) => SENTENCE.test(c);

const isBorder = (c) => isBlank(c) || isUnspaced(c) || isPicture(c) || isSentenceSign(c);

/** Whether bold and italic may begin after this character, and end before it. */
export const mayOpenAfter = (c) => c === undefined || isBorder(c) || "([{<\"'".includes(c);
export const mayCloseBefore = (c) => c === undefined || isBorder(c) || ")]}>\"'.,;:!?".includes(c);

/** Whether it ends a URL: white space, closing punctuation of any script, invisible characters. */
export const stopsAddress = (c) =>
  isBlank(c) ||
  /^[\p{Cc}<>"`\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb]$/u.test(c) ||
  /^[\u{1bca0}-\u{1bca3}\u{1d159}\u{1d173}-\u{1d17a}\u{e0000}-\u{e001f}\u{e0080}-\u{e0fff}]$/u.test(c) ||
  (isSentenceSign(c) && !/^[\u2013-\u2015\u2019\u2026]$/.test(c));

/** Returns the form in which names are compared. */
export const nameKey = (text) => text.normalize("NFKC").toLowerCase().normalize("NFKC");

/** Returns the form in which emoji are compared: ❤ and ❤️ are equal. */
export const emojiKey = (emoji) => emoji.replaceAll("\ufe0f", "");

const characters = Intl.Segmenter && new Intl.Segmenter(undefined, { granularity: "grapheme" });

/** Yields user-perceived characters; code points if the browser lacks Intl.Segmenter. */
function* charactersOf(text) {
  if (!characters) yield* text;
  else for (const { segment } of characters.segment(text)) yield segment;
}

/** Returns the beginning of a text: at most `max` code points, cut between user-perceived characters. */
export function cut(text, max) {
  let [taken, length] = ["", 0];
  for (const one of charactersOf(text)) {
    length += [...one].length;
    if (length > max) return taken || [...one].slice(0, max).join("");
    taken += one;
  }
  return text;
}

/** Returns the first letters of the first two words, with their combining marks. */
export function initials(name) {
  const words = name.split(/[\p{White_Space}!-/:-@[-`{-~]+/u).map((word) => word.replace(/^[^\p{Alphabetic}\p{N}]+/u, ""));
  const firsts = words.filter(Boolean).slice(0, 2);
  return firsts.map((word) => charactersOf(word).next().value.toUpperCase()).join("");
}

/** Removes leading blank lines and trailing white space. The first line keeps its indentation. */
export const trimLines = (text) => text.trimEnd().replace(/^(?:[^\S\r\n]*[\r\n])+/, "");

/** Isolates a right-to-left name, so that it does not change the direction of the surrounding sentence. */
export const isolated = (name) => (/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(name) ? `\u2068${name}\u2069` : name);
