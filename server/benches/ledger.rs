//! How many durable records a second the ledger takes, and what one costs in CPU.
//!
//! `cargo bench -p claviger --bench ledger -- [DIR] [SECONDS] [WAITERS]…`; DIR decides which disk. CPU is that
//! of the whole process, callers included.

#![expect(clippy::print_stdout, reason = "a bench tells its numbers")]

use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use claviger::crypto::{MacKey, SealKey};
use claviger::domain::{Door, Operation, Outcome, Record, RequestId, ResourceId, Timestamp};
use claviger::ledger::{Ledger, LedgerKeys, LedgerSettings, Query, verify};
use zeroize::Zeroizing;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1).filter(|word| word != "--bench");
    let dir = arguments
        .next()
        .map_or_else(std::env::temp_dir, PathBuf::from);
    let seconds = arguments.next().map_or(Ok(2), |word| word.parse())?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    floor(&dir, Duration::from_secs(seconds))?;
    let mut loads = arguments
        .map(|word| word.parse())
        .collect::<Result<Vec<u64>, _>>()?;
    if loads.is_empty() {
        loads = vec![1, 8, 32, 128];
    }
    for waiters in loads {
        runtime.block_on(load(&dir, waiters, Duration::from_secs(seconds)))?;
    }
    Ok(())
}

/// What the disk allows: overwriting 300 bytes of a file that was filled before, flushed each time.
fn floor(dir: &Path, span: Duration) -> Result<(), Failure> {
    let file = tempfile::tempfile_in(dir)?;
    file.write_all_at(&vec![0; 16 << 20], 0)?;
    file.sync_all()?;
    let begin = Instant::now();
    let mut count = 0;
    while begin.elapsed() < span {
        file.write_all_at(&[7; 300], count % 50_000 * 300)?;
        file.sync_data()?;
        count += 1;
    }
    let rate = count as f64 / begin.elapsed().as_secs_f64();
    println!("disk alone   {rate:>8.0} flushes/s");
    Ok(())
}

async fn load(dir: &Path, waiters: u64, span: Duration) -> Result<(), Failure> {
    let root = tempfile::tempdir_in(dir)?;
    let place = root.path().join("audit");
    let keys = || {
        LedgerKeys::new(
            SealKey::new(Zeroizing::new([1; 32])),
            MacKey::new(Zeroizing::new([2; 32])),
        )
    };
    let ledger = Arc::new(Ledger::open(&place, keys(), LedgerSettings::default())?);
    let (begin, cpu) = (Instant::now(), cpu()?);
    let mut tasks = tokio::task::JoinSet::new();
    for waiter in 0..waiters {
        let ledger = Arc::clone(&ledger);
        tasks.spawn(async move {
            let mut told = Vec::new();
            let record = record(waiter);
            while begin.elapsed() < span {
                let asked = Instant::now();
                if ledger.append(&record).await.is_err() {
                    break;
                }
                told.push(asked.elapsed());
            }
            told
        });
    }
    let mut told: Vec<_> = tasks.join_all().await.into_iter().flatten().collect();
    let (wall, cpu) = (begin.elapsed(), self::cpu()? - cpu);
    told.sort_unstable();
    let at = |share: usize| {
        told.get(told.len() * share / 1000)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{waiters:>4} waiters {:>8.0}/s  CPU {:>5.1} µs  p50 {:>7.0?}  p99 {:>7.0?}  p99.9 {:>7.0?}",
        told.len() as f64 / wall.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / told.len() as f64,
        at(500),
        at(990),
        at(999),
    );
    after(&ledger, &place, &keys()).await
}

async fn after(ledger: &Ledger, place: &Path, keys: &LedgerKeys) -> Result<(), Failure> {
    let page = Instant::now();
    ledger.read(&Query::default())?;
    let first = page.elapsed();
    let page = Instant::now();
    ledger.read(&Query::default())?;
    let second = page.elapsed();
    ledger.close().await?;
    let verifying = Instant::now();
    let report = verify(place, keys, Some(ledger.head()), |_| {})?;
    let verified = verifying.elapsed();
    let opening = Instant::now();
    let again = Ledger::open(place, keys.clone(), LedgerSettings::default())?;
    let opened = opening.elapsed();
    again.close().await?;
    println!(
        "             page of 100 {first:.0?}, again {second:.0?}; verify {:.0}/s; open {opened:.1?}",
        report.records as f64 / verified.as_secs_f64()
    );
    Ok(())
}

/// User and system time of this process.
fn cpu() -> Result<Duration, Failure> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split(' ')
        .collect();
    let mut ticks = 0;
    for field in fields.get(12..14).unwrap_or_default() {
        ticks += field.parse::<u64>()?;
    }
    // USER_HZ, which Linux shows as 100 whatever it counts in.
    Ok(Duration::from_millis(ticks * 10))
}

fn record(number: u64) -> Record {
    Record {
        at: Timestamp(1_700_000_000_000),
        request: RequestId(number),
        caller: "svc-billing@app01.example.org".to_owned(),
        org: "default".to_owned(),
        door: Door::Xmlrpc,
        peer: Some([127, 0, 0, 1].into()),
        operation: Operation::Retrieve,
        resource: "db-prod-01".to_owned(),
        account: "billing".to_owned(),
        resource_id: Some(ResourceId(7)),
        account_id: None,
        reason: "nightly run".to_owned(),
        ticket: "CHG-4711".to_owned(),
        outcome: Outcome::Allowed,
        detail: String::new(),
    }
}
