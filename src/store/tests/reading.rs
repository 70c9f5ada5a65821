//! Guarantees of reads: a snapshot, a time limit, and nothing left of a dropped caller.

use futures_util::FutureExt;

use super::*;

const ENDLESS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

fn endless(conn: &Connection) -> Result<i64, StoreError> {
    Ok(conn.query_row(ENDLESS, [], |row| row.get(0))?)
}

#[tokio::test]
async fn an_endless_query_is_interrupted_and_its_connection_reused() {
    let bench = Bench::new();
    let store = bench.open();
    let readers =
        Readers::open(&bench.path(), Duration::from_millis(20), Health::default()).unwrap();
    for _ in 0..8 {
        let result = timeout(DEADLINE, readers.read(endless)).await.unwrap();
        assert!(matches!(result, Err(StoreError::Timeout)));
    }
    assert!(names(&store).await.is_empty());
}

#[tokio::test]
async fn the_query_of_a_dropped_caller_is_interrupted() {
    let bench = Bench::new();
    bench.open();
    let readers = Arc::new(Readers::open(&bench.path(), DEADLINE * 10, Health::default()).unwrap());
    let (entered, inside) = oneshot::channel();
    let caller = tokio::spawn({
        let readers = Arc::clone(&readers);
        async move {
            let query = |conn: &Connection| {
                let _ = entered.send(());
                endless(conn)
            };
            readers.read(query).await
        }
    });
    inside.await.unwrap();
    caller.abort();
    // Returns only when the query has ended.
    timeout(DEADLINE, readers.close()).await.unwrap();
}

#[tokio::test]
async fn the_reads_of_one_account_leave_connections_for_others() {
    let bench = Bench::new();
    let store = bench.open();
    let greedy = store.on_behalf_of(UserId(1));
    let release = Arc::new(std::sync::Barrier::new(4));
    let mut reading = Vec::new();
    for _ in 0..3 {
        let (entered, inside) = oneshot::channel();
        let (store, release) = (greedy.clone(), release.clone());
        reading.push(tokio::spawn(async move {
            let query = move |_: &Connection| {
                let _ = entered.send(());
                release.wait();
                Ok(())
            };
            store.read(query).await
        }));
        inside.await.unwrap();
    }
    // Further reads wait for these, although there are connections left.
    let more: Vec<_> = (0..50)
        .map(|_| greedy.read(|_| Ok(())))
        .map(Box::pin)
        .collect();
    let mut more = futures_util::future::join_all(more);
    assert!((&mut more).now_or_never().is_none());
    for user in [2, 3, 4] {
        let other = store.on_behalf_of(UserId(user));
        timeout(DEADLINE, other.read(|_| Ok(())))
            .await
            .unwrap()
            .unwrap();
    }
    assert!((&mut more).now_or_never().is_none());
    release.wait();
    for one in reading {
        one.await.unwrap().unwrap();
    }
    assert!(more.await.into_iter().all(|read| read.is_ok()));
}

#[tokio::test]
async fn a_query_sees_one_snapshot_and_cannot_write() {
    let bench = Bench::new();
    let store = bench.open();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let (entered, inside) = oneshot::channel();
    let reading = tokio::spawn({
        let store = store.clone();
        async move {
            let query = move |conn: &Connection| {
                let count = || conn.query_row("SELECT count(*) FROM things", [], |row| row.get(0));
                let before: i64 = count()?;
                let _ = entered.send(());
                let _ = wait.recv();
                assert!(conn.execute("DELETE FROM things", []).is_err());
                Ok((before, count()?))
            };
            store.read(query).await
        }
    });
    inside.await.unwrap();
    store.write(add(1, "a")).await.unwrap();
    go_on.send(()).unwrap();
    assert_eq!(reading.await.unwrap().unwrap(), (0, 0));
    assert_eq!(names(&store).await, ["a"]);
}

#[tokio::test]
async fn a_panic_fails_only_its_query() {
    let bench = Bench::new();
    let store = bench.open();
    for _ in 0..8 {
        let result = store.read::<(), _>(|_| panic!("on purpose")).await;
        assert!(matches!(result, Err(StoreError::Internal(_))));
    }
    store.ready().await.unwrap();
}

#[tokio::test]
async fn more_readers_than_connections_take_turns() {
    let bench = Bench::new();
    let store = bench.open();
    let reads: Vec<_> = (0..64)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move { names(&store).await })
        })
        .collect();
    for read in reads {
        assert!(read.await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn releasing_caches_does_not_wait_for_a_read() {
    let bench = Bench::new();
    let store = bench.open();
    let (entered, inside) = oneshot::channel();
    let (end, ended) = std::sync::mpsc::channel::<()>();
    let reading = tokio::spawn({
        let store = store.clone();
        async move {
            let query = move |_: &Connection| {
                let _ = entered.send(());
                let _ = ended.recv();
                Ok(())
            };
            store.read(query).await
        }
    });
    inside.await.unwrap();
    timeout(DEADLINE, store.release_memory()).await.unwrap();
    drop(end);
    reading.await.unwrap().unwrap();
    store.release_memory().await;
    // All connections are in the pool again.
    let reads = (0..8).map(|_| Box::pin(store.read(|_| Ok(()))));
    let reads = futures_util::future::join_all(reads).await;
    assert!(reads.into_iter().all(|read| read.is_ok()));
}
