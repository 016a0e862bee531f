//! What becomes of readers when the file cannot be written, or is gone.

use std::fs::File;

use rustix::fs::{IFlags, ioctl_getflags, ioctl_setflags};
use tempfile::TempDir;

use super::*;
use crate::store::{Expected, Table, Trouble};

#[tokio::test]
async fn a_file_that_can_no_longer_be_written_is_still_read() {
    let (home, store) = one_row().await;
    let file = File::open(home.path().join(Redb::FILE)).unwrap();
    if let Err(why) = set_immutable(&file, true) {
        eprintln!("not tried: no file can be made immutable here ({why})");
        return;
    }
    on_writer(&store, Writer::reopen).await;

    let read = store.get(&key(1)).await;
    let refused = put(&store, 2).await;
    let status = store.status();
    set_immutable(&file, false).unwrap();

    assert_eq!(read.unwrap().unwrap().version, 1);
    assert!(matches!(refused, Err(StoreError::ReadOnly)), "{refused:?}");
    assert_eq!(status.trouble, Some(Trouble::ReadOnly));
    store
        .group
        .call(|writer| writer.tried -= RETRY)
        .await
        .unwrap();
    put(&store, 2).await.unwrap();
    assert_eq!(
        store
            .scan(&Key::table(Table::Meta), None, 9)
            .await
            .unwrap()
            .len(),
        2
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rows_are_read_while_they_are_replaced() {
    let (_home, store) = one_row().await;
    let store = Arc::new(store);
    let writing = |number: u64| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            for _ in 0..100 {
                set(&store, number, Expected::Any).await.unwrap();
                let own = store.get(&key(number)).await.unwrap();
                let all = store
                    .scan(&Key::table(Table::Meta), None, 99)
                    .await
                    .unwrap();
                assert!(own.is_some() && !all.is_empty());
            }
        })
    };

    let tasks: Vec<_> = (1..=8).map(writing).collect();

    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(store.status().trouble, None);
}

/// Debug builds of redb stop the writing thread where a page is freed that somebody looks at.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_value_that_is_looked_at_keeps_its_page_while_the_row_is_replaced() {
    let (_home, store) = one_row().await;
    let handle = tokio::runtime::Handle::current();

    let version = store.view.read(|table| {
        let value = table.get(key(1).as_bytes())?;
        for _ in 0..8 {
            let set = set(&store, 1, Expected::Any);
            tokio::task::block_in_place(|| handle.block_on(set)).unwrap();
        }
        Ok(value.map(|value| value.value().to_vec()))
    });

    assert!(version.is_ok_and(|value| value.is_some()));
    assert_eq!(store.status().trouble, None);
}

#[tokio::test]
async fn a_file_that_is_gone_is_not_made_anew() {
    let (home, store) = one_row().await;
    let path = home.path().join(Redb::FILE);
    std::fs::remove_file(&path).unwrap();
    on_writer(&store, Writer::reopen).await;

    assert!(matches!(store.get(&key(1)).await, Err(StoreError::Closed)));
    assert!(put(&store, 2).await.is_err());
    assert!(!path.exists());
}

#[tokio::test]
async fn a_journal_that_is_gone_is_named_and_an_empty_one_goes_on_without_it() {
    let (home, store) = one_row().await;
    drop(store);
    let journal = home.path().join(Redb::JOURNAL);
    std::fs::remove_file(&journal).unwrap();

    let gone = Redb::open(home.path(), &Settings::default());
    assert!(matches!(gone, Err(StoreError::JournalGone(path)) if path == journal));
    let mut private = std::fs::OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(private.create_new(true).write(true), 0o600)
        .open(&journal)
        .unwrap();
    let store = Redb::open(home.path(), &Settings::default()).unwrap();
    put(&store, 2).await.unwrap();
    assert_eq!(store.get(&key(2)).await.unwrap().unwrap().version, 1);
}

#[tokio::test]
async fn what_only_the_journal_holds_is_there_when_the_file_is_opened_again() {
    let (home, store) = one_row().await;
    let before = std::fs::read(home.path().join(Redb::FILE)).unwrap();
    put(&store, 2).await.unwrap();
    let journal = std::fs::read(home.path().join(Redb::JOURNAL)).unwrap();
    drop(store);
    // As a power cut leaves it: nothing of the last change has reached the file itself.
    std::fs::write(home.path().join(Redb::FILE), before).unwrap();
    std::fs::write(home.path().join(Redb::JOURNAL), journal).unwrap();

    for _ in 0..2 {
        let store = Redb::open(home.path(), &Settings::default()).unwrap();
        for number in [1, 2] {
            assert_eq!(store.get(&key(number)).await.unwrap().unwrap().version, 1);
        }
    }
}

#[tokio::test]
async fn an_old_copy_of_the_file_takes_nothing_from_the_journal_of_a_later_life() {
    let (home, store) = one_row().await;
    let copy = std::fs::read(home.path().join(Redb::FILE)).unwrap();
    // A later life: the file names another epoch than the copy does.
    on_writer(&store, |writer| writer.write(&[]).unwrap()).await;
    put(&store, 2).await.unwrap();
    let later = std::fs::read(home.path().join(Redb::JOURNAL)).unwrap();
    drop(store);

    for _ in 0..3 {
        std::fs::write(home.path().join(Redb::FILE), &copy).unwrap();
        std::fs::write(home.path().join(Redb::JOURNAL), &later).unwrap();
        let store = Redb::open(home.path(), &Settings::default()).unwrap();
        on_writer(&store, |writer| writer.write(&[]).unwrap()).await;
        drop(store);
        // Epochs that counted on would meet those of the other life by now.
        std::fs::write(home.path().join(Redb::JOURNAL), &later).unwrap();
        let store = Redb::open(home.path(), &Settings::default()).unwrap();
        assert!(store.get(&key(2)).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_journal_too_small_for_anything_changes_nothing_but_the_speed() {
    let home = TempDir::new().unwrap();
    for journal in [64, 300, 0] {
        let settings = Settings {
            journal,
            ..Settings::default()
        };
        let store = Redb::open(home.path(), &settings).unwrap();
        for number in 1..20 {
            set(&store, number, Expected::Any).await.unwrap();
            assert!(store.get(&key(number)).await.unwrap().is_some());
        }
    }
    let store = Redb::open(home.path(), &Settings::default()).unwrap();
    let all = store
        .scan(&Key::table(Table::Meta), None, 99)
        .await
        .unwrap();
    assert_eq!(all.len(), 19);
}

#[tokio::test]
async fn a_snapshot_ends_with_an_error_when_the_file_is_opened_again() {
    let (_home, store) = one_row().await;
    let mut snapshot = store.snapshot().await.unwrap();
    on_writer(&store, Writer::reopen).await;
    put(&store, 2).await.unwrap();

    // Pages that were read already may still come.
    let last = snapshot.find(Result::is_err);
    assert!(
        matches!(last, None | Some(Err(StoreError::Closed))),
        "{last:?}"
    );
    assert!(snapshot.next().is_none());
    assert_eq!(store.get(&key(1)).await.unwrap().unwrap().version, 1);
}

async fn one_row() -> (TempDir, Redb) {
    let home = TempDir::new().unwrap();
    let store = Redb::open(home.path(), &Settings::default()).unwrap();
    put(&store, 1).await.unwrap();
    (home, store)
}

async fn on_writer(store: &Redb, call: impl FnOnce(&mut Writer) + Send + 'static) {
    let (tell, told) = tokio::sync::oneshot::channel();
    let all = move |writer: &mut Writer| {
        call(writer);
        tell.send(()).unwrap();
    };
    store.group.call(all).await.unwrap();
    told.await.unwrap();
}

async fn put(store: &Redb, number: u64) -> Result<(), StoreError> {
    set(store, number, Expected::Absent).await
}

async fn set(store: &Redb, number: u64, expected: Expected) -> Result<(), StoreError> {
    let (version, sealed) = (1, b"sealed".to_vec());
    let mut batch = Batch::default();
    batch.push(key(number), expected, StepKind::Put { version, sealed });
    store.commit(batch).await
}

fn key(number: u64) -> Key {
    Key::table(Table::Meta).number(number)
}

fn set_immutable(file: &File, immutable: bool) -> rustix::io::Result<()> {
    let mut flags = ioctl_getflags(file)?;
    flags.set(IFlags::IMMUTABLE, immutable);
    ioctl_setflags(file, flags)
}
