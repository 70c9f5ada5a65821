//! Classes of characters in all scripts: letters, punctuation, and word boundaries.

/// Whether `c` is a letter or digit of a script that separates words by spaces.
pub fn is_letter(c: char) -> bool {
    c.is_alphanumeric() && !is_unspaced(c)
}

/// Whether a name may end before this character or begin after it. Some scripts have no spaces between words.
pub(crate) fn is_gap(c: char) -> bool {
    is_unspaced(c) || !(c.is_alphanumeric() || c == '_')
}

/// Whether `c` belongs to a script without spaces between words, or to its punctuation.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// Whether `c` is punctuation beyond ASCII: quotation marks, brackets, full stops, commas, question marks and dashes of
/// all scripts.
pub(super) fn is_sentence_sign(c: char) -> bool {
    matches!(c, '\u{a1}' | '\u{ab}' | '\u{bb}' | '\u{bf}' | '\u{37e}' | '\u{55c}'..='\u{55e}' | '\u{589}' | '\u{5c3}'
        | '\u{60c}' | '\u{61b}' | '\u{61f}' | '\u{6d4}' | '\u{700}'..='\u{70a}' | '\u{964}' | '\u{965}' | '\u{e5a}'
        | '\u{e5b}' | '\u{f0d}'..='\u{f12}' | '\u{104a}' | '\u{104b}' | '\u{1361}'..='\u{1368}' | '\u{17d4}'..='\u{17d6}'
        | '\u{1802}' | '\u{1803}' | '\u{1808}' | '\u{1809}' | '\u{2013}'..='\u{2015}' | '\u{2018}'..='\u{201f}'
        | '\u{2026}' | '\u{2039}' | '\u{203a}' | '\u{3001}' | '\u{3002}' | '\u{3008}'..='\u{3011}'
        | '\u{3014}'..='\u{301f}' | '\u{fe10}'..='\u{fe19}' | '\u{fe50}'..='\u{fe5e}' | '\u{ff01}' | '\u{ff02}'
        | '\u{ff07}'..='\u{ff09}' | '\u{ff0c}' | '\u{ff0e}' | '\u{ff1a}'..='\u{ff1c}' | '\u{ff1e}' | '\u{ff1f}'
        | '\u{ff3b}' | '\u{ff3d}' | '\u{ff5b}' | '\u{ff5d}' | '\u{ff5f}'..='\u{ff64}')
}

/// Whether `c` is a pictograph, like an emoji.
pub(super) fn is_picture(c: char) -> bool {
    matches!(c, '\u{2600}'..='\u{27bf}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}

/// Whether bold and italic may begin after this character. Emoticons and pieces of code (`^_^`, `a/*b*/c`) are left as
/// typed.
pub(super) fn may_open_after(before: Option<char>) -> bool {
    before.is_none_or(|c| is_border(c) || matches!(c, '(' | '[' | '{' | '<' | '"' | '\''))
}

/// Whether bold and italic may end before this character.
pub(super) fn may_close_before(after: Option<char>) -> bool {
    const SIGNS: &str = ")]}>\"'.,;:!?";
    after.is_none_or(|c| is_border(c) || SIGNS.contains(c))
}

fn is_border(c: char) -> bool {
    c.is_whitespace() || is_unspaced(c) || is_picture(c) || is_sentence_sign(c)
}

/// Whether `c` is a sign that is significant in a search (`C++`, `#tag`, `a_b`), not just punctuation.
pub(in crate::model) fn is_literal(c: char) -> bool {
    const SIGNS: &str = "#$%&*+/<=>@\\^_|~";
    const WIDE: &str = "＃＄％＆＊＋／＜＝＞＠＼＾＿｜～";
    SIGNS.contains(c) || WIDE.contains(c)
}
