//! A disk that can be filled: a tmpfs of a few MiB in a mount namespace of its own, so that nothing
//! of it is left behind however the test ends.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process::run;

/// Runs `story` of the test `name` on a file system of `size` (`24m`, `64k`), in a process of its
/// own. Where no mount namespace may be made, [`not_run`] says so.
///
/// # Panics
/// When the story does.
#[track_caller]
pub fn on_a_small_disk(name: &str, size: &str, story: impl FnOnce(&Path)) {
    if let Some(disk) = std::env::var_os(DISK) {
        let disk = PathBuf::from(disk);
        let size = format!("size={size},mode=0700");
        mount(&["-t", "tmpfs", "-o", &size, "claviger-test"], &disk);
        story(&disk);
        File::create(std::env::var_os(TOLD).expect("set beside the disk")).expect("a mark");
        return;
    }
    let home = tempfile::tempdir().expect("a temporary directory");
    let (disk, told) = (home.path().join("disk"), home.path().join("told"));
    fs::create_dir(&disk).expect("a writable directory");
    let Some(way) = namespace(&disk) else {
        return not_run(name, "no mount namespace may be made here");
    };
    let mut command = Command::new("unshare");
    command
        .args(way)
        .arg(std::env::current_exe().expect("a test knows its own path"))
        .args(["--exact", name, "--nocapture"])
        .env(DISK, &disk)
        .env(TOLD, &told);
    let ran = run(&mut command).ok();
    assert!(told.exists(), "the story was not told: {ran}");
}

/// Mounts, or mounts anew, at `place`.
///
/// # Panics
/// When the system refuses.
#[track_caller]
pub fn mount(words: &[&str], place: &Path) {
    run(Command::new("mount").args(words).arg(place)).ok();
}

/// Tells that `name`, or a part of it, cannot be run here: `./test` lists it at its end.
pub fn not_run(name: &str, why: &str) {
    let line = format!("{name}: {why}\n");
    if let Some(list) = std::env::var_os("CLAVIGER_NOT_RUN")
        && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(list)
    {
        drop(file.write_all(line.as_bytes()));
    }
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
