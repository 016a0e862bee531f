use std::fs;
use std::path::Path;

use claviger::app::{self, AppError, Unlock};
use claviger::crypto::{CryptoError, MasterSource};
use claviger::store::archive::ArchiveError;
use zeroize::Zeroizing;

use crate::fixture::{Home, home, names};

#[tokio::test]
async fn a_changed_byte_a_cut_and_swapped_pieces_are_refused_and_nothing_is_put_in_place() {
    let home = home_with_pieces().await;
    let whole = fs::read(home.path("backup")).unwrap();
    let begin = pieces(&whole);
    let piece = 4 + PIECE + 40;
    let mut swapped = whole.clone();
    let (left, right) = swapped.split_at_mut(begin + piece);
    left[begin..].swap_with_slice(&mut right[..piece]);
    let twice = [&whole[..begin + piece], &whole[begin..]].concat();
    let without = [&whole[..begin], &whole[begin + piece..]].concat();
    let longer = [&whole[..], b"x"].concat();
    let cuts = [begin, begin + piece, begin + 3 * piece, whole.len() - 1];
    let cuts = cuts.map(|at| whole[..at].to_vec());
    let flips = (begin..whole.len())
        .step_by(30_011)
        .chain([whole.len() - 1]);
    let flips = flips.map(|at| flipped(&whole, at));

    for (number, damaged) in [swapped, twice, without, longer]
        .into_iter()
        .chain(cuts)
        .chain(flips)
        .enumerate()
    {
        fs::write(home.path("backup"), damaged).unwrap();

        let refused = home.restore("new").await;

        let damage = matches!(
            refused,
            Err(AppError::Backup {
                source: ArchiveError::Damaged,
                ..
            })
        );
        assert!(damage, "{number}: {refused:?}");
        assert_eq!(names(&home.path("new")), ["store.lock"], "{number}");
    }
}

#[tokio::test]
async fn what_stands_in_the_clear_cannot_be_changed_either() {
    let home = home().await;
    home.backup().await;
    let whole = fs::read(home.path("backup")).unwrap();

    for at in (0..pieces(&whole)).step_by(13) {
        fs::write(home.path("backup"), flipped(&whole, at)).unwrap();

        let refused = check(&home, Unlock::KeyFile(home.path("data/master.key"))).await;

        assert!(refused.is_err(), "byte {at}");
    }
    fs::write(home.path("backup"), b"PK\x03\x04").unwrap();
    let foreign = check(&home, home.by_code()).await;
    assert!(matches!(
        foreign,
        Err(AppError::Backup {
            source: ArchiveError::Foreign,
            ..
        })
    ));
}

#[tokio::test]
async fn without_the_master_key_or_the_code_nothing_is_restored() {
    let (home, other) = tokio::join!(home(), home());
    home.backup().await;
    let foreign = Unlock::KeyFile(other.path("data/master.key"));
    let wrong = Unlock::Code(Zeroizing::new(other.code.clone()));
    let mistyped = Unlock::Code(Zeroizing::new(home.code.replace('-', "").replacen(
        &home.code[..1],
        if home.code.starts_with('7') { "8" } else { "7" },
        1,
    )));

    let foreign = home.restore_by("new", foreign).await;
    let wrong = home.restore_by("new", wrong).await;
    let mistyped = home.restore_by("new", mistyped).await;
    let none = home.restore_by("new", Unlock::Configured).await;

    let backup = home.path("backup");
    assert!(
        matches!(&foreign, Err(AppError::Keys(CryptoError::WrongMaster(of))) if *of == backup),
        "{foreign:?}"
    );
    assert!(
        matches!(&wrong, Err(AppError::Keys(CryptoError::WrongCode(of))) if *of == backup),
        "{wrong:?}"
    );
    assert!(matches!(mistyped, Err(AppError::Keys(CryptoError::Typo))));
    assert!(matches!(none, Err(AppError::NoKey(at)) if at == home.path("new/master.key")));
    assert_eq!(names(&home.path("new")), ["store.lock"]);
}

#[tokio::test]
async fn a_check_reads_everything_and_makes_nothing() {
    let home = home().await;
    let made = home.backup().await;

    let found = check(&home, Unlock::KeyFile(home.path("data/master.key"))).await;
    let by_code = check(&home, home.by_code()).await.unwrap();

    let found = found.unwrap();
    assert_eq!(found, by_code);
    assert_eq!((found.rows, found.files), (made.rows, made.files));
    assert_eq!((found.head, found.damaged_rows), (made.head, 0));
    assert!(!home.path("new").exists());
}

#[tokio::test]
async fn a_replaced_master_key_opens_its_own_backups_only() {
    let home = home().await;
    home.backup().await;
    let key = home.path("data/master.key");
    fs::copy(&key, home.path("old.key")).unwrap();
    let source = MasterSource::File(key);
    let ring = claviger::crypto::KeyRing::unlock(&home.path("data"), &source).unwrap();
    ring.rewrap_from(&source).unwrap();

    let by_new = check(&home, Unlock::KeyFile(home.path("data/master.key"))).await;
    let by_old = check(&home, Unlock::KeyFile(home.path("old.key"))).await;

    assert!(matches!(
        by_new,
        Err(AppError::Keys(CryptoError::WrongMaster(_)))
    ));
    by_old.unwrap();
}

async fn check(home: &Home, unlock: Unlock) -> Result<app::BackupContent, AppError> {
    app::verify_backup(&home.folder("new"), &home.path("backup"), unlock, |_| {}).await
}

/// A directory whose backup has several pieces.
async fn home_with_pieces() -> Home {
    let home = home().await;
    fs::write(home.path("data/crl/long.crl"), vec![7; 4 * PIECE]).unwrap();
    home.backup().await;
    home
}

/// Where the sealed pieces begin: behind two lines and the keyring, whose length the second says.
fn pieces(whole: &[u8]) -> usize {
    let mut lines = whole.splitn(3, |byte| *byte == b'\n');
    let (magic, said) = (lines.next().unwrap(), lines.next().unwrap());
    let said_at: serde_json::Value = serde_json::from_slice(said).unwrap();
    let keyring = said_at["keyring"].as_u64().unwrap() as usize;
    magic.len() + said.len() + 2 + keyring
}

fn flipped(whole: &[u8], at: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes[at] ^= 1;
    bytes
}

#[test]
fn a_backup_never_takes_the_place_of_another_file() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("backup");
    fs::write(&path, "precious").unwrap();

    assert!(app::BackupTarget::create(&path).is_err());

    let later = home.path().join("later");
    let target = app::BackupTarget::create(&later).unwrap();
    fs::write(&later, "precious").unwrap();
    assert!(target.keep().is_err());
    assert_eq!(names(home.path()), ["backup", "later"]);
    assert_untouched(&path);
    assert_untouched(&later);
}

fn assert_untouched(path: &Path) {
    assert_eq!(fs::read_to_string(path).unwrap(), "precious");
}

const PIECE: usize = 64 << 10;
