//! Finds messages by their words. The index proposes, the text decides. Must not know who may read what: it is told which
//! rooms.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{
    Fragment, MemberRole, Message, MessageId, Millis, RoomId, RoomKind, SearchLine, Term, UserId,
    all_hits, searched, snippet,
};

use super::words::{self, DAY};
use super::{Store, StoreError, messages};

/// So many messages that the index proposes are looked at before the index is also asked for the rooms. Asking for many
/// rooms is slow; not asking is slow when most of what is found is elsewhere.
const ASK_ROOMS_AFTER: u32 = 2_000;
/// So many are looked at in one go: some 100 ms. Whoever wants more asks again from there.
const LOOK_AT: u32 = 20_000;

/// What to look for, and where.
#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// What must be in the text.
    pub terms: Vec<Term>,
    /// The rooms to look in.
    pub rooms: Vec<RoomId>,
    /// Only messages of these, unless there are none.
    pub from: Option<Vec<UserId>>,
    /// Not before this time.
    pub since: Option<Millis>,
    /// Before this time.
    pub until: Option<Millis>,
    /// Only messages with files.
    pub with_file: bool,
    /// Only messages with a lower number.
    pub before: Option<MessageId>,
    /// How many at the most.
    pub limit: u32,
}

/// A message that was found.
#[derive(Clone, Debug)]
pub struct SearchHit {
    /// The message.
    pub message: Message,
    /// Where it has what was looked for.
    pub snippet: Vec<Fragment>,
}

/// A page of what was found.
#[derive(Clone, Debug, Default)]
pub struct SearchPage {
    /// The newest first.
    pub found: Vec<SearchHit>,
    /// Where to go on (exclusive); `None` if all was seen.
    pub next: Option<MessageId>,
}

/// A room that a search may cover.
#[derive(Clone, Debug)]
pub struct SearchRoom {
    /// The room.
    pub id: RoomId,
    /// What sort of room.
    pub kind: RoomKind,
    /// Its name; empty in direct rooms.
    pub name: String,
    /// The searcher's place in it.
    pub place: Option<MemberRole>,
}

impl SearchRequest {
    /// All that `line` asks for in these rooms from these people; the newest `limit` messages.
    pub fn new(
        line: SearchLine,
        rooms: Vec<RoomId>,
        from: Option<Vec<UserId>>,
        limit: u32,
    ) -> Self {
        Self {
            terms: line.terms,
            rooms,
            from,
            since: line.since,
            until: line.until,
            with_file: line.with_file,
            before: None,
            limit,
        }
    }
}

impl Store {
    /// The newest messages that fit, and where they do.
    pub async fn search(&self, request: SearchRequest) -> Result<SearchPage, StoreError> {
        self.read(move |db| Search::new(db, &request)?.run()).await
    }

    /// The rooms somebody is in, and on demand all others that anybody may read.
    pub async fn search_rooms(
        &self,
        me: UserId,
        open_too: bool,
    ) -> Result<Vec<SearchRoom>, StoreError> {
        const SQL: &str =
            "SELECT r.id, r.kind, r.name, m.role FROM members m JOIN rooms r ON r.id = m.room_id
            WHERE m.user_id = ?1 AND r.deleted_at IS NULL
            UNION ALL SELECT r.id, r.kind, r.name, NULL FROM rooms r
            WHERE ?2 AND r.kind IN ('lobby', 'public') AND r.deleted_at IS NULL
            AND NOT EXISTS (SELECT 1 FROM members m WHERE m.room_id = r.id AND m.user_id = ?1)";
        self.read(move |db| {
            let mut find = db.prepare_cached(SQL)?;
            let rooms = find.query_map(params![me, open_too], |row| {
                Ok(SearchRoom {
                    id: row.get(0)?,
                    kind: row.get(1)?,
                    name: row.get(2)?,
                    place: row.get(3)?,
                })
            })?;
            Ok(rooms.collect::<Result<_, _>>()?)
        })
        .await
    }

    /// The account that has or had this name (as [`name_key`](crate::model::name_key) writes it).
    pub async fn user_by_name(&self, name_key: String) -> Result<Option<UserId>, StoreError> {
        self.read(move |db| {
            let mut find = db.prepare_cached("SELECT id FROM users WHERE username_key = ?1")?;
            Ok(find.query_row([name_key], |row| row.get(0)).optional()?)
        })
        .await
    }
}

/// A search on its way from the newest message to the oldest.
struct Search<'a> {
    db: &'a Connection,
    request: &'a SearchRequest,
    rooms: HashSet<RoomId>,
    /// Between these ids, both exclusive.
    low: i64,
    high: i64,
    looked_at: u32,
    found: Vec<SearchHit>,
}

/// Why the search stopped where it is.
#[derive(PartialEq, Eq)]
enum Stop {
    /// There is nothing older.
    End,
    /// The page is full, or the work was enough.
    Enough,
    /// Most of what the index proposes is in other rooms.
    Elsewhere,
}

impl<'a> Search<'a> {
    fn new(db: &'a Connection, request: &'a SearchRequest) -> Result<Self, StoreError> {
        let (low, high) = bounds(db, request)?;
        Ok(Self {
            db,
            request,
            rooms: request.rooms.iter().copied().collect(),
            low,
            high,
            looked_at: 0,
            found: Vec::new(),
        })
    }

    fn run(mut self) -> Result<SearchPage, StoreError> {
        let nowhere =
            self.rooms.is_empty() || self.request.from.as_ref().is_some_and(Vec::is_empty);
        if nowhere {
            return Ok(SearchPage::default());
        }
        let mut asked = self.asked();
        let mut stop = match asked.is_empty() {
            true => Stop::Elsewhere,
            false => self.walk(&asked.join(" AND "), ASK_ROOMS_AFTER)?,
        };
        if stop == Stop::Elsewhere {
            asked.push(any(self
                .request
                .rooms
                .iter()
                .map(|room| words::of_room(*room))));
            stop = self.walk(&asked.join(" AND "), LOOK_AT)?;
        }
        let next = (stop != Stop::End).then_some(MessageId(self.high));
        Ok(SearchPage {
            found: self.found,
            next,
        })
    }

    /// What the index is asked for, except the rooms.
    fn asked(&self) -> Vec<String> {
        let mut asked: Vec<_> = self.request.terms.iter().flat_map(words::asked).collect();
        if let Some(from) = &self.request.from {
            asked.push(any(from.iter().map(|sender| words::of_sender(*sender))));
        }
        if self.request.with_file {
            asked.push(words::quote(words::WITH_FILE));
        }
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// Goes through what the index has for `asked`, from `high` down, up to `most` proposals in all.
    fn walk(&mut self, asked: &str, most: u32) -> Result<Stop, StoreError> {
        let mut find = self.db.prepare_cached(
            "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid > ?2 AND rowid < ?3 ORDER BY rowid DESC",
        )?;
        let mut ids = find.query(params![asked, self.low, self.high])?;
        while let Some(row) = ids.next()? {
            if self.found.len() >= self.request.limit as usize || self.looked_at >= LOOK_AT {
                return Ok(Stop::Enough);
            }
            if self.looked_at >= most {
                return Ok(Stop::Elsewhere);
            }
            let id: MessageId = row.get(0)?;
            self.looked_at += 1;
            self.look_at(id)?;
            self.high = id.0;
        }
        Ok(Stop::End)
    }

    fn look_at(&mut self, id: MessageId) -> Result<(), StoreError> {
        let mut find = self.db.prepare_cached(
            "SELECT room_id, created_at FROM messages WHERE id = ?1 AND deleted_at IS NULL",
        )?;
        let found = find.query_row([id], |row| {
            Ok((row.get::<_, RoomId>(0)?, row.get::<_, Millis>(1)?))
        });
        let Some((room, at)) = found.optional()? else {
            return Ok(());
        };
        let (since, until) = (self.request.since, self.request.until);
        let in_time = since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until);
        if !in_time || !self.rooms.contains(&room) {
            return Ok(());
        }
        if let Some(message) = messages::by_id(self.db, id)? {
            let text = searched(&message.content, &message.files);
            if let Some(hits) = all_hits(&self.request.terms, &text) {
                let snippet = snippet(&text, &hits);
                self.found.push(SearchHit { message, snippet });
            }
        }
        Ok(())
    }
}

/// One of these words.
fn any(words: impl Iterator<Item = String>) -> String {
    let words: Vec<_> = words.map(|word| words::quote(&word)).collect();
    format!("({})", words.join(" OR "))
}

/// Between which ids (exclusive) all is that is asked for.
fn bounds(db: &Connection, request: &SearchRequest) -> Result<(i64, i64), StoreError> {
    let mut low = 0;
    let mut high = request.before.map_or(i64::MAX, |id| id.0);
    if let Some(since) = request.since {
        let first: Option<i64> = db
            .prepare_cached("SELECT min(first_id) FROM days WHERE day >= ?1")?
            .query_row([since.0.div_euclid(DAY)], |row| row.get(0))?;
        low = first.map_or(i64::MAX, |first| first - 1);
    }
    if let Some(until) = request.until {
        let last: Option<i64> = db
            .prepare_cached("SELECT max(last_id) FROM days WHERE day <= ?1")?
            .query_row([until.0.div_euclid(DAY)], |row| row.get(0))?;
        high = high.min(last.map_or(0, |last| last + 1));
    }
    Ok((low, high))
}
