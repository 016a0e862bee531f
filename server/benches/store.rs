//! What a store answers in: `cargo bench -p claviger --bench store -- [redb|sled] [ROWS]`
//!
//! Imports rows (100 000 unless told), opens the store again, reads single rows, pages, and
//! commits batches of five rows from 1, 8 and 32 tasks. Memory is that of this process.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "prints what it measures; a step that fails should stop it"
)]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use claviger::store::{self, Batch, Expected, Key, Kind, Settings, StepKind, Store, Table};

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let kind = match words.iter().any(|word| word == "sled") {
        true => Kind::Sled,
        false => Kind::Redb,
    };
    let rows = words
        .iter()
        .find_map(|word| word.parse().ok())
        .unwrap_or(100_000);
    let home = tempfile::Builder::new()
        .prefix("store")
        .tempdir_in(".")
        .unwrap();
    tokio::runtime::Runtime::new()
        .unwrap()
        .block_on(measure(home.path(), kind, rows));
}

async fn measure(home: &Path, kind: Kind, rows: u64) {
    println!(
        "{kind:?}, {rows} rows of 300 bytes, {:.0} MiB before",
        memory()
    );
    let began = Instant::now();
    import(&*open(home, kind), rows).await;
    println!(
        "import         {:>9.1} s, {:.0} MiB, peak {:.0}",
        began.elapsed().as_secs_f64(),
        memory(),
        peak()
    );

    let began = Instant::now();
    let store = open(home, kind);
    store.get(&key(0)).await.unwrap().unwrap();
    println!(
        "open and get   {:>9.1} ms, {:.0} MiB",
        began.elapsed().as_secs_f64() * 1e3,
        memory()
    );

    let gets = times(100_000, |turn| {
        let (store, key) = (&store, key(scattered(turn, rows)));
        async move { assert!(store.get(&key).await.unwrap().is_some()) }
    });
    report("get", gets.await);
    let scans = times(2_000, |turn| {
        let (store, after) = (&store, key(scattered(turn, rows)));
        async move {
            let page = store
                .scan(&Key::table(Table::Account), Some(&after), 25)
                .await;
            assert!(page.unwrap().len() <= 25);
        }
    });
    report("scan of 25", scans.await);
    println!("after reading  {:.0} MiB, peak {:.0}", memory(), peak());
    for tasks in [1, 8, 32] {
        commits(&store, tasks, rows).await;
    }
    println!("after writing  {:.0} MiB, peak {:.0}", memory(), peak());
}

/// Rows in batches as large as the engine takes, at most a thousand.
async fn import(store: &dyn Store, rows: u64) {
    let most = store.most_steps().min(1000) as u64;
    for first in (0..rows).step_by(most as usize) {
        let mut batch = Batch::default();
        (first..rows.min(first + most)).for_each(|n| batch.push(key(n), Expected::Any, put(1)));
        store.commit(batch).await.unwrap();
    }
}

/// Batches like a change of a password: one row kept, two replaced, two new.
async fn commits(store: &Arc<dyn Store>, tasks: u64, rows: u64) {
    let (next, until) = (Arc::new(AtomicU64::new(0)), Instant::now() + SPAN);
    let flushes = store.status().flushes;
    let all: Vec<_> = (0..tasks)
        .map(|_| {
            let (store, next) = (Arc::clone(store), Arc::clone(&next));
            tokio::spawn(async move {
                let mut spans = Vec::new();
                while Instant::now() < until {
                    let batch = change(next.fetch_add(1, Ordering::Relaxed), tasks, rows);
                    let began = Instant::now();
                    store.commit(batch).await.unwrap();
                    spans.push(began.elapsed());
                }
                spans
            })
        })
        .collect();
    let mut spans = Vec::new();
    for task in all {
        spans.extend(task.await.unwrap());
    }
    let (count, flushes) = (spans.len(), store.status().flushes - flushes);
    let rate = count as f64 / SPAN.as_secs_f64();
    println!(
        "{tasks:>2} committers: {rate:>6.0} batches/s, {:.1} a flush",
        count as f64 / flushes as f64
    );
    report("  commit", spans);
}

fn change(turn: u64, tasks: u64, rows: u64) -> Batch {
    let mut batch = Batch::default();
    let number = scattered(turn, rows - 2);
    batch.push(key(number + 1), Expected::Any, StepKind::Keep);
    batch.push(key(number), Expected::Any, put(2));
    batch.push(
        Key::table(Table::Accessed).number(number),
        Expected::Any,
        put(2),
    );
    let fresh = tasks << 40 | turn;
    batch.push(
        Key::table(Table::Secret).number(fresh),
        Expected::Absent,
        put(1),
    );
    batch.push(
        Key::table(Table::Secret).number(fresh).number(1),
        Expected::Absent,
        put(1),
    );
    batch
}

async fn times<F: Future<Output = ()>>(turns: u64, act: impl Fn(u64) -> F) -> Vec<Duration> {
    let mut spans = Vec::with_capacity(turns as usize);
    for turn in 0..turns {
        let began = Instant::now();
        act(turn).await;
        spans.push(began.elapsed());
    }
    spans
}

fn report(what: &str, mut spans: Vec<Duration>) {
    spans.sort_unstable();
    let at = |share: f64| {
        let index = (spans.len() as f64 * share) as usize;
        spans
            .get(index)
            .map_or(0.0, |span| span.as_secs_f64() * 1e6)
    };
    println!(
        "{what:<14} p50 {:>7.1} µs, p99 {:>8.1} µs",
        at(0.5),
        at(0.99)
    );
}

fn open(home: &Path, kind: Kind) -> Arc<dyn Store> {
    store::open(kind, home, &Settings::default()).unwrap()
}

fn put(version: u64) -> StepKind {
    StepKind::Put {
        version,
        sealed: vec![7; 300],
    }
}

fn key(number: u64) -> Key {
    Key::table(Table::Account).number(number)
}

/// Visits the rows out of order.
fn scattered(turn: u64, rows: u64) -> u64 {
    turn.wrapping_mul(0x9e37_79b9_7f4a_7c15) % rows
}

fn memory() -> f64 {
    status("VmRSS:")
}

fn peak() -> f64 {
    status("VmHWM:")
}

/// A line of this process's status, in MiB.
fn status(name: &str) -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(0.0) / 1024.0
}

const SPAN: Duration = Duration::from_secs(5);
