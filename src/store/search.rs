//! Finds messages by their words. The index proposes, the text decides. Must not know who may read what: it is told which
//! rooms.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use rusqlite::{Connection, OptionalExtension, params};

use crate::model::{
    Fragment, MemberRole, Message, MessageId, Millis, RoomId, RoomKind, SearchLine, Term, UserId,
    all_hits, searched, snippet,
};

use super::words::{self, DAY};
use super::{Store, StoreError, messages};

/// The index is asked for so many ids at once; a search that has taken [`ENOUGH`] by then goes on with the next page.
const WINDOW: i64 = 50_000;
/// Whoever wants more asks again from there: a page may come back short, but soon.
const ENOUGH: Duration = Duration::from_millis(8);
/// So much is read in one go, some 15 ms: short texts, or fewer that are longer or compared with more words.
const READ: usize = 2_000;
/// A text of so many bytes counts as one, if it is compared with so many words.
const SHORT: usize = 256;
const FEW: usize = 8;
/// So many messages that the index proposes are looked at before it is asked otherwise, see [`Ask`].
const PROPOSED: [u32; 2] = [1_500, 3_000];
/// Where fewer than one of so many are in the rooms, these are what is to be asked for.
const ELSEWHERE: u32 = 50;
/// For more rooms than that the index is not asked for them.
const ROOMS: usize = 10;

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

/// What the index is asked for. Each way is fast where the one before is slow.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    /// The beginnings of open words only: enough where these words are common.
    Beginnings,
    /// Also for the whole of the longest of them: which is rare, then.
    Whole,
    /// Not for that but for the rooms: most of what is found is elsewhere. Slow for many rooms.
    Rooms,
}

/// A search on its way from the newest message to the oldest.
struct Search<'a> {
    db: &'a Connection,
    request: &'a SearchRequest,
    rooms: HashSet<RoomId>,
    /// Between these ids, both exclusive.
    low: i64,
    high: i64,
    ask: Ask,
    proposed: u32,
    read: u32,
    /// What was read, in short texts.
    cost: usize,
    found: Vec<SearchHit>,
}

/// Why the search stopped where it is.
#[derive(PartialEq, Eq)]
enum Stop {
    /// There is nothing older here.
    End,
    /// The page is full, or the work was enough.
    Enough,
    /// The index is to be asked otherwise.
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
        let whole = words::asked_whole(&self.request.terms);
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
            // Going through the lists of many rooms takes longer than looking at what is elsewhere.
            ask if self.rooms.len() > ROOMS => ask,
            _ => Ask::Rooms,
        };
        self.proposed = 0;
    }

    /// What the index is asked for now, and down to which id (exclusive).
    fn query(&self, asked: &[String], whole: Option<&str>) -> (String, i64) {
        let mut asked = asked.to_vec();
        let low = self.low.max(self.high.saturating_sub(WINDOW));
        match (self.ask, whole) {
            (Ask::Whole, Some(whole)) => {
                asked.push(whole.to_owned());
                // All that begins so is collected anyway, of all ids.
                return (asked.join(" AND "), self.low);
            }
            (Ask::Rooms, _) => {
                let rooms = self.request.rooms.iter();
                asked.push(any(rooms.map(|room| words::of_room(*room))));
            }
            _ => {}
        }
        (asked.join(" AND "), low)
    }

    /// What the index is asked for in any case.
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

    /// Goes through what the index has for `query`, from `high` down to `low`.
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

    /// Whether a message is where and when it should be, and may have what is looked for: the whole of it is read last.
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

/// One of these words.
fn any(words: impl Iterator<Item = String>) -> String {
    let words: Vec<_> = words.map(|word| words::quote(&word)).collect();
    format!("({})", words.join(" OR "))
}

/// Between which ids (exclusive) all is that is asked for.
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
