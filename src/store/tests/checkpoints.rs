//! How the log gets into the database.

use std::io::Read;

use super::*;

/// How often the log of `bench` has begun anew: SQLite's file format, "The WAL header".
fn beginnings(bench: &Bench) -> u32 {
    let mut log = std::fs::File::open(paths::beside(&bench.path(), "-wal")).unwrap();
    let mut header = [0; 16];
    log.read_exact(&mut header).unwrap();
    u32::from_be_bytes(header[12..].try_into().unwrap())
}

#[tokio::test]
async fn the_log_begins_anew_while_the_writer_goes_on_and_nothing_is_lost() {
    let bench = Bench::new();
    let store = bench.open();
    let mut written = Vec::new();
    let writing = async {
        let first = loop {
            let id = written.len() as i64 + 1;
            let name = format!("{id} {}", "x".repeat(1024 * 1024));
            store.append(add(id, &name)).await.await.unwrap();
            written.push(name);
            match beginnings(&bench) {
                0 => {}
                first => break first,
            }
        };
        assert_eq!(first, 1);
    };
    timeout(DEADLINE, writing).await.unwrap();
    let crashed = Bench::new();
    crashed.take_files_of(&bench);
    assert_eq!(names(&crashed.open()).await, written);
}
