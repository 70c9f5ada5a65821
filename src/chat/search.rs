//! Search: resolves the rooms and people that a query names, and restricts it to what the caller may read.

use chrono::{DateTime, NaiveDate, NaiveTime};

use crate::model::{
    Action, MessageId, Millis, RoomId, RoomWord, SearchLine, UserId, Verdict, may, name_key,
};
pub use crate::store::{SearchHit, SearchPage};
use crate::store::{SearchRequest, SearchRoom};

use super::{Caller, Chat, ChatError};

impl Chat {
    /// Returns the newest messages before `before` that match `line`: in the caller's rooms, or in the rooms that the
    /// line names, of all that the caller may read.
    ///
    /// # Errors
    /// [`ChatError::Invalid`] if the line is too long; if the store fails.
    pub async fn search(
        &self,
        caller: &Caller,
        line: &str,
        before: Option<MessageId>,
        limit: u32,
    ) -> Result<SearchPage, ChatError> {
        let line = SearchLine::parse(line, begin)?;
        if line.is_empty() {
            return Ok(SearchPage::default());
        }
        let rooms = self.rooms_meant(caller, &line.rooms).await?;
        let from = self.senders_meant(caller, &line.from).await?;
        let request = SearchRequest::new(line, rooms, from, limit);
        let request = SearchRequest { before, ..request };
        Ok(self.store_for(caller).search(request).await?)
    }

    async fn rooms_meant(
        &self,
        caller: &Caller,
        words: &[RoomWord],
    ) -> Result<Vec<RoomId>, ChatError> {
        let all = self
            .core
            .store
            .search_rooms(caller.id(), !words.is_empty())
            .await?;
        let may_read = |room: &SearchRoom| {
            may(caller.role(), room.place, room.kind, Action::Read) == Verdict::Yes
        };
        let direct = self.direct_rooms_meant(caller, words).await?;
        let meant = |room: &SearchRoom| {
            words.is_empty() || direct.contains(&room.id) || words.iter().any(|word| is(room, word))
        };
        let rooms = all.iter().filter(|room| may_read(room) && meant(room));
        Ok(rooms.map(|room| room.id).collect())
    }

    async fn direct_rooms_meant(
        &self,
        caller: &Caller,
        words: &[RoomWord],
    ) -> Result<Vec<RoomId>, ChatError> {
        let mut found = Vec::new();
        for word in words {
            let RoomWord::With(name) = word else { continue };
            if let Some(other) = self.core.store.user_by_name(name_key(name)).await? {
                let room = self.core.store.find_direct_room(caller.id(), other).await?;
                found.extend(room.map(|room| room.id));
            }
        }
        Ok(found)
    }

    async fn senders_meant(
        &self,
        caller: &Caller,
        names: &[String],
    ) -> Result<Option<Vec<UserId>>, ChatError> {
        if names.is_empty() {
            return Ok(None);
        }
        let mut found = Vec::new();
        for name in names {
            let name = name.strip_prefix('@').unwrap_or(name);
            let known = self.core.store.user_by_name(name_key(name)).await?;
            // `from:me` means the caller, so only other people find messages of an account named "me".
            found.extend(if name.eq_ignore_ascii_case("me") {
                Some(caller.id())
            } else {
                known
            });
        }
        Ok(Some(found))
    }
}

fn is(room: &SearchRoom, word: &RoomWord) -> bool {
    match word {
        RoomWord::Id(id) => room.id == *id,
        RoomWord::With(_) => false,
        RoomWord::Name(name) => !room.name.is_empty() && name_key(&room.name) == name_key(name),
    }
}

/// Parses a day (UTC, `2026-11-21`) or an RFC 3339 time; returns its start.
fn begin(word: &str) -> Option<Millis> {
    let day = NaiveDate::parse_from_str(word, "%Y-%m-%d").ok();
    let day = day.map(|day| day.and_time(NaiveTime::MIN).and_utc());
    let time = day.or_else(|| {
        DateTime::parse_from_rfc3339(word)
            .ok()
            .map(|time| time.to_utc())
    })?;
    Some(Millis(time.timestamp_millis()))
}
