//! Finds the mentions in a text.

use super::UserId;
use super::text::{Element, MENTION_MAX, Reader, is_gap, name_key, read};

/// Maximum number of people mentioned by one text; also the number of `@` that are looked up.
const MENTIONS_MAX: usize = 50;
/// Name that mentions everybody in the room.
const ROOM: &str = "room";

/// Mentions of a message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mentions {
    /// In the order of the text, each once.
    pub people: Vec<UserId>,
    /// Whether everybody in the room is mentioned.
    pub room: bool,
}

impl Mentions {
    /// Finds `@name` in a text, outside of code and links. `who` looks people up by [`name_key`]; `may_call_room` says
    /// whether `@room` counts.
    pub fn find(text: &str, may_call_room: bool, who: impl Fn(&str) -> Option<UserId>) -> Self {
        let mut finder = Finder {
            found: Self::default(),
            looked_at: 0,
            may_call_room,
            who,
        };
        read(text, &mut finder);
        finder.found
    }

    /// Whether a text can contain a mention. A cheap check that is false for most messages.
    pub fn are_possible(text: &str) -> bool {
        text.contains(['@', '＠'])
    }

    pub fn is_empty(&self) -> bool {
        self.people.is_empty() && !self.room
    }

    /// Returns the mentions that `before` does not have.
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

/// Reader that looks up every `@` where the message grammar allows a mention.
struct Finder<F> {
    found: Mentions,
    looked_at: usize,
    may_call_room: bool,
    who: F,
}

impl<F: Fn(&str) -> Option<UserId>> Reader for Finder<F> {
    fn begin(&mut self, _element: Element) {}

    fn end(&mut self, _element: Element) {}

    fn char(&mut self, _c: char) {}

    fn link(&mut self, _scheme: &'static str, _address: &[char]) {}

    fn mention(&mut self, _text: &[char]) {}

    /// Records the mention. Returns `None`, so that reading continues right after the `@`.
    fn find_name(&mut self, name: &[char]) -> Option<usize> {
        self.looked_at += 1;
        if self.looked_at > MENTIONS_MAX {
            return None;
        }
        match called(name, self.may_call_room, &self.who) {
            Some(Called::Room) => self.found.room = true,
            Some(Called::Person(id)) if !self.found.people.contains(&id) => {
                self.found.people.push(id);
            }
            Some(Called::Person(_)) | None => {}
        }
        None
    }
}

/// Returns the mention by the longest name that `text` begins with.
fn called(
    text: &[char],
    may_call_room: bool,
    who: impl Fn(&str) -> Option<UserId>,
) -> Option<Called> {
    let near: String = text.iter().collect();
    // NFKC can expand one character to many.
    let near: String = name_key(&near).chars().take(2 * MENTION_MAX).collect();
    let ends = near.char_indices().map(|(at, _)| at).skip(1);
    let ends: Vec<_> = ends.chain([near.len()]).collect();
    ends.into_iter()
        .rev()
        .filter(|end| near[*end..].chars().next().is_none_or(is_gap))
        .find_map(|end| match &near[..end] {
            ROOM if may_call_room => Some(Called::Room),
            name => who(name).map(Called::Person),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: [&str; 6] = ["ann", "ann smith", "ann-2", "jürgen", "佐藤", "room"];

    /// Returns the names of the people mentioned, `*` for the room.
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
    fn the_longest_matching_name_is_mentioned() {
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
            ("`x` @ann `y`", vec!["ann"]),
            ("`open @ann", vec!["ann"]),
            ("**@ann**, *@jürgen*", vec!["ann", "jürgen"]),
            ("> @ann\n- @jürgen", vec!["ann", "jürgen"]),
            ("https://m.example/ @ann", vec!["ann"]),
            ("@ann/@jürgen", vec!["ann", "jürgen"]),
            ("```\ncode\n```\n@ann", vec!["ann"]),
        ] {
            assert_eq!(find(text, false), expected, "{text}");
        }
    }

    #[test]
    fn other_text_mentions_nobody() {
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
            "`@ann`",
            "``x `@ann` y``",
            "```\n@ann\n```",
            "```rust\n@ann",
            "> ```\n> @ann\n> ```",
            "https://m.example/@ann",
            "see <http://m.example/@ann>",
            "www.m.example/@ann",
            "mailto:me@ann.org",
            "\\@ann",
        ] {
            assert_eq!(find(text, true), Vec::<&str>::new(), "{text}");
        }
    }

    #[test]
    fn a_room_mention_needs_permission() {
        assert_eq!(find("@Room: @ann", true), ["ann", "*"]);
        assert_eq!(find("@room", false), ["room"]);
        assert_eq!(find("@rooms", true), Vec::<&str>::new());
    }

    #[test]
    fn a_text_full_of_at_signs_is_parsed_in_linear_time() {
        let text = "@ann smith ".repeat(1000);
        assert_eq!(find(&text, true), ["ann smith"]);
        assert_eq!(find(&"@".repeat(4000), true), Vec::<&str>::new());
    }

    #[test]
    fn an_edit_mentions_only_newly_mentioned_people() {
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
