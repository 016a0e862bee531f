//! Full disks: each story runs in a process of its own, in its own mount namespace, on a small
//! tmpfs; where mounting is not permitted, it says so.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use claviger::app::{self, AppError, DataFolder, Restore, Unlock};
use claviger::vault::{Outage, VaultError};

use crate::fixture::{home, names};

#[test]
fn a_full_disk_leaves_no_half_backup() {
    on_a_small_disk(
        "disk::a_full_disk_leaves_no_half_backup",
        "64k",
        |disk| async move {
            let home = home().await;
            fs::write(home.path("data/crl/long.crl"), vec![7; 100_000]).unwrap();

            let failed = app::backup(&home.folder("data"), &disk.join("backup"), |_| {}).await;

            assert!(
                matches!(
                    failed,
                    Err(AppError::Vault(VaultError::Unavailable(Outage::Backup(_))))
                ),
                "{failed:?}"
            );
            assert_eq!(names(&disk), Vec::<String>::new());
            home.open("data").await.close().await;
        },
    );
}

#[test]
fn a_full_disk_leaves_no_half_vault() {
    on_a_small_disk(
        "disk::a_full_disk_leaves_no_half_vault",
        "1m",
        |disk| async move {
            let home = home().await;
            home.backup().await;
            let what = Restore {
                file: home.path("backup"),
                unlock: Unlock::KeyFile(home.path("data/master.key")),
                replace: false,
            };

            let failed = app::restore(&DataFolder::new(disk.join("new")), what, |_| {}).await;

            assert!(failed.is_err());
            assert_eq!(names(&disk.join("new")), ["store.lock"]);
        },
    );
}

/// Runs `story` of the test `name` on a tmpfs, in a process of its own.
fn on_a_small_disk<F: Future<Output = ()>>(
    name: &str,
    size: &str,
    story: impl FnOnce(PathBuf) -> F,
) {
    if let Some(disk) = std::env::var_os(DISK) {
        let disk = PathBuf::from(disk);
        let size = format!("size={size},mode=0700");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "claviger-test"])
            .arg(&disk)
            .status();
        assert!(mounted.unwrap().success());
        tokio::runtime::Runtime::new()
            .unwrap()
            .block_on(story(disk));
        fs::write(Path::new(&std::env::var_os(TOLD).unwrap()), "done").unwrap();
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let (disk, told) = (home.path().join("disk"), home.path().join("told"));
    fs::create_dir(&disk).unwrap();
    let Some(unshare) = namespace(&disk) else {
        return crate::not_run::not_run(name, "no mount namespace may be made here");
    };
    let output = Command::new("unshare")
        .args(unshare)
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", name, "--nocapture"])
        .env(DISK, &disk)
        .env(TOLD, &told)
        .output()
        .unwrap();

    let text = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{text}{}",
        String::from_utf8_lossy(&output.stdout)
    );
    assert!(File::open(told).is_ok(), "the story was not told: {text}");
}

/// How a mount namespace is made here: as root, or as the root of a user namespace.
fn namespace(disk: &Path) -> Option<&'static [&'static str]> {
    let ways: [&[&str]; 2] = [&["--mount"], &["--mount", "--map-root-user"]];
    ways.into_iter().find(|way| {
        let mut tried = Command::new("unshare");
        tried
            .args(*way)
            .args(["mount", "-t", "tmpfs", "claviger-test"])
            .arg(disk);
        tried.output().is_ok_and(|output| output.status.success())
    })
}

const DISK: &str = "CLAVIGER_TEST_DISK";
const TOLD: &str = "CLAVIGER_TEST_TOLD";
