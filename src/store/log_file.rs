//! Reads the log that SQLite keeps beside a database, without SQLite: what is in it up to the last commit. See "The
//! WAL File Format" in SQLite's file format. Must not know tables.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Length of the log's header, and of each frame's.
pub(super) const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    /// Tells this log from those before it in the same file.
    pub(super) salt: u64,
    /// Pages that are committed in it, each as often as it changed; 0 if nothing is.
    pub(super) frames: u64,
    /// Bytes that the database has once the log is moved into it; 0 if nothing is committed.
    pub(super) database_size: u64,
    /// What follows the mark in a committed page, where it was found.
    pub(super) marked: Option<Vec<u8>>,
}

/// Reads the log at `path`; `None` if there is none that SQLite would look at. Where a page holds what `mark` makes of
/// the salt, the `after` bytes that follow are kept.
pub(super) fn read(
    path: &Path,
    mark: impl Fn(u64) -> Vec<u8>,
    after: usize,
) -> io::Result<Option<Log>> {
    let mut file = match File::open(path) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => BufReader::with_capacity(1 << 20, opened?),
    };
    let mut header = [0; HEADER];
    if !fill(&mut file, &mut header)? {
        return Ok(None);
    }
    let Some((mut sums, page_size)) = Sums::of_header(&header) else {
        return Ok(None);
    };
    let mut log = Log {
        salt: salt_of(&header),
        frames: 0,
        database_size: 0,
        marked: None,
    };
    let mark = mark(log.salt);
    let (mut frames, mut found) = (0, None);
    let mut head = [0; FRAME_HEADER];
    let mut page = vec![0; page_size];
    while fill(&mut file, &mut head)? && fill(&mut file, &mut page)? {
        if head[8..16] != header[16..24] || !sums.go_on(&head, &page) {
            break;
        }
        frames += 1;
        if found.is_none() && log.marked.is_none() {
            found = after_mark(&page, &mark, after);
        }
        let pages = number(&head[4..8]);
        if pages > 0 {
            log.frames = frames;
            log.database_size = u64::from(pages) * page_size as u64;
            log.marked = log.marked.or_else(|| found.take());
        }
    }
    Ok(Some(log))
}

/// The salt in a log's header.
pub(super) fn salt_of(header: &[u8; HEADER]) -> u64 {
    u64::from(number(&header[16..20])) << 32 | u64::from(number(&header[20..24]))
}

/// SQLite's checksum, which goes on from frame to frame.
struct Sums {
    big_endian: bool,
    sums: (u32, u32),
}

impl Sums {
    /// After the header, with the size of a page; `None` if the header is not sound.
    fn of_header(header: &[u8; HEADER]) -> Option<(Self, usize)> {
        let big_endian = match number(&header[..4]) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return None,
        };
        let mut sums = Self {
            big_endian,
            sums: (0, 0),
        };
        sums.add(&header[..24]);
        let page_size = number(&header[8..12]);
        let sound = number(&header[4..8]) == 3_007_000
            && (512..=65_536).contains(&page_size)
            && page_size.is_power_of_two()
            && sums.is(&header[24..]);
        sound.then_some((sums, page_size as usize))
    }

    /// Goes over one frame; says whether it is sound.
    fn go_on(&mut self, head: &[u8; FRAME_HEADER], page: &[u8]) -> bool {
        self.add(&head[..8]);
        self.add(page);
        number(&head[..4]) > 0 && self.is(&head[16..])
    }

    fn add(&mut self, bytes: &[u8]) {
        let (mut a, mut b) = self.sums;
        for pair in bytes.chunks_exact(8) {
            let (mut x, mut y) = (number(&pair[..4]), number(&pair[4..]));
            if !self.big_endian {
                (x, y) = (x.swap_bytes(), y.swap_bytes());
            }
            a = a.wrapping_add(x).wrapping_add(b);
            b = b.wrapping_add(y).wrapping_add(a);
        }
        self.sums = (a, b);
    }

    fn is(&self, stored: &[u8]) -> bool {
        self.sums == (number(&stored[..4]), number(&stored[4..8]))
    }
}

fn number(bytes: &[u8]) -> u32 {
    bytes
        .iter()
        .fold(0, |all, byte| all << 8 | u32::from(*byte))
}

/// Whether so many bytes were there.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<bool> {
    match file.read_exact(buffer) {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| true),
    }
}

fn after_mark(page: &[u8], mark: &[u8], after: usize) -> Option<Vec<u8>> {
    if mark.is_empty() {
        return None;
    }
    let at = page.windows(mark.len()).position(|window| window == mark)?;
    let begin = at + mark.len();
    Some(page.get(begin..begin + after)?.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rusqlite::Connection;

    #[test]
    fn what_is_committed_is_read_and_what_is_torn_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let db = dir.path().join("chat.db");
        let conn = Connection::open(&db).unwrap();
        conn.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a)")
            .unwrap();
        let path = dir.path().join("chat.db-wal");
        let read = |path: &Path| read(path, |_| b"needle ".to_vec(), 3).unwrap().unwrap();
        let before = read(&path);
        assert_eq!((before.frames, before.database_size), (2, 8192));
        assert_eq!(before.marked, None);
        conn.execute("INSERT INTO t VALUES ('needle abcdef')", [])
            .unwrap();
        let log = read(&path);
        assert_eq!((log.salt, log.frames), (before.salt, 3));
        assert_eq!(log.marked.as_deref(), Some(&b"abc"[..]));
        // One byte of the last frame changed: as if it had never been written.
        let mut torn = std::fs::read(&path).unwrap();
        torn[HEADER + 2 * (FRAME_HEADER + 4096) + 1000] ^= 1;
        let copy = dir.path().join("torn");
        std::fs::write(&copy, torn).unwrap();
        assert_eq!(
            self::read(&copy, |_| b"needle ".to_vec(), 3).unwrap(),
            Some(before)
        );
    }
}
