//! Finds messages by their words: the search index proposes candidates, their text decides. Must not depend on
//! permissions: the caller names the rooms.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{
    Fragment, MemberRole, Message, MessageId, Millis, RoomId, RoomKind, SearchLine, Term, UserId,
    all_hits, searched, snippet,
};

use super::search_index::{self, DAY};
use super::{Store, StoreError, messages};

/// Ids covered by one index query. A search that has taken [`ENOUGH`] by then continues on the next page.
const WINDOW: i64 = 50_000;
/// Time after which a page ends, possibly short; the client asks again from there.
const ENOUGH: Duration = Duration::from_millis(8);
/// Amount of text read for one page, about 15 ms: this many short texts, or fewer that are longer or compared with more
/// words.
const READ: usize = 2_000;
/// Text of this many bytes counts as one short text, if it is compared with up to [`FEW`] words.
const SHORT: usize = 256;
const FEW: usize = 8;
/// Candidates examined before the index query changes: see [`Ask`].
const PROPOSED: [u32; 2] = [1_500, 3_000];
/// If fewer than one in this many candidates is in the searched rooms, the index query asks for the rooms.
const ELSEWHERE: u32 = 50;
/// With more rooms than this, the index query does not ask for them.
const ROOMS: usize = 10;

#[derive(Clone, Debug)]
pub struct SearchRequest {
    /// Terms that must all be in the text.
    pub terms: Vec<Term>,
    pub rooms: Vec<RoomId>,
    /// Only messages of these senders; `None` for all.
    pub from: Option<Vec<UserId>>,
    /// Inclusive.
    pub since: Option<Millis>,
    /// Exclusive.
    pub until: Option<Millis>,
    /// Only messages with attachments.
    pub with_file: bool,
    /// Only messages with lower ids.
    pub before: Option<MessageId>,
    pub limit: u32,
}

#[derive(Clone, Debug)]
pub struct SearchHit {
    pub message: Message,
    /// Excerpt that shows the matches.
    pub snippet: Vec<Fragment>,
}

/// A page of results.
#[derive(Clone, Debug, Default)]
pub struct SearchPage {
    /// Newest first.
    pub found: Vec<SearchHit>,
    /// Start of the next page (exclusive); `None` at the end.
    pub next: Option<MessageId>,
}

/// A room that a search may cover.
#[derive(Clone, Debug)]
pub struct SearchRoom {
    pub id: RoomId,
    pub kind: RoomKind,
    /// Empty for direct rooms.
    pub name: String,
    /// Role of the searcher; `None` if not a member.
    pub place: Option<MemberRole>,
}

impl SearchRequest {
    /// Builds a request for all of `line` in these rooms from these senders, for the newest `limit` messages.
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
    /// Returns the newest messages that match, with excerpts.
    pub async fn search(&self, request: SearchRequest) -> Result<SearchPage, StoreError> {
        self.read(move |db| Search::new(db, &request)?.run()).await
    }

    /// Returns the rooms that `me` is a member of, and with `open_too` all others that anybody may read.
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

    /// Returns the account with this username (in the form of [`name_key`](crate::model::name_key)), even if it was
    /// deleted.
    pub async fn user_by_name(&self, name_key: String) -> Result<Option<UserId>, StoreError> {
        self.read(move |db| {
            let mut find = db.prepare_cached("SELECT id FROM users WHERE username_key = ?1")?;
            Ok(find.query_row([name_key], |row| row.get(0)).optional()?)
        })
        .await
    }
}

/// Content of the index query. Each kind is fast where the one before is slow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    /// Only the prefixes of open words: enough where the words are common.
    Beginnings,
    /// Also the whole of the longest open word, which is rare in this case.
    Whole,
    /// The rooms instead: most candidates are in other rooms. Slow for many rooms.
    Rooms,
}

/// A search in progress, from the newest message to the oldest.
struct Search<'a> {
    db: &'a Connection,
    request: &'a SearchRequest,
    rooms: HashSet<RoomId>,
    /// Ids still to be searched, both bounds exclusive.
    low: i64,
    high: i64,
    ask: Ask,
    proposed: u32,
    read: u32,
    /// Text read so far, in short texts.
    cost: usize,
    found: Vec<SearchHit>,
}

/// Reason why a search stopped.
#[derive(PartialEq, Eq)]
enum Stop {
    /// There are no older candidates in this range.
    End,
    /// The page is full, or enough text was read.
    Enough,
    /// The index query should change.
    Otherwise,
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
            ask: Ask::Beginnings,
            proposed: 0,
            read: 0,
            cost: 0,
            found: Vec::new(),
        })
    }

    fn run(mut self) -> Result<SearchPage, StoreError> {
        let nowhere = self.rooms.is_empty()
            || self.request.from.as_ref().is_some_and(Vec::is_empty)
            || self.low.saturating_add(1) >= self.high;
        if nowhere {
            return Ok(SearchPage::default());
        }
        let begun = Instant::now();
        let whole = search_index::asked_whole(&self.request.terms);
        let asked = self.asked();
        if asked.is_empty() {
            self.ask = Ask::Rooms;
        }
        let mut more = true;
        while more {
            let (query, low) = self.query(&asked, whole.as_deref());
            match self.walk(&query, low)? {
                Stop::Enough => break,
                Stop::Otherwise => self.ask_otherwise(whole.is_some()),
                Stop::End => {
                    self.high = low + 1;
                    more = low > self.low;
                }
            }
            if begun.elapsed() > ENOUGH {
                break;
            }
        }
        Ok(SearchPage {
            found: self.found,
            next: more.then_some(MessageId(self.high)),
        })
    }

    fn ask_otherwise(&mut self, has_whole: bool) {
        self.ask = match self.ask {
            Ask::Beginnings if has_whole && self.read * ELSEWHERE >= self.proposed => Ask::Whole,
            // Merging the index lists of many rooms takes longer than examining candidates in other rooms.
            ask if self.rooms.len() > ROOMS => ask,
            _ => Ask::Rooms,
        };
        self.proposed = 0;
    }

    /// Returns the current index query, and the lowest id that it covers (exclusive).
    fn query(&self, asked: &[String], whole: Option<&str>) -> (String, i64) {
        let mut asked = asked.to_vec();
        let low = self.low.max(self.high.saturating_sub(WINDOW));
        match (self.ask, whole) {
            (Ask::Whole, Some(whole)) => {
                asked.push(whole.to_owned());
                // FTS5 collects all words with this prefix anyway, over all ids.
                return (asked.join(" AND "), self.low);
            }
            (Ask::Rooms, _) => {
                let rooms = self.request.rooms.iter();
                asked.push(any(rooms.map(|room| search_index::of_room(*room))));
            }
            _ => {}
        }
        (asked.join(" AND "), low)
    }

    /// Returns the conditions that every index query has.
    fn asked(&self) -> Vec<String> {
        let mut asked: Vec<_> = self
            .request
            .terms
            .iter()
            .flat_map(search_index::asked)
            .collect();
        if let Some(from) = &self.request.from {
            asked.push(any(from
                .iter()
                .map(|sender| search_index::of_sender(*sender))));
        }
        if self.request.with_file {
            asked.push(search_index::quote(search_index::WITH_FILE));
        }
        asked.sort_unstable();
        asked.dedup();
        asked
    }

    /// Examines the candidates of `query`, from `high` down to `low`.
    fn walk(&mut self, query: &str, low: i64) -> Result<Stop, StoreError> {
        let mut find = self.db.prepare_cached(
            "SELECT rowid FROM words WHERE words MATCH ?1 AND rowid > ?2 AND rowid < ?3 ORDER BY rowid DESC",
        )?;
        let mut ids = find.query(params![query, low, self.high])?;
        while let Some(row) = ids.next()? {
            if self.found.len() >= self.request.limit as usize || self.cost >= READ {
                return Ok(Stop::Enough);
            }
            if PROPOSED
                .get(self.ask as usize)
                .is_some_and(|most| self.proposed >= *most)
            {
                return Ok(Stop::Otherwise);
            }
            let id: MessageId = row.get(0)?;
            self.proposed += 1;
            self.look_at(id)?;
            self.high = id.0;
        }
        Ok(Stop::End)
    }

    fn look_at(&mut self, id: MessageId) -> Result<(), StoreError> {
        if !self.is_worth_reading(id)? {
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

    /// Whether a message is in the right room and time, and may match: only then is all of it loaded.
    fn is_worth_reading(&mut self, id: MessageId) -> Result<bool, StoreError> {
        let mut find = self.db.prepare_cached(
            "SELECT room_id, created_at, content FROM messages WHERE id = ?1 AND deleted_at IS NULL",
        )?;
        let mut rows = find.query([id])?;
        let Some(row) = rows.next()? else {
            return Ok(false);
        };
        let (room, at): (RoomId, Millis) = (row.get(0)?, row.get(1)?);
        let (since, until) = (self.request.since, self.request.until);
        let in_time = since.is_none_or(|since| at >= since) && until.is_none_or(|until| at < until);
        if !in_time || !self.rooms.contains(&room) {
            return Ok(false);
        }
        self.read += 1;
        let text = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
        let words: usize = self
            .request
            .terms
            .iter()
            .map(|term| term.pieces.len())
            .sum();
        self.cost += 1 + text.len() / SHORT * (1 + words / FEW);
        if all_hits(&self.request.terms, text).is_some() {
            return Ok(true);
        }
        let mut files = self
            .db
            .prepare_cached("SELECT 1 FROM files WHERE message_id = ?1")?;
        Ok(files.exists([id])?)
    }
}

/// Joins words with OR.
fn any(words: impl Iterator<Item = String>) -> String {
    let words: Vec<_> = words.map(|word| search_index::quote(&word)).collect();
    format!("({})", words.join(" OR "))
}

/// Returns the range of ids (exclusive) that holds all matches.
fn bounds(db: &Connection, request: &SearchRequest) -> Result<(i64, i64), StoreError> {
    let mut low = 0;
    let newest: i64 = db
        .prepare_cached("SELECT coalesce(max(id), 0) FROM messages")?
        .query_row([], |row| row.get(0))?;
    let mut high = request.before.map_or(i64::MAX, |id| id.0).min(newest + 1);
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
