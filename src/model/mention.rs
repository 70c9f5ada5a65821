//! Whom a text calls by `@`.

use super::{UserId, name_key};

/// So many people are called by one text at the most, and so many `@` are looked at.
const MENTIONS_MAX: usize = 50;
/// No username is longer, characters.
const NAME_MAX: usize = 64;
/// The name that calls everybody.
const ROOM: &str = "room";

/// Whom a message calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// People, in the order of the text, each once.
    pub people: Vec<UserId>,
    /// Everybody in the room.
    pub room: bool,
}

impl Mentions {
    /// Looks for `@name` in a text; `who` knows people by [`name_key`], `may_call_room` says whether `@room` counts.
    pub fn find(text: &str, may_call_room: bool, who: impl Fn(&str) -> Option<UserId>) -> Self {
        let mut found = Self::default();
        for (at, sign) in text
            .match_indices(['@', '＠'])
            .filter(|(at, _)| begins_word(&text[..*at]))
            .take(MENTIONS_MAX)
        {
            match called(&text[at + sign.len()..], may_call_room, &who) {
                Some(Called::Room) => found.room = true,
                Some(Called::Person(id)) if !found.people.contains(&id) => found.people.push(id),
                Some(Called::Person(_)) | None => {}
            }
        }
        found
    }

    /// Whether a text can call anybody: cheap, and mostly no.
    pub fn are_possible(text: &str) -> bool {
        text.contains(['@', '＠'])
    }

    /// Whether nobody is called.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && !self.room
    }

    /// Those who were not called before.
    #[must_use]
    pub fn without(&self, before: &Self) -> Self {
        let new = |id: &&UserId| !before.room && !before.people.contains(id);
        Self {
            people: self.people.iter().filter(new).copied().collect(),
            room: self.room && !before.room,
        }
    }
}

enum Called {
    Room,
    Person(UserId),
}

/// The longest name that `text` begins with.
fn called(text: &str, may_call_room: bool, who: impl Fn(&str) -> Option<UserId>) -> Option<Called> {
    let near: String = text.chars().take(NAME_MAX).collect();
    // One sign may stand for many letters.
    let near: String = name_key(&near).chars().take(2 * NAME_MAX).collect();
    let ends = near.char_indices().map(|(at, _)| at).skip(1);
    let ends: Vec<_> = ends.chain([near.len()]).collect();
    ends.into_iter()
        .rev()
        .filter(|end| ends_word(&near[*end..]))
        .find_map(|end| match &near[..end] {
            ROOM if may_call_room => Some(Called::Room),
            name => who(name).map(Called::Person),
        })
}

/// The end of an e-mail address is no name.
fn begins_word(before: &str) -> bool {
    before.chars().next_back().is_none_or(is_gap)
}

fn ends_word(after: &str) -> bool {
    after.chars().next().is_none_or(is_gap)
}

/// Whether a name may end before this character or begin behind it; some scripts put no blanks between words.
pub(crate) fn is_gap(c: char) -> bool {
    let unspaced = matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}'
        | '\u{2e80}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}');
    unspaced || !(c.is_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: [&str; 6] = ["ann", "ann smith", "ann-2", "jürgen", "佐藤", "room"];

    /// Names of those who are called, `*` for the room.
    fn find(text: &str, may_call_room: bool) -> Vec<&'static str> {
        let who = |key: &str| {
            let place = PEOPLE.iter().position(|name| *name == key);
            place.and_then(|place| i64::try_from(place).ok().map(UserId))
        };
        let found = Mentions::find(text, may_call_room, who);
        let people = found
            .people
            .iter()
            .map(|id| PEOPLE[usize::try_from(id.0).unwrap()]);
        people.chain(found.room.then_some("*")).collect()
    }

    #[test]
    fn the_longest_name_counts() {
        for (text, expected) in [
            ("@ann", vec!["ann"]),
            ("hi @Ann, look", vec!["ann"]),
            ("@ann smith!", vec!["ann smith"]),
            ("@Ann Smithson", vec!["ann"]),
            ("@ann-2 and @ann-3", vec!["ann-2", "ann"]),
            ("(@JÜRGEN)", vec!["jürgen"]),
            ("@Ju\u{308}rgen", vec!["jürgen"]),
            ("＠ａｎｎ", vec!["ann"]),
            ("@佐藤さん", vec!["佐藤"]),
            ("見て@佐藤", vec!["佐藤"]),
            ("@ann @ann @ann", vec!["ann"]),
            ("@@ann", vec!["ann"]),
        ] {
            assert_eq!(find(text, false), expected, "{text}");
        }
    }

    #[test]
    fn other_text_calls_nobody() {
        for text in [
            "",
            "@",
            "ann",
            "me@ann.org",
            "@anna",
            "@ann_x",
            "@ ann",
            "@bob",
            "@annä",
        ] {
            assert_eq!(find(text, true), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn the_room_is_called_only_by_who_may() {
        assert_eq!(find("@Room: @ann", true), ["ann", "*"]);
        assert_eq!(find("@room", false), ["room"]);
        assert_eq!(find("@rooms", true), Vec::<&str>::new());
    }

    #[test]
    fn a_text_full_of_signs_is_soon_done_with() {
        let text = "@ann smith ".repeat(1000);
        assert_eq!(find(&text, true), ["ann smith"]);
        assert_eq!(find(&"@".repeat(4000), true), Vec::<&str>::new());
    }

    #[test]
    fn an_edit_calls_only_those_who_were_not_called_before() {
        let some = |people: &[i64], room| Mentions {
            people: people.iter().copied().map(UserId).collect(),
            room,
        };
        assert_eq!(
            some(&[1, 2], false).without(&some(&[2], false)),
            some(&[1], false)
        );
        assert!(some(&[1], true).without(&some(&[], true)).is_empty());
        assert_eq!(some(&[], true).without(&some(&[1], false)), some(&[], true));
    }
}
