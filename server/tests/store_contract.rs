//! What every engine must do, asked of each in turn.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]

#[path = "store_contract/fixture.rs"]
mod fixture;

use fixture::{accounts, assert_rows, fresh, key, keys, open, put, row, write};
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use claviger::store::{
    self, Batch, Expected, Key, Kind, Row, Settings, StepKind, Store, StoreError, Table,
};
use tempfile::TempDir;

macro_rules! contract {
    ($($fact:ident)*) => {
        mod redb {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $fact() {
                    super::$fact(claviger::store::Kind::Redb).await;
                }
            )*
        }
        mod sled {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $fact() {
                    super::$fact(claviger::store::Kind::Sled).await;
                }
            )*
        }
    };
}

contract! {
    what_is_written_is_read
    what_is_not_there_is_none
    a_row_is_replaced_and_deleted
    rows_of_every_size_come_back
    a_scan_is_in_key_order_and_within_its_prefix
    a_scan_goes_on_after_a_key
    a_scan_keeps_to_its_limit
    pages_put_together_are_the_whole
    absent_means_absent
    a_version_must_be_the_one_that_is_there
    any_means_any
    a_batch_that_conflicts_leaves_no_trace
    a_kept_row_is_depended_on_and_stays
    a_batch_names_no_row_twice
    a_batch_has_a_largest_size
    an_empty_batch_is_written
    one_of_a_thousand_wins
    waiting_batches_are_answered_one_by_one
    batches_in_a_row_see_each_other
    everything_is_there_after_a_restart
    a_caller_that_goes_away_leaves_all_or_nothing
    a_second_process_is_refused
    the_other_engine_s_data_are_refused
    data_that_others_may_read_are_refused
    a_snapshot_is_of_one_moment
    a_status_counts
}

async fn what_is_written_is_read(kind: Kind) {
    let (_home, store) = fresh(kind);

    put(&*store, key(1), Expected::Absent, 1, b"one")
        .await
        .unwrap();

    assert_eq!(store.get(&key(1)).await.unwrap(), Some(row(1, 1, b"one")));
}

async fn what_is_not_there_is_none(kind: Kind) {
    let (_home, store) = fresh(kind);

    assert_eq!(store.get(&key(1)).await.unwrap(), None);
    assert_eq!(store.scan(&accounts(), None, 10).await.unwrap(), []);
}

async fn a_row_is_replaced_and_deleted(kind: Kind) {
    let (_home, store) = fresh(kind);
    put(&*store, key(1), Expected::Absent, 1, b"one")
        .await
        .unwrap();

    put(&*store, key(1), Expected::Version(1), 2, b"two")
        .await
        .unwrap();
    assert_eq!(store.get(&key(1)).await.unwrap(), Some(row(1, 2, b"two")));

    let mut batch = Batch::default();
    batch.push(key(1), Expected::Version(2), StepKind::Delete);
    store.commit(batch).await.unwrap();
    assert_eq!(store.get(&key(1)).await.unwrap(), None);
}

async fn rows_of_every_size_come_back(kind: Kind) {
    let (home, store) = fresh(kind);
    let sizes = [0, 1, 300, 1024, 4096, 4097, 16 << 10, 64 << 10];
    let bytes = |size: usize| (0..size).map(|i| (i % 251) as u8).collect::<Vec<u8>>();
    for (number, size) in (0..).zip(sizes) {
        put(&*store, key(number), Expected::Absent, 1, &bytes(size))
            .await
            .unwrap();
    }
    drop(store);

    let store = open(kind, &home);

    for (number, size) in (0..).zip(sizes) {
        let found = store.get(&key(number)).await.unwrap();
        assert_eq!(found, Some(row(number, 1, &bytes(size))));
    }
}

async fn a_scan_is_in_key_order_and_within_its_prefix(kind: Kind) {
    let (_home, store) = fresh(kind);
    let elsewhere = [
        Key::table(Table::Resource),
        Key::table(Table::AccountByName),
    ];
    for key in [key(300), key(2), key(1), key(255)]
        .into_iter()
        .chain(elsewhere.clone())
    {
        put(&*store, key, Expected::Absent, 1, b"").await.unwrap();
    }
    put(
        &*store,
        accounts().number(2).number(7),
        Expected::Absent,
        1,
        b"",
    )
    .await
    .unwrap();

    let all = keys(&store.scan(&accounts(), None, 100).await.unwrap());
    let two = keys(&store.scan(&key(2), None, 100).await.unwrap());
    let none = keys(&store.scan(&key(3), None, 100).await.unwrap());

    assert_eq!(all, [key(1), key(2), key(2).number(7), key(255), key(300)]);
    assert_eq!(two, [key(2), key(2).number(7)]);
    assert_eq!(none, []);
}

async fn a_scan_goes_on_after_a_key(kind: Kind) {
    let (_home, store) = fresh(kind);
    for number in [1, 3, 5] {
        put(&*store, key(number), Expected::Absent, 1, b"")
            .await
            .unwrap();
    }
    put(
        &*store,
        Key::table(Table::AccountByName),
        Expected::Absent,
        1,
        b"",
    )
    .await
    .unwrap();

    for (after, left) in [
        (key(0), vec![key(1), key(3), key(5)]),
        (key(1), vec![key(3), key(5)]),
        (key(2), vec![key(3), key(5)]),
        (key(5), vec![]),
        (key(9), vec![]),
        // Before and beyond the prefix.
        (Key::table(Table::Meta), vec![key(1), key(3), key(5)]),
        (Key::table(Table::Secret), vec![]),
    ] {
        let found = store.scan(&accounts(), Some(&after), 100).await.unwrap();

        assert_eq!(keys(&found), left, "{after:?}");
    }
}

async fn a_scan_keeps_to_its_limit(kind: Kind) {
    let (_home, store) = fresh(kind);
    for number in 0..5 {
        put(&*store, key(number), Expected::Absent, 1, b"")
            .await
            .unwrap();
    }

    for (limit, found) in [(0, 0), (1, 1), (4, 4), (5, 5), (6, 5), (usize::MAX, 5)] {
        assert_eq!(
            store.scan(&accounts(), None, limit).await.unwrap().len(),
            found
        );
    }
}

async fn pages_put_together_are_the_whole(kind: Kind) {
    let (_home, store) = fresh(kind);
    let mut batch = Batch::default();
    (0..100).for_each(|number| batch.push(key(number), Expected::Absent, write(1, b"")));
    store.commit(batch).await.unwrap();

    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = store.scan(&accounts(), after.as_ref(), 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(last.key.clone());
        pages.extend(keys(&page));
    }

    assert_eq!(pages, (0..100).map(key).collect::<Vec<_>>());
}

async fn absent_means_absent(kind: Kind) {
    let (_home, store) = fresh(kind);
    put(&*store, key(1), Expected::Absent, 1, b"one")
        .await
        .unwrap();

    let refused = put(&*store, key(1), Expected::Absent, 1, b"two").await;

    assert!(matches!(refused, Err(StoreError::Conflict)));
    assert_eq!(store.get(&key(1)).await.unwrap(), Some(row(1, 1, b"one")));
}

async fn a_version_must_be_the_one_that_is_there(kind: Kind) {
    let (_home, store) = fresh(kind);
    put(&*store, key(1), Expected::Absent, 2, b"one")
        .await
        .unwrap();

    for (number, version) in [(1, 1), (1, 3), (1, 0), (2, 1), (2, 0)] {
        let refused = put(&*store, key(number), Expected::Version(version), 9, b"two").await;

        assert!(
            matches!(refused, Err(StoreError::Conflict)),
            "{number} {version}"
        );
    }
    assert_eq!(store.get(&key(1)).await.unwrap(), Some(row(1, 2, b"one")));
    assert_eq!(store.get(&key(2)).await.unwrap(), None);
}

async fn any_means_any(kind: Kind) {
    let (_home, store) = fresh(kind);

    put(&*store, key(1), Expected::Any, 1, b"one")
        .await
        .unwrap();
    put(&*store, key(1), Expected::Any, 1, b"two")
        .await
        .unwrap();
    let mut batch = Batch::default();
    batch.push(key(2), Expected::Any, StepKind::Delete);
    store.commit(batch).await.unwrap();

    assert_eq!(store.get(&key(1)).await.unwrap(), Some(row(1, 1, b"two")));
}

async fn a_batch_that_conflicts_leaves_no_trace(kind: Kind) {
    let (_home, store) = fresh(kind);
    put(&*store, key(1), Expected::Absent, 1, b"one")
        .await
        .unwrap();
    put(&*store, key(3), Expected::Absent, 1, b"three")
        .await
        .unwrap();
    let mut batch = Batch::default();
    batch.push(key(1), Expected::Version(1), write(2, b"changed"));
    batch.push(key(2), Expected::Absent, write(1, b"new"));
    batch.push(key(3), Expected::Version(1), StepKind::Delete);
    batch.push(
        key(4),
        Expected::Version(1),
        write(2, b"the one that does not hold"),
    );

    let refused = store.commit(batch).await;

    assert!(matches!(refused, Err(StoreError::Conflict)));
    let left = store.scan(&accounts(), None, 10).await.unwrap();
    assert_eq!(left, [row(1, 1, b"one"), row(3, 1, b"three")]);
}

async fn a_kept_row_is_depended_on_and_stays(kind: Kind) {
    let (_home, store) = fresh(kind);
    put(&*store, key(1), Expected::Absent, 5, b"one")
        .await
        .unwrap();

    for (expected, holds) in [
        (Expected::Version(5), true),
        (Expected::Any, true),
        (Expected::Version(4), false),
        (Expected::Absent, false),
    ] {
        for change in [None, Some(key(2))] {
            let mut batch = Batch::default();
            batch.push(key(1), expected, StepKind::Keep);
            if let Some(key) = change {
                batch.push(key, Expected::Any, write(1, b"two"));
            }

            let answer = store.commit(batch).await;

            assert_eq!(answer.is_ok(), holds, "{expected:?}");
            assert!(matches!(answer, Ok(()) | Err(StoreError::Conflict)));
        }
    }
    assert_eq!(store.get(&key(1)).await.unwrap(), Some(row(1, 5, b"one")));
}

async fn a_batch_names_no_row_twice(kind: Kind) {
    let (_home, store) = fresh(kind);
    let mut batch = Batch::default();
    batch.push(key(1), Expected::Absent, write(1, b"one"));
    batch.push(key(2), Expected::Absent, write(1, b"two"));
    batch.push(key(1), Expected::Any, StepKind::Keep);

    let refused = store.commit(batch).await;

    assert!(matches!(refused, Err(StoreError::Twice)));
    assert_eq!(store.scan(&accounts(), None, 10).await.unwrap(), []);
}

async fn a_batch_has_a_largest_size(kind: Kind) {
    let (_home, store) = fresh(kind);
    let most = store.most_steps();
    let batch = |steps: usize| {
        let mut batch = Batch::default();
        (0..steps as u64).for_each(|n| batch.push(key(n), Expected::Any, write(1, b"")));
        batch
    };

    store.commit(batch(most)).await.unwrap();

    let refused = store.commit(batch(most + 1)).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { most: told }) if told == most));
    assert_eq!(
        store
            .scan(&accounts(), None, usize::MAX)
            .await
            .unwrap()
            .len(),
        most
    );
}

async fn an_empty_batch_is_written(kind: Kind) {
    let (_home, store) = fresh(kind);

    store.commit(Batch::default()).await.unwrap();
}

async fn one_of_a_thousand_wins(kind: Kind) {
    let (_home, store) = fresh(kind);
    put(&*store, key(1), Expected::Absent, 1, b"start")
        .await
        .unwrap();

    let tasks: Vec<_> = (0..1000_u64)
        .map(|task| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                put(
                    &*store,
                    key(1),
                    Expected::Version(1),
                    2,
                    &task.to_be_bytes(),
                )
                .await
            })
        })
        .collect();
    let mut winners = Vec::new();
    for (task, answer) in (0_u64..).zip(tasks) {
        match answer.await.unwrap() {
            Ok(()) => winners.push(task),
            Err(error) => assert!(matches!(error, StoreError::Conflict), "{error}"),
        }
    }

    assert_eq!(winners.len(), 1);
    let left = store.get(&key(1)).await.unwrap();
    assert_eq!(left, Some(row(1, 2, &winners[0].to_be_bytes())));
}

async fn waiting_batches_are_answered_one_by_one(kind: Kind) {
    let (_home, store) = fresh(kind);

    let tasks: Vec<_> = (0..300_u64)
        .map(|task| {
            let store = Arc::clone(&store);
            // Every third asks for a row that is not there.
            let expected = if task % 3 == 0 {
                Expected::Version(7)
            } else {
                Expected::Absent
            };
            tokio::spawn(async move { put(&*store, key(task), expected, 1, b"").await })
        })
        .collect();
    for (task, answer) in (0_u64..).zip(tasks) {
        let answer = answer.await.unwrap();
        assert_eq!(answer.is_ok(), task % 3 != 0, "{task}");
        assert!(matches!(answer, Ok(()) | Err(StoreError::Conflict)));
    }

    let left = keys(&store.scan(&accounts(), None, 1000).await.unwrap());
    assert_eq!(
        left,
        (0..300).filter(|n| n % 3 != 0).map(key).collect::<Vec<_>>()
    );
}

async fn batches_in_a_row_see_each_other(kind: Kind) {
    let (_home, store) = fresh(kind);

    // As many as are polled in this order, the next before the first is answered.
    let steps = (0..20_u64).map(|version| {
        let expected = if version == 0 {
            Expected::Absent
        } else {
            Expected::Version(version)
        };
        put(&*store, key(1), expected, version + 1, b"")
    });
    let answers = futures_util::future::join_all(steps).await;

    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(store.get(&key(1)).await.unwrap(), Some(row(1, 20, b"")));
}

async fn everything_is_there_after_a_restart(kind: Kind) {
    let (home, store) = fresh(kind);
    for number in 0..50 {
        put(&*store, key(number), Expected::Absent, 1, b"x")
            .await
            .unwrap();
    }
    drop(store);

    let store = open(kind, &home);

    assert_eq!(store.scan(&accounts(), None, 100).await.unwrap().len(), 50);
    put(&*store, key(7), Expected::Version(1), 2, b"y")
        .await
        .unwrap();
}

async fn a_caller_that_goes_away_leaves_all_or_nothing(kind: Kind) {
    let (home, store) = fresh(kind);
    for number in 0..100 {
        let mut batch = Batch::default();
        batch.push(key(number), Expected::Absent, write(1, b""));
        batch.push(key(1000 + number), Expected::Absent, write(1, b""));
        let going = store.commit(batch);
        // Polled once or not at all, and dropped.
        let _ = tokio::time::timeout(Duration::ZERO, going).await;
    }
    drop(store);

    let store = open(kind, &home);

    let left: BTreeSet<Key> = keys(&store.scan(&accounts(), None, 1000).await.unwrap())
        .into_iter()
        .collect();
    for number in 0..100 {
        assert_eq!(
            left.contains(&key(number)),
            left.contains(&key(1000 + number))
        );
    }
}

async fn a_second_process_is_refused(kind: Kind) {
    let (home, store) = fresh(kind);

    let refused = store::open(kind, home.path(), &Settings::default()).map(drop);

    assert!(matches!(refused, Err(StoreError::Busy)));
    drop(store);
    open(kind, &home);
}

async fn the_other_engine_s_data_are_refused(kind: Kind) {
    let (home, store) = fresh(kind);
    drop(store);
    let other = match kind {
        Kind::Redb => Kind::Sled,
        Kind::Sled => Kind::Redb,
    };

    let refused = store::open(other, home.path(), &Settings::default()).map(drop);

    assert!(matches!(refused, Err(StoreError::OtherEngine(_))));
}

async fn data_that_others_may_read_are_refused(kind: Kind) {
    let (home, store) = fresh(kind);
    drop(store);
    let path = home.path().join(match kind {
        Kind::Redb => "store.redb",
        Kind::Sled => "store.sled",
    });
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode | 0o040)).unwrap();

    let refused = store::open(kind, home.path(), &Settings::default()).map(drop);

    assert!(matches!(refused, Err(StoreError::Exposed { .. })));
}

async fn a_snapshot_is_of_one_moment(kind: Kind) {
    let (_home, store) = fresh(kind);
    for number in 0..100 {
        put(&*store, key(number), Expected::Absent, 1, b"old")
            .await
            .unwrap();
    }

    let mut snapshot = store.snapshot().await.unwrap();
    let first = snapshot.next().unwrap().unwrap();
    let writer = {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for number in 0..100 {
                put(&*store, key(number), Expected::Version(1), 2, b"new")
                    .await
                    .unwrap();
            }
        })
    };
    if kind == Kind::Redb {
        // Beside the snapshot; sled waits for its end.
        writer.await.unwrap();
        assert_rows(first, snapshot, b"old");
    } else {
        assert_rows(first, snapshot, b"old");
        writer.await.unwrap();
    }

    let mut after = store.snapshot().await.unwrap();
    let first = after.next().unwrap().unwrap();
    assert_rows(first, after, b"new");
}

async fn a_status_counts(kind: Kind) {
    let (_home, store) = fresh(kind);
    assert_eq!((store.status().batches, store.status().waiting), (0, 0));

    put(&*store, key(1), Expected::Absent, 1, b"")
        .await
        .unwrap();
    let _ = put(&*store, key(1), Expected::Absent, 1, b"").await;

    let status = store.status();
    assert_eq!(
        (status.batches, status.flushes, status.trouble),
        (1, 1, None)
    );
}
