//! Disks that are full, read-only, slow, or lose the file: refusals, red health, nothing half
//! written counted, and recovery.
//!
//! The tests that mount need root, and say so where they have not.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use claviger::domain::Timestamp;
use claviger::ledger::{Before, DamageKind, Health, Ledger, LedgerError, Query, Trouble};

use crate::fixture::{Place, append_each, record};

/// Something that was mounted or marked for a test, and is undone with it.
struct Undo(Vec<Vec<String>>);

impl Drop for Undo {
    fn drop(&mut self) {
        for command in &self.0 {
            run(command).unwrap_or_else(|why| eprintln!("{command:?}: {why}"));
        }
    }
}

fn run(command: &[String]) -> Result<(), String> {
    let output = Command::new(&command[0])
        .args(&command[1..])
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
    }
}

fn words(line: &str, path: &Path) -> Vec<String> {
    line.split(' ')
        .map(|word| match word {
            "PATH" => path.display().to_string(),
            word => word.to_owned(),
        })
        .collect()
}

/// Runs `line`, to be undone by `undo`; says why when the system does not let it.
fn system(line: &str, undo: &str, path: &Path) -> Option<Undo> {
    match run(&words(line, path)) {
        Ok(()) => Some(Undo(vec![words(undo, path)])),
        Err(why) => {
            let test = std::thread::current().name().unwrap_or("?").to_owned();
            harness::not_run(&test, &format!("`{line}`: {}", why.trim()));
            None
        }
    }
}

/// A file system of its own under the place's root.
fn tmpfs(place: &Place, size: &str) -> Option<Undo> {
    let line = format!("mount -t tmpfs -o size={size},mode=700 tmpfs PATH");
    system(&line, "umount -l PATH", place.root.path())
}

fn ballast(place: &Place) -> PathBuf {
    let path = place.root.path().join("ballast");
    let chunk = [1; 4096];
    let mut file = fs::File::create(&path).expect("a file");
    while std::io::Write::write_all(&mut file, &chunk).is_ok() {}
    path
}

/// Appends until it is refused; the numbers that were acknowledged end with the one returned.
async fn append_until_refused(ledger: &Ledger, from: u64) -> (u64, LedgerError) {
    let mut number = from;
    loop {
        match ledger.append(&record(number)).await {
            Ok(seq) => assert_eq!(seq, number),
            Err(error) => return (number - 1, error),
        }
        number += 1;
    }
}

/// Waits for what the ledger's own threads will do, with an end.
async fn until(what: impl Fn() -> bool) {
    let begun = Instant::now();
    while !what() {
        assert!(begun.elapsed() < Duration::from_secs(30), "it never came");
        tokio::task::yield_now().await;
    }
}

fn is_red(ledger: &Ledger, trouble: Trouble) -> bool {
    matches!(ledger.health(), Health::Red { why, .. } if why == trouble)
}

#[tokio::test]
async fn a_full_disk_refuses_and_recovers_with_the_next_append() {
    let place = Place::new();
    let Some(_mounted) = tmpfs(&place, "256k") else {
        return;
    };
    let ledger = place.open();
    append_each(&ledger, 1, 5).await;
    let ballast = ballast(&place);

    let (last, error) = append_until_refused(&ledger, 6).await;
    assert!(matches!(error, LedgerError::Full), "{error:?}");
    // The rest of the present segment and the prepared one were used up.
    assert!(last > 15, "{last}");
    assert!(is_red(&ledger, Trouble::Full), "{:?}", ledger.health());
    assert_eq!(place.verify(Some(ledger.head())).unwrap().records, last);

    fs::remove_file(ballast).unwrap();
    append_each(&ledger, last + 1, last + 40).await;
    assert_eq!(ledger.health(), Health::Ok);
    assert_eq!(
        place.verify(Some(ledger.head())).unwrap().records,
        last + 40
    );
}

#[tokio::test]
async fn a_full_disk_recovers_without_traffic() {
    let mut place = Place::new();
    place.settings.retry = Duration::from_millis(10);
    let Some(_mounted) = tmpfs(&place, "256k") else {
        return;
    };
    let ledger = place.open();
    let ballast = ballast(&place);
    let (last, _) = append_until_refused(&ledger, 1).await;

    fs::remove_file(ballast).unwrap();
    until(|| ledger.health() == Health::Ok).await;

    append_each(&ledger, last + 1, last + 1).await;
}

#[tokio::test]
async fn a_disk_about_to_be_full_is_told_while_records_still_go_in() {
    let mut place = Place::new();
    place.settings.segment_bytes = 64 << 10;
    let Some(_mounted) = tmpfs(&place, "96k") else {
        return;
    };
    let ledger = place.open();

    until(|| {
        matches!(
            ledger.health(),
            Health::Strained {
                why: Trouble::Full,
                ..
            }
        )
    })
    .await;

    append_each(&ledger, 1, 5).await;
    assert!(matches!(
        ledger.health(),
        Health::Strained {
            why: Trouble::Full,
            ..
        }
    ));
}

#[tokio::test]
async fn a_full_disk_at_the_first_start_is_told_and_leaves_nothing() {
    let mut place = Place::new();
    place.settings.segment_bytes = 64 << 10;
    let Some(_mounted) = tmpfs(&place, "32k") else {
        return;
    };

    let refused = place.try_open();

    assert!(matches!(refused, Err(LedgerError::Full)), "{refused:?}");
    assert_eq!(fs::read_dir(place.dir()).unwrap().count(), 0);
}

#[tokio::test]
async fn what_was_acknowledged_on_a_full_disk_is_there_after_a_restart() {
    let place = Place::new();
    let Some(_mounted) = tmpfs(&place, "128k") else {
        return;
    };
    let ledger = place.open();
    let ballast = ballast(&place);
    let (last, _) = append_until_refused(&ledger, 1).await;
    ledger.close().await.unwrap();

    let again = place.open();

    assert_eq!(again.head().seq, last);
    let (more, error) = append_until_refused(&again, last + 1).await;
    assert!(matches!(error, LedgerError::Full), "{error:?}");
    assert_eq!(more, last);
    fs::remove_file(ballast).unwrap();
    append_each(&again, last + 1, last + 30).await;
}

#[tokio::test]
async fn a_read_only_directory_is_refused_at_the_start() {
    let place = Place::new();
    let Some(_mounted) = tmpfs(&place, "256k") else {
        return;
    };
    let ledger = place.open();
    append_each(&ledger, 1, 3).await;
    ledger.close().await.unwrap();
    run(&words("mount -o remount,ro PATH", place.root.path())).unwrap();

    let refused = place.try_open();

    assert!(matches!(refused, Err(LedgerError::ReadOnly)), "{refused:?}");
    assert_eq!(place.verify(None).unwrap().records, 3);
    run(&words("mount -o remount,rw PATH", place.root.path())).unwrap();
    append_each(&place.open(), 4, 4).await;
}

#[tokio::test]
async fn a_failed_write_gives_its_place_up_for_a_new_segment() {
    let place = Place::roomy();
    let ledger = place.open();
    append_each(&ledger, 1, 30).await;
    let spoilt = place.last();
    let Some(marked) = system("chattr +i PATH", "chattr -i PATH", &spoilt) else {
        return;
    };

    let refused = ledger.append(&record(31)).await;
    assert!(matches!(refused, Err(LedgerError::ReadOnly)), "{refused:?}");
    assert!(is_red(&ledger, Trouble::ReadOnly), "{:?}", ledger.health());
    append_each(&ledger, 31, 40).await;
    assert_eq!(ledger.health(), Health::Ok);

    assert_eq!(place.segments().len(), 2);
    let anchor = ledger.head();
    assert_eq!(place.verify(Some(anchor)).unwrap().records, 40);
    drop(marked);
    // Whatever the failed write left behind the place that counts is nobody's record.
    let mut bytes = fs::read(&spoilt).unwrap();
    let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
    bytes[end + 1..end + 300].fill(0xa5);
    fs::write(&spoilt, bytes).unwrap();
    assert_eq!(place.verify(Some(anchor)).unwrap().records, 40);
    let page = ledger
        .read(&Query {
            limit: 100,
            ..Query::default()
        })
        .unwrap();
    let told: Vec<_> = page.entries.iter().map(|entry| entry.request.0).collect();
    assert_eq!(told, (1..=40).rev().collect::<Vec<_>>());
    ledger.close().await.unwrap();
    assert_eq!(place.open().head(), anchor);
}

#[tokio::test]
async fn a_write_that_fails_before_the_first_record_replaces_the_segment() {
    let place = Place::roomy();
    let ledger = place.open();
    append_each(&ledger, 1, 2).await;
    let spoilt = place.last();
    let Some(marked) = system("chattr +i PATH", "chattr -i PATH", &spoilt) else {
        return;
    };
    ledger.append(&record(3)).await.unwrap_err();
    // The name cannot be given to another file while the mark is on it.
    ledger.append(&record(3)).await.unwrap_err();

    drop(marked);

    append_each(&ledger, 3, 5).await;
    assert_eq!(place.segments(), [spoilt]);
    assert_eq!(place.verify(Some(ledger.head())).unwrap().records, 5);
}

#[tokio::test]
async fn a_directory_that_turns_read_only_recovers_when_it_is_writable() {
    let mut place = Place::roomy();
    place.settings.retry = Duration::from_millis(10);
    let ledger = place.open();
    append_each(&ledger, 1, 30).await;
    let dir = place.dir();
    let Some(folder) = system("chattr +i PATH", "chattr -i PATH", &dir) else {
        return;
    };
    let Some(file) = system("chattr +i PATH", "chattr -i PATH", &place.last()) else {
        return;
    };

    for _ in 0..3 {
        let refused = ledger.append(&record(31)).await;
        assert!(matches!(refused, Err(LedgerError::ReadOnly)), "{refused:?}");
        assert!(is_red(&ledger, Trouble::ReadOnly), "{:?}", ledger.health());
    }
    drop((folder, file));
    until(|| ledger.health() == Health::Ok).await;

    append_each(&ledger, 31, 33).await;
    assert_eq!(place.verify(Some(ledger.head())).unwrap().records, 33);
}

/// What somebody may do to the file under the running ledger.
type Deed = fn(&Path);

const DEEDS: [(&str, Deed); 4] = [
    ("deleted", |path| fs::remove_file(path).expect("removed")),
    ("replaced", |path| {
        let copy = path.with_extension("copy");
        fs::copy(path, &copy).expect("copied");
        fs::rename(copy, path).expect("renamed");
    }),
    ("truncated", |path| {
        let file = fs::OpenOptions::new()
            .write(true)
            .open(path)
            .expect("opened");
        file.set_len(5000).expect("truncated");
    }),
    ("made a link", |path| {
        let target = path.with_extension("target");
        fs::rename(path, &target).expect("renamed");
        std::os::unix::fs::symlink(target, path).expect("linked");
    }),
];

#[tokio::test]
async fn a_file_that_is_lost_under_the_ledger_is_refused_until_the_operator_decides() {
    for (deed, act) in DEEDS {
        let place = Place::roomy();
        let ledger = place.open();
        append_each(&ledger, 1, 10).await;
        let known = ledger.head();

        act(&place.last());
        for _ in 0..2 {
            let refused = ledger.append(&record(11)).await;
            assert!(
                matches!(refused, Err(LedgerError::Gone)),
                "{deed}: {refused:?}"
            );
            assert!(
                is_red(&ledger, Trouble::Gone),
                "{deed}: {:?}",
                ledger.health()
            );
        }
        assert_eq!(ledger.head(), known, "{deed}");

        let resumed = ledger.resume(None).await.unwrap();
        assert_eq!((resumed.head, resumed.renewed), (known, true), "{deed}");
        append_each(&ledger, 11, 20).await;
        assert_eq!(ledger.health(), Health::Ok, "{deed}");
        let page = ledger
            .read(&Query {
                after: Some(10),
                ..Query::default()
            })
            .unwrap();
        assert_eq!(page.entries.len(), 10, "{deed}");
        ledger.close().await.unwrap();
        let again = place.open();
        assert_eq!(again.head().seq, 20, "{deed}");
        if deed != "replaced" && deed != "made a link" {
            // A copy put in its place still has all that was acknowledged; the others have not.
            let damage = place.damage(Some(again.head()));
            assert!(damage.seq <= 10, "{deed}: {damage:?}");
        }
        again.prune(Before::Seq(11), Timestamp(0)).unwrap();
        assert_eq!(
            place.verify(Some(again.head())).unwrap().first,
            11,
            "{deed}"
        );
    }
}

#[tokio::test]
async fn a_deleted_file_shows_in_health_without_traffic() {
    let place = Place::roomy();
    let ledger = place.open();
    append_each(&ledger, 1, 1).await;

    fs::remove_file(place.last()).unwrap();

    assert!(is_red(&ledger, Trouble::Gone), "{:?}", ledger.health());
}

#[tokio::test]
async fn a_file_that_comes_back_heals_by_itself() {
    let mut place = Place::roomy();
    place.settings.retry = Duration::from_millis(10);
    let ledger = place.open();
    append_each(&ledger, 1, 10).await;
    let (path, away) = (place.last(), place.root.path().join("away"));
    fs::rename(&path, &away).unwrap();
    let refused = ledger.append(&record(11)).await;
    assert!(matches!(refused, Err(LedgerError::Gone)), "{refused:?}");

    fs::rename(&away, &path).unwrap();
    until(|| ledger.health() == Health::Ok).await;

    append_each(&ledger, 11, 12).await;
    let report = place.verify(Some(ledger.head())).unwrap();
    assert_eq!((report.records, report.torn), (12, None));
}

#[tokio::test]
async fn a_lost_directory_is_refused_until_the_operator_decides() {
    let place = Place::new();
    let ledger = place.open();
    append_each(&ledger, 1, 30).await;
    fs::rename(place.dir(), place.root.path().join("away")).unwrap();
    fs::create_dir(place.dir()).unwrap();
    fs::set_permissions(place.dir(), fs::Permissions::from_mode(0o700)).unwrap();

    let refused = ledger.append(&record(31)).await;
    assert!(matches!(refused, Err(LedgerError::Gone)), "{refused:?}");
    let resumed = ledger.resume(None).await.unwrap();
    assert_eq!(ledger.lost_before(resumed.head).unwrap(), Some(1..=30));
    append_each(&ledger, 31, 60).await;

    assert_eq!(ledger.health(), Health::Ok);
    let damage = place.damage(None);
    assert_eq!(
        (damage.kind, damage.seq),
        (DamageKind::SegmentMissing { until: 31 }, 1)
    );
    let busy = place.try_open();
    assert!(matches!(busy, Err(LedgerError::Busy)), "{busy:?}");
}

#[tokio::test]
async fn resuming_changes_nothing_when_nothing_is_lost() {
    let place = Place::roomy();
    let ledger = place.open();
    append_each(&ledger, 1, 3).await;

    let resumed = ledger.resume(None).await.unwrap();
    assert_eq!((resumed.head, resumed.renewed), (ledger.head(), false));

    append_each(&ledger, 4, 4).await;
    assert_eq!(place.segments().len(), 1);
    assert_eq!(place.verify(Some(ledger.head())).unwrap().records, 4);
}

/// An ext4 file system in a file, which can be frozen.
fn ext4(place: &Place, image: &Path) -> Option<Undo> {
    fs::File::create(image)
        .expect("a file")
        .set_len(8 << 20)
        .expect("a size");
    let made = run(&words("mkfs.ext4 -q -O ^has_journal PATH", image));
    if let Err(why) = made {
        let test = std::thread::current().name().unwrap_or("?").to_owned();
        harness::not_run(&test, &format!("mkfs.ext4: {}", why.trim()));
        return None;
    }
    let line = format!("mount -o loop {} PATH", image.display());
    system(&line, "umount -l PATH", place.root.path())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_disk_that_hangs_is_refused_in_time_and_recovers() {
    let outside = tempfile::tempdir().unwrap();
    let mut place = Place::new();
    place.settings.max_wait = Duration::from_millis(100);
    let Some(_mounted) = ext4(&place, &outside.path().join("image")) else {
        return;
    };
    let ledger = place.open();
    append_each(&ledger, 1, 3).await;
    let Some(frozen) = system("fsfreeze -f PATH", "fsfreeze -u PATH", place.root.path()) else {
        return;
    };

    let refused = ledger.append(&record(4)).await;
    assert!(matches!(refused, Err(LedgerError::TooSlow)), "{refused:?}");
    until(|| is_red(&ledger, Trouble::Slow)).await;
    drop(frozen);
    until(|| ledger.health() == Health::Ok).await;

    // The record that was too slow may stand, and may still be on its way: the next one says.
    let next = ledger.append(&record(5)).await.unwrap();
    assert!((4..=5).contains(&next), "{next}");
    append_each(&ledger, next + 1, next + 1).await;
    assert_eq!(place.verify(Some(ledger.head())).unwrap().records, next + 1);
    ledger.close().await.unwrap();
}
