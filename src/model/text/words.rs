//! How text is cut up for searching: folded words, and single characters where a script puts no blanks between words.
//! Must not know how an index keeps them, nor how a query is written.

use std::ops::Range;

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

/// Longer words are cut off here, in characters: nobody types more of an address or a key.
const WORD_MAX: usize = 40;

/// The smallest thing that is searched for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What it is, folded: without case, width and accents.
    pub text: String,
    /// What sort of piece it is.
    pub kind: PieceKind,
    /// Which bytes of the text it was made from.
    pub at: Range<usize>,
    /// Nothing stands between it and the piece before.
    pub glued: bool,
}

/// The sorts of pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PieceKind {
    /// Letters and digits up to a blank or a sign.
    Word,
    /// One character of a script without blanks: Chinese, Japanese, Thai and the like; also Korean, whose words carry
    /// endings.
    Dense,
    /// A picture, like an emoji.
    Symbol,
}

/// Cuts `text` into pieces, in order. Signs and blanks are left out.
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

/// How many bytes at the beginning are letters and digits of ASCII that nothing else can belong to: most of most texts.
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
    /// How long `word` is, in characters.
    length: usize,
    /// Something of the text was left out since the last piece.
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

    /// Adds letters to the word; those of ASCII may be capitals.
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

/// Belongs to the character before it.
fn extends(c: char) -> bool {
    // Vowels and endings of decomposed Korean, voicing of half-width Japanese, variants of pictures and their skins.
    c > '\u{2ff}'
        && (canonical_combining_class(c) != 0
            || matches!(c, '\u{1160}'..='\u{11ff}' | '\u{ff9e}' | '\u{ff9f}' | '\u{fe00}'..='\u{fe0f}'
                | '\u{1f3fb}'..='\u{1f3ff}'))
}

enum Folded {
    One(char),
    Many(String),
}

/// Folds one character and what belongs to it.
fn fold_one(first: char, cluster: &str) -> Folded {
    if first.is_ascii() && cluster.len() == 1 {
        return Folded::One(first.to_ascii_lowercase());
    }
    if cluster.len() == first.len_utf8() && is_plain(first) {
        return Folded::One(first);
    }
    let bare = cluster.nfkd().filter(|c| is_kept(*c));
    let lower = bare.nfc().flat_map(char::to_lowercase);
    // Lower case may bring marks of its own: İ.
    let lower = lower.filter(|c| is_kept(*c));
    Folded::Many(lower.fold(String::new(), |mut folded, c| {
        push_alike(&mut folded, c);
        folded
    }))
}

/// Folds to itself; what most characters of a Chinese or Japanese text are.
fn is_plain(c: char) -> bool {
    matches!(c, '\u{4e00}'..='\u{9fff}' | '\u{3041}'..='\u{3096}' | '\u{30a1}'..='\u{30fa}' | '\u{ac00}'..='\u{d7a3}')
}

/// Accents go; what makes another letter of it stays: voicing in Japanese, dots and joins in Indic scripts.
fn is_kept(c: char) -> bool {
    !matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}')
        && matches!(canonical_combining_class(c), 0 | 7 | 8 | 9)
}

/// Letters that people without the right keyboard write otherwise.
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
    fn a_word_is_the_same_however_its_letters_are_written() {
        // The accent belongs to the last letter of a run that is otherwise plain.
        for text in ["Cafés", "CAFE\u{301}S", "cafés", "ｃａｆｅｓ"] {
            assert_eq!(words(text), [("cafes".to_owned(), 0..text.len())]);
        }
        assert_eq!(
            words("e\u{301}A,ab1 Ö2b"),
            [("ea", 0..4), ("ab1", 5..8), ("o2b", 9..13)].map(|(word, at)| (word.to_owned(), at))
        );
    }

    #[test]
    fn a_long_word_is_cut_off_wherever_its_letters_change() {
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
