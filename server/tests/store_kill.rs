//! A process that is killed in the middle of its writes loses nothing that it acknowledged, and
//! leaves nothing half done.

#![expect(clippy::unwrap_used, reason = "what the tests share may stop them")]

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use claviger::store::{self, Batch, Expected, Key, Kind, Settings, StepKind, Store, Table};

#[test]
fn redb_keeps_what_it_acknowledged() {
    kill_and_look("redb_keeps_what_it_acknowledged", Kind::Redb, 5);
}

#[test]
fn sled_keeps_what_it_acknowledged() {
    kill_and_look("sled_keeps_what_it_acknowledged", Kind::Sled, 3);
}

/// Kills a writing process `times` times, after more and more answers, and looks each time.
fn kill_and_look(name: &str, kind: Kind, times: u64) {
    if let Some(home) = std::env::var_os(HOME) {
        write_for_ever(&PathBuf::from(home), kind);
    }
    let home = tempfile::tempdir().unwrap();
    let mut acknowledged = BTreeSet::new();
    for round in 0..times {
        acknowledged.extend(killed_after(name, home.path(), 40 + 37 * round));
        look(home.path(), kind, &acknowledged);
    }
}

/// Runs this test as a child, kills it after `answers`, and gives every number it acknowledged.
fn killed_after(name: &str, home: &Path, answers: u64) -> Vec<u64> {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(HOME, home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut acknowledged = Vec::new();
    for line in lines {
        // The last line may be cut by the kill: every whole one ends in a full stop.
        let Ok(line) = line else { break };
        let number = line
            .strip_prefix("acknowledged ")
            .and_then(|l| l.strip_suffix('.'));
        let Some(number) = number else { continue };
        acknowledged.push(number.parse().unwrap());
        if acknowledged.len() as u64 == answers {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(
        acknowledged.len() as u64 >= answers,
        "the child ended by itself"
    );
    acknowledged
}

/// Four writers, each writing pairs of rows at the end of what is there.
fn write_for_ever(home: &Path, kind: Kind) -> ! {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = store::open(kind, home, &Settings::default()).unwrap();
    let there = runtime.block_on(pairs(&*store)).0.len() as u64;
    for writer in 0..4 {
        let store = Arc::clone(&store);
        runtime.spawn(async move {
            for count in 0.. {
                let number = 1000 * there + 4 * count + writer;
                store.commit(pair(number)).await.unwrap();
                let mut out = std::io::stdout().lock();
                writeln!(out, "acknowledged {number}.").unwrap();
            }
        });
    }
    loop {
        std::thread::park();
    }
}

fn look(home: &Path, kind: Kind, acknowledged: &BTreeSet<u64>) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let store = store::open(kind, home, &Settings::default()).unwrap();

    let (left, right) = runtime.block_on(pairs(&*store));

    assert_eq!(left, right, "a pair is half there");
    let lost: Vec<_> = acknowledged.difference(&left).collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
}

fn pair(number: u64) -> Batch {
    let mut batch = Batch::default();
    for table in [Table::Account, Table::Secret] {
        let sealed = number.to_be_bytes().repeat(40);
        let key = Key::table(table).number(number);
        batch.push(key, Expected::Absent, StepKind::Put { version: 1, sealed });
    }
    batch
}

async fn pairs(store: &dyn Store) -> (BTreeSet<u64>, BTreeSet<u64>) {
    (
        numbers(store, Table::Account).await,
        numbers(store, Table::Secret).await,
    )
}

async fn numbers(store: &dyn Store, table: Table) -> BTreeSet<u64> {
    let rows = store
        .scan(&Key::table(table), None, usize::MAX)
        .await
        .unwrap();
    rows.iter()
        .map(|row| {
            let number = row.key.as_bytes().last_chunk().unwrap();
            assert_eq!(row.sealed, number.repeat(40));
            u64::from_be_bytes(*number)
        })
        .collect()
}

const HOME: &str = "CLAVIGER_TEST_HOME";
