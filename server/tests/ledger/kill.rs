//! `kill -9` of a process that appends: each record that it was told of is found after.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};
use std::sync::Arc;

use claviger::ledger::{Order, Query};

use crate::fixture::{Place, record};

const ROUNDS: u64 = 12;

const CHILD: &str = "CLAVIGER_LEDGER_CHILD";

#[test]
fn a_killed_process_loses_no_acknowledged_record() {
    let mut place = Place::new();
    place.settings.segment_bytes = 64 << 10;
    let mut acknowledged = BTreeSet::new();
    for round in 0..ROUNDS {
        let mut child = Command::new(std::env::current_exe().expect("this program"))
            .args(["--exact", "kill::appends_until_it_is_killed", "--nocapture"])
            .env(CHILD, place.root.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut told = lines.filter_map(|line| {
            let line = line.unwrap();
            let (seq, request) = line.strip_prefix("stands ")?.split_once(' ')?;
            Some((seq.parse::<u64>().unwrap(), request.parse::<u64>().unwrap()))
        });
        acknowledged.extend(
            told.by_ref()
                .take(50 + usize::try_from(round * 37).unwrap()),
        );
        child.kill().unwrap();
        // What was written to the pipe before the kill was acknowledged as well.
        acknowledged.extend(told);
        child.wait().unwrap();
    }

    let ledger = place.open();
    let all = Query {
        order: Order::OldestFirst,
        limit: usize::MAX,
        examine: usize::MAX,
        ..Query::default()
    };
    let stands: BTreeSet<_> = ledger
        .read(&all)
        .unwrap()
        .entries
        .iter()
        .map(|entry| (entry.seq, entry.request.0))
        .collect();

    let lost: Vec<_> = acknowledged.difference(&stands).collect();
    assert_eq!(lost, Vec::<&(u64, u64)>::new());
    assert!(acknowledged.len() > 1000, "{}", acknowledged.len());
    let report = place.verify(Some(ledger.head())).unwrap();
    assert_eq!(report.records, stands.len() as u64);
}

/// The other side of the test above; does nothing by itself.
#[test]
fn appends_until_it_is_killed() {
    let Some(root) = std::env::var_os(CHILD) else {
        return;
    };
    let mut place = Place::new();
    place.settings.segment_bytes = 64 << 10;
    let dir = std::path::Path::new(&root).join("audit");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let ledger =
            claviger::ledger::Ledger::open(&dir, place.keys.clone(), place.settings.clone())
                .unwrap();
        let ledger = Arc::new(ledger);
        let mut tasks = tokio::task::JoinSet::new();
        for task in 0..8 {
            let ledger = Arc::clone(&ledger);
            tasks.spawn(async move {
                for number in 0.. {
                    let request = number * 8 + task;
                    let seq = ledger.append(&record(request)).await.unwrap();
                    let line = format!("stands {seq} {request}\n");
                    std::io::stdout().write_all(line.as_bytes()).unwrap();
                    std::io::stdout().flush().unwrap();
                }
            });
        }
        tasks.join_all().await;
    });
}
