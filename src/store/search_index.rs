//! Search index: keeps the tables `words` and `days` in step with `messages`, in the same transaction. Must not depend
//! on how it is queried.

use rusqlite::{Connection, Row, params};

use crate::model::{
    File, Message, MessageId, Millis, Piece, PieceKind, RoomId, Term, UserId, pieces,
};

use super::job::Tx;
use super::{NewMessage, StoreError};

/// Milliseconds per day.
pub(super) const DAY: i64 = 24 * 3600 * 1000;
/// The last id of a day is rounded up to a multiple of 256, less one: otherwise every message would change one more
/// page.
const DAY_STEP: i64 = 255;

/// Index terms of a message. Tokenizing the text takes longer than anything else, so it is done before the writer's
/// turn.
#[derive(Clone, Debug)]
pub(super) struct Indexed {
    id: MessageId,
    created_at: Millis,
    words: Vec<String>,
    /// Last token of the text: the names of the files follow it.
    last: Option<Piece>,
}

impl Indexed {
    /// For a new message, which may get files.
    pub(super) fn of_new(new: &NewMessage) -> Self {
        let (place, text) = ((new.room_id, new.sender.id), new.draft.content.as_str());
        Self::new(new.id, place, new.created_at, text)
    }

    /// For a stored message.
    pub(super) fn of(message: &Message) -> Self {
        let place = (message.room_id, message.sender.id);
        let indexed = Self::new(message.id, place, message.created_at, &message.content);
        indexed.with_files(&message.files)
    }

    fn new(
        id: MessageId,
        (room, sender): (RoomId, UserId),
        created_at: Millis,
        text: &str,
    ) -> Self {
        let mut words = vec![of_room(room), of_sender(sender)];
        let last = extend_with(&mut words, None, text);
        Self {
            id,
            created_at,
            words,
            last,
        }
    }

    /// Adds the names of these files.
    pub(super) fn with_files(self, files: &[File]) -> Self {
        self.with_names(files.iter().map(|file| file.name.as_str()))
    }

    fn with_names<'a>(mut self, names: impl Iterator<Item = &'a str>) -> Self {
        for name in names {
            self.words.push(WITH_FILE.to_owned());
            self.last = extend_with(&mut self.words, self.last, name);
        }
        self
    }

    fn add(&self, tx: &Connection) -> Result<(), StoreError> {
        tx.prepare_cached("INSERT INTO words (rowid, list) VALUES (?1, ?2)")?
            .execute(params![self.id, self.words.join(" ")])?;
        tx.prepare_cached(
            "INSERT INTO days VALUES (?1, ?2, ?2 | ?3) ON CONFLICT DO UPDATE
             SET first_id = min(first_id, ?2), last_id = max(last_id, ?2 | ?3) WHERE ?2 NOT BETWEEN first_id AND last_id",
        )?
        .execute(params![self.created_at.0.div_euclid(DAY), self.id, DAY_STEP])?;
        Ok(())
    }

    /// Removes the terms from the index pages: `secure-delete` is on, so that none stays readable there. FTS5 must be
    /// given exactly the terms that were added.
    fn remove(&self, tx: &Connection) -> Result<(), StoreError> {
        tx.prepare_cached("INSERT INTO words (words, rowid, list) VALUES ('delete', ?1, ?2)")?
            .execute(params![self.id, self.words.join(" ")])?;
        Ok(())
    }
}

/// Adds a message just before COMMIT.
pub(super) fn defer_add(tx: &Tx<'_>, indexed: Indexed) {
    tx.defer(move |tx| indexed.add(tx));
}

/// Replaces the terms of a message by its current ones, just before COMMIT.
pub(super) fn defer_change(tx: &Tx<'_>, before: Indexed, message: &Message) {
    let gone = message.deleted_at.is_some();
    let indexed = (!gone).then(|| Indexed::of(message));
    tx.defer(move |tx| {
        before.remove(tx)?;
        indexed.map_or(Ok(()), |indexed| indexed.add(tx))
    });
}

/// Removes the terms of the first `limit` messages of a room up to `through`, which are about to be removed.
pub(super) fn remove_oldest(
    tx: &Connection,
    room: RoomId,
    through: MessageId,
    limit: u32,
) -> Result<(), StoreError> {
    let sql = format!(
        "{STORED} AND m.id IN (SELECT id FROM messages WHERE room_id = ?1 AND id <= ?2 ORDER BY id LIMIT ?3)"
    );
    let mut find = tx.prepare_cached(&sql)?;
    let mut rows = find.query(params![room, through, limit])?;
    while let Some(row) = rows.next()? {
        from_row(row)?.remove(tx)?;
    }
    Ok(())
}

/// Returns the term that all messages of a room have.
pub(super) fn of_room(room: RoomId) -> String {
    format!("§r{room}")
}

/// Returns the term that all messages of a sender have.
pub(super) fn of_sender(sender: UserId) -> String {
    format!("§u{sender}")
}

/// Term that all messages with files have.
pub(super) const WITH_FILE: &str = "§f";

/// Adds the terms of a text that follows `before`, each once; returns its last token. No token contains a sign such as
/// `§`, so terms that begin with one cannot be confused with tokens.
fn extend_with(words: &mut Vec<String>, before: Option<Piece>, text: &str) -> Option<Piece> {
    let mut last = before;
    for piece in pieces(text) {
        words.extend(last.and_then(|last| side_by_side(&last, &piece)));
        if piece.kind == PieceKind::Word {
            words.extend(beginning(&piece.text));
        }
        words.push(piece.text.clone());
        last = Some(piece);
    }
    words.sort_unstable();
    words.dedup();
    last
}

/// Returns the term for all words with the same first [`Term::OPEN_MIN`] characters: expanding a prefix to all its
/// words would take long where they are many.
fn beginning(word: &str) -> Option<String> {
    let (last, c) = word.char_indices().nth(Term::OPEN_MIN - 1)?;
    Some(format!("¶{}", &word[..last + c.len_utf8()]))
}

/// Returns the term for two adjacent tokens, so that few candidates are examined for a phrase of common words. In
/// scripts without spaces it is the two characters, elsewhere one of 32,768 hash values: there are too many pairs of
/// words to keep them all.
fn side_by_side(one: &Piece, next: &Piece) -> Option<String> {
    if one.kind != PieceKind::Dense || next.kind != PieceKind::Dense {
        return Some(sign_of(&one.text, &next.text));
    }
    next.glued.then(|| format!("{}{}", one.text, next.text))
}

fn sign_of(one: &str, next: &str) -> String {
    // FNV-1a: the hash is part of the file and must not change with the library that computes it.
    let bytes = one.bytes().chain([0xff]).chain(next.bytes());
    let hash = bytes.fold(0x811c_9dc5_u32, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    });
    let hash = (hash >> 16) ^ hash;
    let mut sign = String::from("±");
    for shift in [0, 5, 10] {
        sign.push(char::from(
            b"abcdefghijklmnopqrstuvwxyz012345"[(hash >> shift & 31) as usize],
        ));
    }
    sign
}

/// Returns the terms that a message must have in the index if `term` may be in its text, as FTS5 query strings. Words
/// consist of letters and digits only, so nothing in them has a meaning in a query.
///
/// For the last word of an open term this is the term for its beginning, which all messages with a matching word have.
/// A query for the whole word collects all words with that prefix first, which pays off where they are few: see
/// [`asked_whole`].
pub(super) fn asked(term: &Term) -> Vec<String> {
    let mut all = Vec::new();
    for (i, piece) in term.pieces.iter().enumerate() {
        let next = term.pieces.get(i + 1);
        let is_open = |place: usize| {
            term.open && place + 1 == term.pieces.len() && piece.kind == PieceKind::Word
        };
        let goes_on = term.open && i + 2 == term.pieces.len();
        let pair = next.and_then(|next| side_by_side(piece, next));
        match piece.kind {
            _ if is_open(i) => all.extend(beginning(&piece.text).map(|word| quote(&word))),
            PieceKind::Dense if is_paired(&term.pieces, i) => {}
            _ => all.push(quote(&piece.text)),
        }
        all.extend(pair.filter(|_| !goes_on).map(|pair| quote(&pair)));
    }
    all
}

/// Whether a queried pair of characters contains this one.
fn is_paired(pieces: &[Piece], i: usize) -> bool {
    let glued = |at: usize| {
        pieces[at].kind == PieceKind::Dense
            && pieces
                .get(at + 1)
                .is_some_and(|next| next.kind == PieceKind::Dense && next.glued)
    };
    glued(i) || i.checked_sub(1).is_some_and(glued)
}

/// Returns a prefix query for the longest open word, if it is longer than the beginning that [`asked`] queries: it is
/// likely the rarest.
pub(super) fn asked_whole(terms: &[Term]) -> Option<String> {
    let open = terms.iter().filter(|term| term.open);
    let words = open.filter_map(|term| term.pieces.last());
    let longest = words.max_by_key(|word| word.text.chars().count())?;
    let is_longer = longest.text.chars().count() > Term::OPEN_MIN;
    is_longer.then(|| format!("{} *", quote(&longest.text)))
}

/// Quotes a word for FTS5.
pub(super) fn quote(word: &str) -> String {
    format!("\"{word}\"")
}

/// Indexed content of stored messages, for [`from_row`]; further conditions may follow.
const STORED: &str = "SELECT m.id, m.room_id, m.sender_id, m.created_at, m.content,
        (SELECT json_group_array(f.name ORDER BY f.position) FROM files f
         WHERE f.message_id = m.id AND f.purpose = 'message' AND f.state = 'ready')
    FROM messages m WHERE m.deleted_at IS NULL";

fn from_row(row: &Row<'_>) -> Result<Indexed, StoreError> {
    let (place, text) = ((row.get(1)?, row.get(2)?), row.get_ref(4)?);
    let text = text.as_str().map_err(rusqlite::Error::from)?;
    let names: String = row.get(5)?;
    let names: Vec<String> = serde_json::from_str(&names).unwrap_or_default();
    let indexed = Indexed::new(row.get(0)?, place, row.get(3)?, text);
    Ok(indexed.with_names(names.iter().map(String::as_str)))
}

/// Rebuilds the whole index, for files of versions that stored other terms.
pub(super) fn rebuild(tx: &Connection) -> Result<(), StoreError> {
    tx.execute_batch(
        "DROP TABLE words;
         CREATE VIRTUAL TABLE words USING fts5 (list, tokenize = 'ascii', content = '', detail = none);
         INSERT INTO words (words, rank) VALUES ('secure-delete', 1);",
    )?;
    let mut all = tx.prepare(&format!("{STORED} ORDER BY m.id"))?;
    let mut rows = all.query([])?;
    while let Some(row) = rows.next()? {
        from_row(row)?.add(tx)?;
    }
    Ok(())
}
