//! Stores on a disk that is full or read-only. Each story runs in a process of its own, in its own
//! mount namespace, on a tmpfs of a few MiB; where mounting is not permitted, it says so.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share may stop them, and says what it could not try"
)]

use std::fs;
use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use claviger::store::{
    self, Batch, Expected, Key, Kind, Settings, StepKind, Store, StoreError, Table, Trouble,
};

#[test]
fn redb_bears_a_full_disk() {
    on_a_small_disk("redb_bears_a_full_disk", |disk| {
        fill_and_free(disk, Kind::Redb)
    });
}

#[test]
fn sled_bears_a_full_disk() {
    on_a_small_disk("sled_bears_a_full_disk", |disk| {
        fill_and_free(disk, Kind::Sled)
    });
}

#[test]
fn redb_says_that_a_disk_is_read_only() {
    on_a_small_disk("redb_says_that_a_disk_is_read_only", |disk| {
        read_only(disk, Kind::Redb)
    });
}

#[test]
fn sled_says_that_a_disk_is_read_only() {
    on_a_small_disk("sled_says_that_a_disk_is_read_only", |disk| {
        read_only(disk, Kind::Sled)
    });
}

async fn fill_and_free(disk: PathBuf, kind: Kind) {
    let filler = disk.join("filler");
    fs::write(&filler, vec![1; 8 << 20]).unwrap();
    let store = store::open(kind, &disk, &small()).unwrap();

    let written = fill(&*store).await;
    assert!(written > 10, "only {written} rows fit");
    assert_eq!(store.status().trouble, Some(Trouble::Full));

    // Whatever was acknowledged is read, and nothing else is there, while writes go on failing.
    for _ in 0..3 {
        assert_rows(&*store, written).await;
        let refused = put(&*store, written).await;
        let refused = refused.unwrap_err();
        assert!(
            matches!(refused, StoreError::Full | StoreError::Stuck),
            "{refused}"
        );
    }

    fs::remove_file(&filler).unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = put(&*store, written).await {
        assert!(Instant::now() < deadline, "{error}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(store.status().trouble, None);
    assert_rows(&*store, written + 1).await;

    drop(store);
    let store = store::open(kind, &disk, &small()).unwrap();
    assert_rows(&*store, written + 1).await;
}

async fn read_only(disk: PathBuf, kind: Kind) {
    drop(store::open(kind, &disk, &small()).unwrap());
    harness::mount(&["-o", "remount,ro"], &disk);

    let refused = store::open(kind, &disk, &small()).map(drop);

    assert!(matches!(refused, Err(StoreError::ReadOnly)), "{refused:?}");
}

/// Writes rows until the disk is full; how many there are.
async fn fill(store: &dyn Store) -> u64 {
    let deadline = Instant::now() + Duration::from_secs(20);
    let mut number = 0;
    let mut unclear = false;
    while Instant::now() < deadline {
        match put(store, number).await {
            Ok(()) => (number, unclear) = (number + 1, false),
            // It was written, although that could not be told.
            Err(StoreError::Conflict) if unclear => (number, unclear) = (number + 1, false),
            // sled can neither write nor read back at times while it makes room.
            Err(StoreError::Stuck) => unclear = true,
            Err(StoreError::Full) => return number,
            Err(error) => panic!("{error:?} after {number} rows"),
        }
    }
    panic!("the disk is not full after {number} rows");
}

async fn put(store: &dyn Store, number: u64) -> Result<(), StoreError> {
    let mut batch = Batch::default();
    let sealed = sealed(number);
    batch.push(
        key(number),
        Expected::Absent,
        StepKind::Put { version: 1, sealed },
    );
    store.commit(batch).await
}

async fn assert_rows(store: &dyn Store, written: u64) {
    let rows = store
        .scan(&Key::table(Table::Account), None, usize::MAX)
        .await
        .unwrap();
    assert_eq!(rows.len() as u64, written);
    for (number, row) in (0..).zip(rows) {
        assert_eq!(row.key, key(number));
        assert_eq!(row.sealed, sealed(number));
    }
    assert!(store.get(&key(written / 2)).await.unwrap().is_some());
}

fn key(number: u64) -> Key {
    Key::table(Table::Account).number(number)
}

fn sealed(number: u64) -> Vec<u8> {
    number.to_be_bytes().repeat(2000)
}

/// A cache that holds next to nothing: reads must come from the disk.
fn small() -> Settings {
    Settings {
        cache: 64 << 10,
        ..Settings::default()
    }
}

/// Runs `story` of the test `name` on a tmpfs.
fn on_a_small_disk<F: Future<Output = ()>>(name: &str, story: impl FnOnce(PathBuf) -> F) {
    harness::on_a_small_disk(name, "24m", |disk| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(story(disk.to_owned()));
    });
}
