//! The tables `words` and `days`: kept in step with `messages`, in the same transaction. Must not know how anybody asks.

use rusqlite::{Connection, params};

use crate::model::{
    File, Message, MessageId, Millis, Piece, PieceKind, RoomId, Term, UserId, pieces,
};

use super::job::Tx;
use super::{NewMessage, StoreError};

/// Milliseconds of a day.
pub(super) const DAY: i64 = 24 * 3600 * 1000;

/// What the index keeps of a message. Cutting up its text takes longer than anything else, so that is done before the
/// writer's turn.
#[derive(Clone, Debug)]
pub(super) struct Indexed {
    id: MessageId,
    created_at: Millis,
    words: Vec<String>,
}

impl Indexed {
    /// Of a message that may get files.
    pub(super) fn of_new(new: &NewMessage) -> Self {
        let (place, text) = ((new.room_id, new.sender.id), new.draft.content.as_str());
        Self::new(new.id, place, new.created_at, text)
    }

    fn of(message: &Message) -> Self {
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
        extend_with(&mut words, text);
        Self {
            id,
            created_at,
            words,
        }
    }

    /// Also with the names of these.
    pub(super) fn with_files(mut self, files: &[File]) -> Self {
        if !files.is_empty() {
            self.words.push(WITH_FILE.to_owned());
        }
        for file in files {
            extend_with(&mut self.words, &file.name);
        }
        self
    }

    fn add(&self, tx: &Connection) -> Result<(), StoreError> {
        tx.prepare_cached("INSERT INTO words (rowid, list) VALUES (?1, ?2)")?
            .execute(params![self.id, self.words.join(" ")])?;
        tx.prepare_cached(
            "INSERT INTO days VALUES (?1, ?2, ?2) ON CONFLICT DO UPDATE
             SET first_id = min(first_id, ?2), last_id = max(last_id, ?2)",
        )?
        .execute(params![self.created_at.0.div_euclid(DAY), self.id])?;
        Ok(())
    }
}

/// Before COMMIT, adds a message.
pub(super) fn defer_add(tx: &Tx<'_>, indexed: Indexed) {
    tx.defer(move |tx| indexed.add(tx));
}

/// Before COMMIT, puts a message's words as they are now into the place of the old.
pub(super) fn defer_change(tx: &Tx<'_>, message: &Message) {
    let (id, gone) = (message.id, message.deleted_at.is_some());
    let indexed = (!gone).then(|| Indexed::of(message));
    tx.defer(move |tx| {
        tx.prepare_cached("DELETE FROM words WHERE rowid = ?1")?
            .execute([id])?;
        indexed.map_or(Ok(()), |indexed| indexed.add(tx))
    });
}

/// The word that all messages of a room have.
pub(super) fn of_room(room: RoomId) -> String {
    format!("§r{room}")
}

/// The word that all messages of a person have.
pub(super) fn of_sender(sender: UserId) -> String {
    format!("§u{sender}")
}

/// The word that all messages with files have.
pub(super) const WITH_FILE: &str = "§f";

/// Adds what the index keeps of a text, each word once. No word of a text has a sign in it, so those that begin with one
/// cannot be confused with them.
fn extend_with(words: &mut Vec<String>, text: &str) {
    let own = words.len();
    let cut = pieces(text);
    for (piece, next) in cut.iter().zip(cut.iter().skip(1).map(Some).chain([None])) {
        match piece.kind {
            PieceKind::Word => words.extend(beginning(&piece.text)),
            PieceKind::Dense => words.extend(next.and_then(|next| pair(piece, next))),
            PieceKind::Symbol => {}
        }
    }
    words.extend(cut.into_iter().map(|piece| piece.text));
    words[own..].sort_unstable();
    words.dedup();
}

/// Stands for all words that begin so: looking through all of those would take long where they are many.
fn beginning(word: &str) -> Option<String> {
    let (last, c) = word.char_indices().nth(Term::OPEN_MIN - 1)?;
    Some(format!("¶{}", &word[..last + c.len_utf8()]))
}

/// Two characters side by side, in scripts without blanks.
fn pair(one: &Piece, next: &Piece) -> Option<String> {
    let both = next.glued && one.kind == PieceKind::Dense && next.kind == PieceKind::Dense;
    both.then(|| format!("{}{}", one.text, next.text))
}

/// What the index must have of a message so that `term` may be in its text, as queries are written for FTS5. The words are
/// made of letters and digits only: nothing in them means anything to a query.
pub(super) fn asked(term: &Term) -> Vec<String> {
    let mut all = Vec::new();
    for (i, piece) in term.pieces.iter().enumerate() {
        let (before, next) = (i.checked_sub(1), term.pieces.get(i + 1));
        let before = before.and_then(|before| pair(&term.pieces[before], piece));
        let with_next = next.and_then(|next| pair(piece, next));
        match piece.kind {
            PieceKind::Word if term.open && next.is_none() => all.push(open(&piece.text)),
            PieceKind::Dense if with_next.is_some() => {
                all.extend(with_next.map(|pair| quote(&pair)))
            }
            PieceKind::Dense if before.is_some() => {}
            _ => all.push(quote(&piece.text)),
        }
    }
    all
}

fn open(word: &str) -> String {
    match beginning(word) {
        Some(beginning) if beginning.chars().count() == word.chars().count() + 1 => {
            quote(&beginning)
        }
        _ => format!("{} *", quote(word)),
    }
}

/// A word as FTS5 reads it.
pub(super) fn quote(word: &str) -> String {
    format!("\"{word}\"")
}
