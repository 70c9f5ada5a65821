//! Tokenizer for search: folded words, and single characters in scripts without spaces between words. Independent of
//! the index and of the syntax of queries.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Maximum length of a word, characters; the rest is dropped. Nobody types more of a URL or key.
const WORD_MAX: usize = 40;

/// Token, the smallest unit of search.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Folded: without case, width and accents.
    pub text: String,
    pub kind: PieceKind,
    /// Byte range in the source text.
    pub at: Range<usize>,
    /// Whether it follows the previous piece directly.
    pub glued: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// Letters and digits up to white space or a sign.
    Word,
    /// One character of a script without spaces: Chinese, Japanese, Thai and the like; also Korean, whose words have
    /// suffixes.
    Dense,
    /// A pictograph, like an emoji.
    Symbol,
}

/// Splits `text` into tokens, in order. Signs and white space are left out.
pub fn pieces(text: &str) -> Vec<Piece> {
    let mut cutter = Cutter::default();
    let mut start = 0;
    while let Some(first) = text[start..].chars().next() {
        let plain = plain_run(&text.as_bytes()[start..]);
        if plain > 0 {
            let at = start..start + plain;
            start = at.end;
            cutter.grow(&text[at.clone()], &at);
            continue;
        }
        let mut rest = text[start + first.len_utf8()..].chars();
        let extending: usize = rest
            .by_ref()
            .take_while(|next| extends(*next))
            .map(char::len_utf8)
            .sum();
        let at = start..start + first.len_utf8() + extending;
        start = at.end;
        match fold_one(first, &text[at.clone()]) {
            Folded::One(c) => cutter.take(c, &at),
            Folded::Many(folded) => folded.chars().for_each(|c| cutter.take(c, &at)),
        }
    }
    cutter.end();
    cutter.pieces
}

/// Returns the length in bytes of the leading run of ASCII letters and digits with no combining character after it.
/// Fast path: most text consists of such runs.
fn plain_run(text: &[u8]) -> usize {
    let run = text
        .iter()
        .take_while(|byte| byte.is_ascii_alphanumeric())
        .count();
    match text.get(run) {
        Some(next) if !next.is_ascii() => run.saturating_sub(1),
        _ => run,
    }
}

#[derive(Default)]
struct Cutter {
    pieces: Vec<Piece>,
    word: String,
    at: Range<usize>,
    /// Length of `word`, characters; more than it holds if it was cut.
    length: usize,
    /// Whether a part of the text was left out since the last piece.
    gap: bool,
}

impl Cutter {
    fn take(&mut self, c: char, at: &Range<usize>) {
        match kind(c) {
            Some(PieceKind::Word) => {
                let mut letter = [0; 4];
                self.grow(c.encode_utf8(&mut letter), at);
            }
            Some(kind) => {
                self.end();
                self.push(c.to_string(), kind, at.clone());
            }
            None => {
                self.end();
                self.gap = true;
            }
        }
    }

    /// Appends letters to the word; ASCII letters are lowered here.
    fn grow(&mut self, letters: &str, at: &Range<usize>) {
        if self.length == 0 {
            self.at.start = at.start;
        }
        let room = WORD_MAX.saturating_sub(self.length);
        let kept = letters.char_indices().nth(room);
        let kept = kept.map_or(letters.len(), |(end, _)| end);
        let old = self.word.len();
        self.word.push_str(&letters[..kept]);
        self.word[old..].make_ascii_lowercase();
        self.length += letters.chars().count();
        self.at.end = at.end;
    }

    fn end(&mut self) {
        if self.length > 0 {
            let word = std::mem::take(&mut self.word);
            self.length = 0;
            self.push(word, PieceKind::Word, self.at.clone());
        }
    }

    fn push(&mut self, text: String, kind: PieceKind, at: Range<usize>) {
        let glued = !self.gap && !self.pieces.is_empty();
        self.gap = false;
        self.pieces.push(Piece {
            text,
            kind,
            at,
            glued,
        });
    }
}

/// Whether `c` modifies the character before it.
fn extends(c: char) -> bool {
    // Vowels and finals of decomposed Korean, voicing marks of half-width Japanese, variation selectors, skin tones.
    c > '\u{2ff}'
        && (canonical_combining_class(c) != 0
            || matches!(c, '\u{1160}'..='\u{11ff}' | '\u{ff9e}' | '\u{ff9f}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{1f3fb}'..='\u{1f3ff}'))
}

enum Folded {
    One(char),
    Many(String),
}

/// Folds one character with the characters that modify it.
fn fold_one(first: char, cluster: &str) -> Folded {
    if first.is_ascii() && cluster.len() == 1 {
        return Folded::One(first.to_ascii_lowercase());
    }
    if cluster.len() == first.len_utf8() && is_plain(first) {
        return Folded::One(first);
    }
    let bare = cluster.nfkd().filter(|c| is_kept(*c));
    let lower = bare.nfc().flat_map(char::to_lowercase);
    // Lower-casing can add marks: İ.
    let lower = lower.filter(|c| is_kept(*c));
    Folded::Many(lower.fold(String::new(), |mut folded, c| {
        push_alike(&mut folded, c);
        folded
    }))
}

/// Whether `c` folds to itself. Fast path for Chinese, Japanese and Korean text.
fn is_plain(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{ac00}'..='\u{d7a3}')
}

/// Whether folding keeps `c`. It drops accents, but keeps marks that make another letter: Japanese voicing, Indic dots
/// and joins.
fn is_kept(c: char) -> bool {
    !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
        && matches!(canonical_combining_class(c), 0 | 7 | 8 | 9)
}

/// Appends `c`, replaced by the letters that people write without the right keyboard.
fn push_alike(folded: &mut String, c: char) {
    match c {
        'ß' => folded.push_str("ss"),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'ø' => folded.push('o'),
        'ł' => folded.push('l'),
        'đ' => folded.push('d'),
        'ı' => folded.push('i'),
        'ς' => folded.push('σ'),
        c => folded.push(c),
    }
}

fn kind(c: char) -> Option<PieceKind> {
    if c.is_ascii() {
        return c.is_ascii_alphanumeric().then_some(PieceKind::Word);
    }
    if is_dense(c) {
        return Some(PieceKind::Dense);
    }
    if matches!(c, '\u{2600}'..='\u{27bf}' | '\u{1f000}'..='\u{1faff}') {
        return Some(PieceKind::Symbol);
    }
    let joins = matches!(canonical_combining_class(c), 7 | 9);
    (c.is_alphanumeric() || joins).then_some(PieceKind::Word)
}

fn is_dense(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' // Thai, Lao
        | '\u{1000}'..='\u{109f}' // Burmese
        | '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{ac00}'..='\u{d7ff}' // Korean
        | '\u{1780}'..='\u{17ff}' // Khmer
        | '\u{2e80}'..='\u{2fdf}' | '\u{3005}'..='\u{3007}' | '\u{3021}'..='\u{3029}'
        | '\u{3031}'..='\u{3035}' | '\u{3041}'..='\u{3096}' | '\u{309d}'..='\u{309f}' | '\u{30a1}'..='\u{30fa}'
        | '\u{30fc}'..='\u{30ff}' | '\u{3100}'..='\u{31bf}' | '\u{31f0}'..='\u{31ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{a000}'..='\u{a4cf}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && !matches!(c, '\u{0e3f}' | '\u{0e4f}' | '\u{0e5a}' | '\u{0e5b}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<(String, Range<usize>)> {
        let all = pieces(text).into_iter();
        all.map(|piece| (piece.text, piece.at)).collect()
    }

    #[test]
    fn words_are_normalized() {
        // The accent belongs to the last letter of an ASCII run.
        for text in ["Cafés", "CAFE\u{301}S", "cafés", "ｃａｆｅｓ"] {
            assert_eq!(words(text), [("cafes".to_owned(), 0..text.len())]);
        }
        assert_eq!(
            words("e\u{301}A,ab1 Ö2b"),
            [("ea", 0..4), ("ab1", 5..8), ("o2b", 9..13)].map(|(word, at)| (word.to_owned(), at))
        );
    }

    #[test]
    fn a_long_word_is_truncated_to_the_maximum() {
        for text in [
            "x".repeat(60),
            format!("{}é{}", "x".repeat(39), "y".repeat(30)),
        ] {
            let all = words(&text);
            assert_eq!(all.len(), 1);
            assert_eq!((all[0].0.len(), &all[0].1), (WORD_MAX, &(0..text.len())));
        }
    }
}
