//! Reads a WAL up to its last commit, without SQLite. See "The WAL File Format" in the documentation of SQLite's file
//! format. Must not depend on the tables.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::path::Path;

/// Length of the WAL's header in bytes.
pub(super) const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// Summary of a WAL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Log {
    /// Distinguishes this WAL from earlier ones in the same file.
    pub(super) salt: u64,
    /// Committed frames, 0 if there are none; a page counts each time it changed.
    pub(super) frames: u64,
    /// Size of the database in bytes after a full checkpoint; 0 if nothing is committed.
    pub(super) database_size: u64,
    /// Bytes that follow the mark in a committed page, if it was found.
    pub(super) marked: Option<Vec<u8>>,
}

/// Reads the WAL at `path`; `None` if there is none that SQLite would use. `mark` turns the salt into bytes to search
/// for; if a page contains them, the `after` bytes that follow are kept.
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

/// Returns the salt in a WAL header.
pub(super) fn salt_of(header: &[u8; HEADER]) -> u64 {
    u64::from(number(&header[16..20])) << 32 | u64::from(number(&header[20..24]))
}

/// SQLite's checksum, which is cumulative over all frames.
struct Sums {
    big_endian: bool,
    sums: (u32, u32),
}

impl Sums {
    /// Returns the checksum after the header, and the page size; `None` if the header is invalid.
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

    /// Adds one frame; returns whether it is valid.
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

/// Fills `buffer`; returns `false` if the file ends before.
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
    fn committed_frames_are_read_and_torn_ones_are_not() {
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
        // With one byte changed, the last frame counts as never written.
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
