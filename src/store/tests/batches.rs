//! Jobs of one transaction: which fail together, and in which order they are answered.

use futures_util::FutureExt;
use tokio::task::unconstrained;

use super::*;

#[tokio::test]
async fn a_failed_job_is_rolled_back_alone() {
    let bench = Bench::new();
    let store = bench.open();
    let gate = Gate::close(&store).await;
    let first = store.append(add(1, "a")).await;
    let twice = store
        .submit(|tx| {
            add(2, "b")(tx)?;
            add(3, "a")(tx)
        })
        .await;
    let last = store.append(add(4, "d")).await;
    gate.open().await;
    assert_eq!(first.await.unwrap(), 1);
    assert_eq!(twice.await.unwrap_err().to_string(), "the name is taken");
    assert_eq!(last.await.unwrap(), 4);
    assert_eq!(names(&store).await, ["a", "d"]);
}

#[tokio::test]
async fn a_panic_fails_only_its_job() {
    let bench = Bench::new();
    let store = bench.open();
    let gate = Gate::close(&store).await;
    let first = store.append(add(1, "a")).await;
    let bad = store
        .submit::<(), _>(|tx| {
            add(2, "b")(tx)?;
            panic!("on purpose")
        })
        .await;
    let last = store.append(add(3, "c")).await;
    gate.open().await;
    first.await.unwrap();
    assert!(matches!(bad.await, Err(StoreError::Internal(_))));
    last.await.unwrap();
    assert_eq!(names(&store).await, ["a", "c"]);
}

/// Leaves space for `pages` more pages in the file, as a disk that fills up does.
async fn leave_room_for(store: &Store, pages: u32) {
    let job = move |tx: &Tx<'_>| {
        let used: u32 = tx.query_row("PRAGMA page_count", [], |row| row.get(0))?;
        let limit = format!("PRAGMA max_page_count = {}", used + pages);
        Ok(tx.query_row(&limit, [], |_| Ok(()))?)
    };
    store.write(job).await.unwrap();
}

#[tokio::test]
async fn a_full_disk_fails_the_whole_batch_and_the_store_recovers() {
    let bench = Bench::new();
    let store = bench.open();
    store.write(add(1, "before")).await.unwrap();
    leave_room_for(&store, 4).await;
    let gate = Gate::close(&store).await;
    let small = store.append(add(2, "small")).await;
    let big = store.append(add(3, "x".repeat(100_000))).await;
    let (ran, never) = oneshot::channel();
    let later = store
        .append(move |_| {
            let _ = ran.send(());
            Ok(())
        })
        .await;
    gate.open().await;
    assert!(matches!(small.await, Err(StoreError::Full)));
    assert!(matches!(big.await, Err(StoreError::Full)));
    assert!(matches!(later.await, Err(StoreError::Full)));
    assert!(
        never.await.is_err(),
        "a job ran after the transaction ended"
    );
    assert_eq!(names(&store).await, ["before"]);

    store.write(add(4, "fits")).await.unwrap();
    leave_room_for(&store, 1000).await;
    store.write(add(5, "x".repeat(100_000))).await.unwrap();
    assert_eq!(names(&store).await.len(), 3);
}

#[tokio::test]
async fn a_full_disk_in_a_savepoint_acknowledges_exactly_the_stored_jobs() {
    let bench = Bench::new();
    let store = bench.open();
    leave_room_for(&store, 4).await;
    let gate = Gate::close(&store).await;
    let mut tickets = Vec::new();
    for id in 1..=40 {
        tickets.push(
            store
                .submit(add(id, format!("{id}{}", "x".repeat(900))))
                .await,
        );
    }
    gate.open().await;
    let mut stored = 0;
    for ticket in tickets {
        match ticket.await {
            Ok(_) => stored += 1,
            Err(e) => assert!(matches!(e, StoreError::Full), "{e}"),
        }
    }
    assert_eq!(names(&store).await.len(), stored);
    assert!(stored < 40);
}

#[tokio::test]
async fn a_failed_commit_fails_the_whole_batch_and_the_next_succeeds() {
    let bench = Bench::new();
    let store = bench.open();
    let gate = Gate::close(&store).await;
    let good = store.append(add(1, "a")).await;
    let dangling = store
        .append(|tx| Ok(tx.execute("INSERT INTO parts (thing) VALUES (99)", [])?))
        .await;
    gate.open().await;
    assert!(matches!(good.await, Err(StoreError::Sqlite(_))));
    assert!(dangling.await.is_err());
    store.write(add(2, "b")).await.unwrap();
    assert_eq!(names(&store).await, ["b"]);
}

#[tokio::test]
async fn a_single_statement_job_that_fails_later_is_rolled_back() {
    let bench = Bench::new();
    let store = bench.open();
    let late = |tx: &Tx<'_>| add(1, "a")(tx).and(Err::<(), _>(StoreError::Timeout));
    assert!(store.append(late).await.await.is_err());
    let panicking = store.append::<(), _>(|tx| {
        add(2, "b")(tx)?;
        panic!("on purpose")
    });
    assert!(panicking.await.await.is_err());
    assert!(names(&store).await.is_empty());
    store.write(add(3, "c")).await.unwrap();
}

#[tokio::test]
async fn a_job_cannot_end_the_transaction_of_the_others() {
    let bench = Bench::new();
    let store = bench.open();
    let ended = store.write(|tx| Ok(tx.execute_batch("ROLLBACK")?)).await;
    assert!(matches!(ended, Err(StoreError::Internal(_))));
    store.write(add(1, "a")).await.unwrap();
}

#[tokio::test]
async fn deferred_work_runs_once_after_all_jobs_for_the_successful_ones() {
    let bench = Bench::new();
    let store = bench.open();
    let derive = |id: i64, name: &'static str| {
        move |tx: &Tx<'_>| {
            tx.defer(move |tx| {
                let things: i64 = tx.query_row("SELECT count(*) FROM things", [], |r| r.get(0))?;
                let derived = format!("{name} of {things}");
                tx.execute("INSERT INTO things VALUES (?1, ?2)", (id + 100, derived))?;
                Ok(())
            });
            add(id, name)(tx)
        }
    };
    let gate = Gate::close(&store).await;
    let tickets = [
        store.append(derive(1, "a")).await,
        store.append(derive(2, "a")).await,
        store.submit(derive(3, "c")).await,
    ];
    gate.open().await;
    for (ticket, good) in tickets.into_iter().zip([true, false, true]) {
        assert_eq!(ticket.await.is_ok(), good);
    }
    assert_eq!(names(&store).await, ["a", "c", "a of 2", "c of 3"]);
}

#[tokio::test]
async fn failing_or_panicking_deferred_work_fails_its_jobs() {
    let bench = Bench::new();
    let store = bench.open();
    let failing = |tx: &Tx<'_>| {
        tx.defer(|_| Err(StoreError::Timeout));
        add(1, "a")(tx)
    };
    assert!(matches!(
        store.write(failing).await,
        Err(StoreError::Timeout)
    ));
    let panicking = |tx: &Tx<'_>| {
        tx.defer(|_| panic!("on purpose"));
        add(1, "a")(tx)
    };
    assert!(matches!(
        store.write(panicking).await,
        Err(StoreError::Internal(_))
    ));
    assert!(names(&store).await.is_empty());
}

#[tokio::test]
async fn results_are_returned_in_queue_order() {
    let bench = Bench::new();
    let store = bench.open();
    let gate = Gate::close(&store).await;
    let mut tickets = Vec::new();
    for id in 1..=2500 {
        tickets.push(store.append(add(id, id.to_string())).await);
    }
    gate.open().await;
    // More than two transactions: when one job is answered, all before it are.
    while let Some(last) = tickets.pop() {
        last.await.unwrap();
        let before = tickets.split_off(tickets.len().saturating_sub(99));
        for ticket in before {
            unconstrained(ticket).now_or_never().unwrap().unwrap();
        }
    }
}

#[tokio::test]
async fn submitting_waits_for_a_full_queue() {
    let bench = Bench::new();
    let store = bench.open();
    let gate = Gate::close(&store).await;
    let mut tickets = Vec::new();
    for id in 1..=i64::try_from(writer::QUEUE).unwrap() {
        tickets.push(store.append(add(id, id.to_string())).await);
    }
    let waiting = store.submit(add(5000, "waits"));
    let mut waiting = std::pin::pin!(waiting);
    assert!(timeout(Duration::ZERO, &mut waiting).await.is_err());
    gate.open().await;
    assert_eq!(waiting.await.await.unwrap(), 5000);
    for ticket in tickets {
        ticket.await.unwrap();
    }
}

#[tokio::test]
async fn closing_finishes_queued_jobs_and_refuses_new_ones() {
    let bench = Bench::new();
    let store = bench.open();
    let gate = Gate::close(&store).await;
    let queued = store.append(add(1, "a")).await;
    let closing = tokio::spawn({
        let store = store.clone();
        async move { store.close().await }
    });
    gate.open().await;
    assert_eq!(queued.await.unwrap(), 1);
    closing.await.unwrap();
    assert!(matches!(
        store.append(add(2, "b")).await.await,
        Err(StoreError::Closed)
    ));
    assert_eq!(names(&bench.open()).await, ["a"]);
}
