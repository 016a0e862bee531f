//! Where the master key comes from.

#![expect(
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use claviger::crypto::{CryptoError, KeyRing, MasterSource, Passphrase, PassphraseCost};
use claviger::domain::Timestamp;
use tempfile::TempDir;

#[test]
fn a_key_file_is_made_once_and_private() {
    let home = TempDir::new().unwrap();
    let source = file(&home);

    create(&home, &source);

    let path = home.path().join("master.key");
    assert_eq!(
        fs::metadata(&path).unwrap().permissions().mode() & 0o7777,
        0o600
    );
    assert_eq!(fs::read(&path).unwrap().len(), 65);
    source.establish().unwrap();
    KeyRing::unlock(home.path(), &source).unwrap();
}

#[test]
fn a_key_file_that_others_may_use_is_refused() {
    let home = TempDir::new().unwrap();
    let source = file(&home);
    create(&home, &source);

    for mode in [0o644, 0o640, 0o660, 0o602] {
        set_mode(&home.path().join("master.key"), mode);

        let refused = KeyRing::unlock(home.path(), &source).unwrap_err();

        assert!(matches!(refused, CryptoError::Exposed { mode: told, .. } if told == mode));
    }
}

#[test]
fn a_key_file_of_another_user_is_refused() {
    let home = TempDir::new().unwrap();
    let source = file(&home);
    create(&home, &source);
    if let Err(why) = chown(home.path().join("master.key"), Some(12345), None) {
        let name = "a_key_file_of_another_user_is_refused";
        let why = format!("only root can give a file away ({why})");
        return harness::not_run(name, &why);
    }

    let refused = KeyRing::unlock(home.path(), &source).unwrap_err();

    assert!(matches!(refused, CryptoError::Owner { owner: 12345, .. }));
}

#[test]
fn a_missing_empty_or_long_key_file_is_refused() {
    let home = TempDir::new().unwrap();
    let source = file(&home);
    create(&home, &source);
    let path = home.path().join("master.key");

    fs::write(&path, "").unwrap();
    let refused = KeyRing::unlock(home.path(), &source).unwrap_err();
    assert!(matches!(refused, CryptoError::NotAKey(_)));
    fs::write(&path, "a".repeat(5000)).unwrap();
    let refused = KeyRing::unlock(home.path(), &source).unwrap_err();
    assert!(matches!(refused, CryptoError::File { .. }));
    fs::remove_file(&path).unwrap();
    let refused = KeyRing::unlock(home.path(), &source).unwrap_err();
    assert!(matches!(refused, CryptoError::File { .. }));
}

#[test]
fn a_key_file_is_replaced_with_the_keyring() {
    let home = TempDir::new().unwrap();
    let source = file(&home);
    let ring = create(&home, &source);
    let old = fs::read(home.path().join("master.key")).unwrap();

    ring.rewrap_from(&source).unwrap();

    assert_ne!(fs::read(home.path().join("master.key")).unwrap(), old);
    KeyRing::unlock(home.path(), &source).unwrap();
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2);
}

#[test]
fn a_crash_at_any_step_of_a_key_change_leaves_a_way_in() {
    let home = TempDir::new().unwrap();
    let source = file(&home);
    let ring = create(&home, &source);
    let (key, next) = (
        home.path().join("master.key"),
        home.path().join("master.key.new"),
    );
    let old = fs::read(&key).unwrap();
    ring.rewrap_from(&source).unwrap();
    let new = fs::read(&key).unwrap();

    // The keyring was written, the key file not yet moved.
    private(&key, &old);
    private(&next, &new);
    KeyRing::unlock(home.path(), &source).unwrap();
    assert_eq!(fs::read(&key).unwrap(), new);
    assert!(!next.exists());

    // The next key was written, and nothing else.
    private(&next, &old);
    KeyRing::unlock(home.path(), &source).unwrap();
    assert_eq!(fs::read(&key).unwrap(), new);
}

#[test]
fn a_wrong_key_file_beside_a_wrong_one_opens_nothing() {
    let home = TempDir::new().unwrap();
    let source = file(&home);
    create(&home, &source);
    for name in ["master.key", "master.key.new"] {
        private(
            &home.path().join(name),
            "0123456789abcdef".repeat(4).as_bytes(),
        );
    }

    let refused = KeyRing::unlock(home.path(), &source).unwrap_err();

    assert!(matches!(refused, CryptoError::WrongMaster(_)));
}

#[test]
fn a_passphrase_opens_after_a_restart_by_the_keyring_s_salt() {
    let home = TempDir::new().unwrap();
    create(&home, &passphrase("correct horse battery"));

    KeyRing::unlock(home.path(), &passphrase("correct horse battery\n")).unwrap();

    let refused = KeyRing::unlock(home.path(), &passphrase("correct horse")).unwrap_err();
    assert!(matches!(refused, CryptoError::WrongMaster(_)));
}

#[test]
fn a_keyring_wrapped_by_a_key_takes_no_passphrase() {
    let home = TempDir::new().unwrap();
    create(&home, &file(&home));

    let refused = KeyRing::unlock(home.path(), &passphrase("correct horse battery"));

    assert!(matches!(refused, Err(CryptoError::NotAKey(_))));
}

#[test]
fn a_passphrase_is_read_from_a_private_file() {
    let home = TempDir::new().unwrap();
    create(&home, &passphrase("correct horse battery"));
    let path = home.path().join("passphrase");
    private(&path, b"correct horse battery\n");

    let read = MasterSource::Passphrase(Passphrase::from_file(&path).unwrap(), CHEAPEST);

    KeyRing::unlock(home.path(), &read).unwrap();
    set_mode(&path, 0o640);
    let refused = Passphrase::from_file(&path).unwrap_err();
    assert!(matches!(refused, CryptoError::Exposed { mode: 0o640, .. }));
}

#[test]
fn a_credential_opens_whatever_its_mode_looks_like() {
    let home = TempDir::new().unwrap();
    let path = home.path().join("credential");
    fs::write(&path, (0..32).collect::<Vec<u8>>()).unwrap();
    set_mode(&path, 0o440);
    let source = MasterSource::Credential(path);

    create(&home, &source);

    KeyRing::unlock(home.path(), &source).unwrap();
}

#[test]
fn a_credential_that_systemd_did_not_hand_over_is_refused() {
    let refused = MasterSource::credential("claviger-test-no-such-credential").unwrap_err();

    assert!(matches!(refused, CryptoError::Credential(_)));
}

#[test]
fn a_command_gives_the_key_in_any_form() {
    let hex = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let home = TempDir::new().unwrap();
    let source = command(&["printf", "%s\\n", hex]);
    create(&home, &source);

    for same in [
        command(&["printf", hex]),
        command(&["printf", "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\\n"]),
        command(&["sh", "-c", "echo noise >&2; printf \"$0\"", hex]),
    ] {
        KeyRing::unlock(home.path(), &same).unwrap();
    }
}

#[test]
fn a_command_that_fails_is_told_without_what_it_printed() {
    for (argv, why) in [
        (
            &["sh", "-c", "echo hunter2; echo hunter3 >&2; exit 1"][..],
            "ended with an error",
        ),
        (
            &["sh", "-c", "echo hunter2; kill -9 $$"],
            "ended with an error",
        ),
        (
            &["sh", "-c", "yes hunter2"],
            "printed too much, or could not be read",
        ),
        (&[], "is not named"),
    ] {
        let refused = command(argv).establish().unwrap_err();

        assert!(
            matches!(refused, CryptoError::Command { why: told, .. } if told == why),
            "{argv:?}"
        );
        assert!(!format!("{refused} {refused:?}").contains("hunter3"));
    }
    let refused = command(&["echo", "hunter2"]).establish().unwrap_err();
    assert!(matches!(refused, CryptoError::NotAKey(_)));
    let refused = command(&["/no/such/program"]).establish().unwrap_err();
    assert!(matches!(refused, CryptoError::File { .. }));
}

#[test]
fn a_command_that_hangs_is_ended_with_its_children() {
    let home = TempDir::new().unwrap();
    let fifo = home.path().join("fifo");
    let script = format!("mkfifo {0}; cat {0} & cat {0}", fifo.display());
    let started = Instant::now();

    for argv in [
        &["sh", "-c", &script][..],
        &["sh", "-c", "exec >&-; sleep 600"],
    ] {
        let source = MasterSource::Command(owned(argv), Duration::from_millis(200));

        let refused = source.establish().unwrap_err();

        assert!(matches!(
            refused,
            CryptoError::Command {
                why: "was not done in time",
                ..
            }
        ));
    }
    assert!(started.elapsed() < Duration::from_secs(30));
}

#[test]
fn a_source_prints_no_passphrase() {
    let printed = format!("{:?}", passphrase("correct horse battery"));

    assert!(
        printed.starts_with("Passphrase(Passphrase(..), "),
        "{printed}"
    );
}

const CHEAPEST: PassphraseCost = PassphraseCost {
    memory_kib: 19 * 1024,
    passes: 2,
    lanes: 1,
};

fn create(home: &TempDir, source: &MasterSource) -> KeyRing {
    let master = source.establish().unwrap();
    KeyRing::create(home.path(), &master, Timestamp(1))
        .unwrap()
        .0
}

fn file(home: &TempDir) -> MasterSource {
    MasterSource::File(home.path().join("master.key"))
}

fn passphrase(text: &str) -> MasterSource {
    MasterSource::Passphrase(Passphrase::new(text).unwrap(), CHEAPEST)
}

fn command(argv: &[&str]) -> MasterSource {
    MasterSource::Command(owned(argv), Duration::from_secs(30))
}

fn owned(argv: &[&str]) -> Vec<String> {
    argv.iter().map(|word| (*word).to_owned()).collect()
}

fn private(path: &PathBuf, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    set_mode(path, 0o600);
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}
