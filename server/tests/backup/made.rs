use std::fs;
use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use claviger::app::{self, Unlock};
use claviger::domain::{Operation, Outcome, RefusalReason, Role};
use claviger::ledger::{Query, Word};
use claviger::vault::{BackupFiles, Entry, VaultError};
use zeroize::Zeroizing;

use crate::fixture::{Live, home};

#[tokio::test]
async fn only_administrators_make_backups_and_a_refusal_writes_nothing() {
    let home = home().await;
    let live = home.open("data").await;
    let caller = live.user("owner", 1, Role::PasswordAdministrator).await;
    let sink = Counted::default();
    let written = sink.0.clone();

    let refused = live.vault.backup(sink, live.files(), |_| {}, &caller).await;

    assert!(matches!(refused, Err(VaultError::NotAllowed)));
    assert_eq!(written.load(Ordering::SeqCst), 0);
    let outcome = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(newest(&live), (Operation::Backup, outcome));
    live.close().await;
}

#[tokio::test]
async fn a_backup_is_written_down_before_its_first_byte() {
    let home = home().await;
    let live = home.open("data").await;
    let (ledger, operator) = (live.ledger.clone(), live.operator().await);
    let before = ledger.head().seq;
    let sink = Asking(move || assert!(ledger.head().seq > before));

    let made = live
        .vault
        .backup(sink, live.files(), |_| {}, &operator)
        .await;

    assert!(made.is_ok());
    assert_eq!(newest(&live), (Operation::Backup, Outcome::Allowed));
    live.close().await;
}

#[tokio::test]
async fn a_sink_that_fails_is_an_outage_and_written_down() {
    let home = home().await;
    let live = home.open("data").await;
    let operator = live.operator().await;

    let failed = live
        .vault
        .backup(Full, live.files(), |_| {}, &operator)
        .await;

    assert!(matches!(failed, Err(VaultError::Unavailable(_))));
    assert_eq!(newest(&live), (Operation::Backup, Outcome::Failed));
    live.close().await;
}

#[tokio::test]
async fn what_is_not_in_the_data_directory_is_left_out_and_named() {
    let home = home().await;
    let live = home.open("data").await;
    let outside = home.path("elsewhere.pem");
    fs::write(&outside, "x").unwrap();
    let files = BackupFiles::new(&live.data)
        .with(live.data.join("ca.pem"))
        .with_optional(&outside)
        .with_optional(live.data.join("../elsewhere.pem"))
        .with_optional(live.data.join("tls/none.pem"));
    let operator = live.operator().await;

    let report = live
        .vault
        .backup(io::sink(), files, |_| {}, &operator)
        .await;

    let left_out = report.unwrap().left_out;
    assert_eq!(
        left_out,
        [
            format!("{}: not in the data directory", outside.display()),
            format!(
                "{}: not in the data directory",
                live.data.join("../elsewhere.pem").display()
            ),
            "tls/none.pem: not there".to_owned()
        ]
    );
    let needed = BackupFiles::new(&live.data).with(live.data.join("none"));
    let refused = live
        .vault
        .backup(io::sink(), needed, |_| {}, &operator)
        .await;
    assert!(matches!(refused, Err(VaultError::Unavailable(_))));
    live.close().await;
}

#[tokio::test]
async fn rows_leave_as_they_are_read() {
    let home = home().await;
    let live = home.open("data").await;
    let operator = live.operator().await;
    import(&live, 3000).await;
    let sink = Counted::default();
    let written = sink.0.clone();
    let (most, told) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let (behind, count) = (most.clone(), told.clone());
    let progress = move |at: claviger::vault::BackupProgress| {
        count.fetch_add(1, Ordering::SeqCst);
        let missing = at.bytes.saturating_sub(written.load(Ordering::SeqCst));
        behind.fetch_max(missing, Ordering::SeqCst);
    };

    let report = live
        .vault
        .backup(sink, live.files(), progress, &operator)
        .await;

    let report = report.unwrap();
    assert!(report.rows > 9000, "{report:?}");
    assert!(told.load(Ordering::SeqCst) > 9);
    assert!(most.load(Ordering::SeqCst) <= 2 * 65_536);
    live.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_is_in_a_backup_whole_or_not_at_all_and_has_its_record() {
    let home = home().await;
    let live = home.open("data").await;
    import(&live, 2000).await;
    let owner = live.user("owner", 1, Role::PasswordAdministrator).await;
    let done = AtomicBool::new(false);
    let changing = async {
        let mut made = 0;
        while !done.load(Ordering::SeqCst) {
            live.create(&format!("new{made}"), "s3cret", &owner).await;
            made += 1;
        }
        made
    };
    let backing = async {
        let report = live.backup(&home.path("backup")).await.unwrap();
        done.store(true, Ordering::SeqCst);
        report
    };

    let (made, report) = tokio::join!(changing, backing);

    live.close().await;
    let restored = home.restore("new").await.unwrap();
    assert_eq!(restored.content.head, report.head);
    assert_eq!(restored.damage, None);
    let live = home.open("new").await;
    let owner = live.enter("owner", 1).await.unwrap();
    let mut there = 0;
    while live
        .vault
        .resource(&format!("new{there}"), &owner)
        .await
        .is_ok()
    {
        let got = live.retrieve(&format!("new{there}"), &owner).await;
        assert_eq!(got.unwrap(), "s3cret");
        there += 1;
    }
    for number in there..made {
        let name = format!("new{number}");
        assert!(live.retrieve(&name, &owner).await.is_err(), "{name}");
    }
    live.close().await;
    let folder = home.folder("new");
    app::verify_audit(&folder, Some(report.head)).await.unwrap();
}

#[tokio::test]
async fn every_key_that_a_row_is_under_is_in_the_backup() {
    let home = home().await;
    let live = home.open("data").await;
    let owner = live.user("owner", 1, Role::PasswordAdministrator).await;
    live.create("db1", "s3cret", &owner).await;
    let operator = live.operator().await;
    live.vault.rotate_key(&operator, &|_| {}).await.unwrap();
    live.backup(&home.path("backup")).await.unwrap();
    live.close().await;

    let unlock = Unlock::KeyFile(home.path("data/master.key"));
    home.restore_by("new", unlock).await.unwrap();

    let live = home.open("new").await;
    let owner = live.enter("owner", 1).await.unwrap();
    assert_eq!(live.retrieve("db1", &owner).await.unwrap(), "s3cret");
    live.close().await;
}

async fn import(live: &Live, count: usize) {
    let operator = live.operator().await;
    for begin in (0..count).step_by(1000) {
        let entries = (begin..count.min(begin + 1000)).map(|number| Entry {
            resource: format!("host{number}"),
            kind: "Linux".to_owned(),
            account: "root".to_owned(),
            password: Some(Zeroizing::new("s3cret".to_owned())),
            ..Entry::default()
        });
        let entries = entries.collect();
        let done = live.vault.import(entries, false, &operator).await.unwrap();
        assert!(done.iter().all(Result::is_ok));
    }
}

fn newest(live: &Live) -> (Operation, Outcome) {
    let query = Query {
        limit: 1,
        ..Query::default()
    };
    let entry = live.ledger.read(&query).unwrap().entries.remove(0);
    match (entry.operation, entry.outcome) {
        (Word::Known(operation), Word::Known(outcome)) => (operation, outcome),
        other => panic!("{other:?}"),
    }
}

/// Counts what it is given.
#[derive(Default)]
struct Counted(Arc<AtomicU64>);

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.fetch_add(bytes.len() as u64, Ordering::SeqCst);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Asks something before each write.
struct Asking<F>(F);

impl<F: Fn()> Write for Asking<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.0)();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk without room.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
