//! Full disks: each story runs in a process of its own, in its own mount namespace, on a small
//! tmpfs; where mounting is not permitted, it says so.

use std::fs;
use std::path::PathBuf;

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

/// Runs `story` of the test `name` on a tmpfs.
fn on_a_small_disk<F: Future<Output = ()>>(
    name: &str,
    size: &str,
    story: impl FnOnce(PathBuf) -> F,
) {
    harness::on_a_small_disk(name, size, |disk| {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        runtime.block_on(story(disk.to_owned()));
    });
}
