//! The keyring on disk and in use.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use claviger::crypto::{CryptoError, KeyRing, MasterKey, Passphrase, PassphraseCost, RecoveryCode};
use claviger::domain::Timestamp;
use proptest::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

#[test]
fn what_was_sealed_opens_after_a_restart() {
    let (home, master, ring, _) = fresh();
    let sealed = ring.seal(b"here", b"hello").unwrap();
    drop(ring);

    let ring = KeyRing::load(home.path(), &master).unwrap();

    assert_eq!(*ring.open(b"here", &sealed).unwrap(), b"hello");
}

#[test]
fn every_use_has_the_same_key_after_a_restart() {
    let (home, master, ring, _) = fresh();
    let uses = |ring: &KeyRing| {
        let (seal, chain) = ring.ledger_keys();
        let other = ring.derive_seal("x v1");
        let mac = ring.derive_mac("x v1").tag(&[]);
        (
            ring.hide("a", &[b"b"]),
            *seal.expose(),
            chain.tag(&[]),
            *other.expose(),
            mac,
        )
    };

    let again = KeyRing::load(home.path(), &master).unwrap();

    assert_eq!(uses(&ring), uses(&again));
}

#[test]
fn hidden_names_do_not_run_together() {
    let (_home, _, ring, _) = fresh();
    let hidden = ring.hide("user", &[b"ab", b"c"]);

    assert_eq!(hidden, ring.hide("user", &[b"ab", b"c"]));
    assert_ne!(hidden, ring.hide("user", &[b"a", b"bc"]));
    assert_ne!(hidden, ring.hide("resource", &[b"ab", b"c"]));
    assert_ne!(hidden, ring.hide("user", &[b"ab", b"c", b""]));
}

#[test]
fn two_keyrings_hide_names_differently() {
    let (_home, _, one, _) = fresh();
    let (_other_home, _, other, _) = fresh();

    assert_ne!(one.hide("user", &[b"a"]), other.hide("user", &[b"a"]));
}

#[test]
fn a_moved_or_rolled_back_row_does_not_open() {
    let (_home, _, ring, _) = fresh();
    let sealed = ring.seal(b"table 8, row 1, version 2", b"hello").unwrap();

    for elsewhere in [
        &b"table 8, row 2, version 2"[..],
        b"table 9, row 1, version 2",
        b"table 8, row 1, version 3",
        b"",
    ] {
        let refused = ring.open(elsewhere, &sealed);

        assert!(matches!(refused, Err(CryptoError::Broken)));
    }
}

#[test]
fn swapped_rows_do_not_open() {
    let (_home, _, ring, _) = fresh();
    let one = ring.seal(b"row 1", b"hello").unwrap();
    let two = ring.seal(b"row 2", b"hello").unwrap();

    assert!(matches!(
        ring.open(b"row 1", &two),
        Err(CryptoError::Broken)
    ));
    assert!(matches!(
        ring.open(b"row 2", &one),
        Err(CryptoError::Broken)
    ));
}

#[test]
fn a_row_of_another_keyring_does_not_open() {
    let (_home, _, one, _) = fresh();
    let (_other_home, _, other, _) = fresh();
    let sealed = one.seal(b"here", b"hello").unwrap();

    assert!(matches!(
        other.open(b"here", &sealed),
        Err(CryptoError::Broken)
    ));
}

#[test]
fn a_row_tells_its_data_key() {
    let (_home, _, ring, _) = fresh();
    let sealed = ring.seal(b"", b"").unwrap();

    assert_eq!(KeyRing::key_number(&sealed), Some(1));
    assert_eq!(KeyRing::key_number(&sealed[..3]), None);
}

#[test]
fn a_row_under_an_unknown_data_key_says_so() {
    let (_home, _, ring, _) = fresh();
    let mut sealed = ring.seal(b"here", b"hello").unwrap();
    sealed[3] = 2;

    assert!(matches!(
        ring.open(b"here", &sealed),
        Err(CryptoError::NoKey(2))
    ));
}

#[test]
fn the_number_of_a_data_key_is_sealed_too() {
    let (_home, _, ring, _) = fresh();
    let mut sealed = ring.seal(b"here", b"hello").unwrap();
    ring.add_data_key(Timestamp(2)).unwrap();
    sealed[3] = 2;

    assert!(matches!(
        ring.open(b"here", &sealed),
        Err(CryptoError::Broken)
    ));
}

#[test]
fn the_newest_data_key_seals_and_the_old_ones_open() {
    let (home, master, ring, _) = fresh();
    let old = ring.seal(b"here", b"old").unwrap();

    assert_eq!(ring.add_data_key(Timestamp(2)).unwrap(), 2);

    let new = ring.seal(b"here", b"new").unwrap();
    assert_eq!(KeyRing::key_number(&new), Some(2));
    for ring in [&ring, &KeyRing::load(home.path(), &master).unwrap()] {
        assert_eq!(*ring.open(b"here", &old).unwrap(), b"old");
        assert_eq!(*ring.open(b"here", &new).unwrap(), b"new");
        assert_eq!(ring.data_keys(), [(1, Timestamp(1)), (2, Timestamp(2))]);
    }
}

#[test]
fn a_retired_data_key_opens_nothing() {
    let (home, master, ring, _) = fresh();
    let old = ring.seal(b"here", b"old").unwrap();
    ring.add_data_key(Timestamp(2)).unwrap();

    ring.retire(1).unwrap();

    for ring in [&ring, &KeyRing::load(home.path(), &master).unwrap()] {
        assert!(matches!(
            ring.open(b"here", &old),
            Err(CryptoError::NoKey(1))
        ));
    }
}

#[test]
fn the_newest_and_an_unknown_data_key_are_not_retired() {
    let (_home, _, ring, _) = fresh();

    assert!(matches!(ring.retire(1), Err(CryptoError::Newest(1))));
    assert!(matches!(ring.retire(2), Err(CryptoError::NoKey(2))));
}

#[test]
fn numbers_of_retired_data_keys_are_not_given_again() {
    let (_home, _, ring, _) = fresh();
    ring.add_data_key(Timestamp(2)).unwrap();
    ring.retire(1).unwrap();

    assert_eq!(ring.add_data_key(Timestamp(3)).unwrap(), 3);
}

#[test]
fn rotation_goes_on_while_others_seal_and_open() {
    let (_home, _, ring, _) = fresh();

    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..2000 {
                    let sealed = ring.seal(b"here", b"hello").unwrap();
                    assert_eq!(*ring.open(b"here", &sealed).unwrap(), b"hello");
                }
            });
        }
        (2..12).for_each(|number| assert_eq!(ring.add_data_key(Timestamp(2)).unwrap(), number));
    });
}

#[test]
fn another_master_key_is_told_as_such() {
    let (home, _, _, _) = fresh();

    let refused = KeyRing::load(home.path(), &MasterKey::random().unwrap()).unwrap_err();

    assert!(matches!(refused, CryptoError::WrongMaster(_)));
}

#[test]
fn a_rewrapped_keyring_opens_by_its_new_master_key_only() {
    let (home, old, ring, code) = fresh();
    let new = MasterKey::random().unwrap();

    ring.rewrap(&new).unwrap();

    KeyRing::load(home.path(), &new).unwrap();
    let refused = KeyRing::load(home.path(), &old).unwrap_err();
    assert!(matches!(refused, CryptoError::WrongMaster(_)));
    KeyRing::recover(home.path(), &code, &old).unwrap();
}

#[test]
fn a_passphrase_opens_what_it_wrapped() {
    let (home, _, ring, _) = fresh();
    let cost = PassphraseCost {
        memory_kib: 19 * 1024,
        passes: 2,
        lanes: 1,
    };
    let master = MasterKey::stretch_new(&passphrase("correct horse battery"), cost).unwrap();
    ring.rewrap(&master).unwrap();

    KeyRing::load(home.path(), &master).unwrap();

    let twin = MasterKey::stretch_new(&passphrase("correct horse battery"), cost).unwrap();
    let refused = KeyRing::load(home.path(), &twin).unwrap_err();
    assert!(
        matches!(refused, CryptoError::WrongMaster(_)),
        "another salt, another key"
    );
}

#[test]
fn the_recovery_code_opens_the_ring_for_a_new_master_key() {
    let (home, old, ring, code) = fresh();
    ring.add_data_key(Timestamp(2)).unwrap();
    let sealed = ring.seal(b"here", b"hello").unwrap();
    let new = MasterKey::random().unwrap();
    let typed = RecoveryCode::parse(&code.expose()).unwrap();

    KeyRing::recover(home.path(), &typed, &new).unwrap();

    let ring = KeyRing::load(home.path(), &new).unwrap();
    assert_eq!(*ring.open(b"here", &sealed).unwrap(), b"hello");
    let refused = KeyRing::load(home.path(), &old).unwrap_err();
    assert!(matches!(refused, CryptoError::WrongMaster(_)));
}

#[test]
fn a_code_of_another_keyring_opens_nothing() {
    let (home, master, _, _) = fresh();
    let before = fs::read(home.path().join(KeyRing::FILE)).unwrap();

    let refused = KeyRing::recover(home.path(), &RecoveryCode::random().unwrap(), &master);

    assert!(matches!(refused, Err(CryptoError::WrongCode(_))));
    assert_eq!(fs::read(home.path().join(KeyRing::FILE)).unwrap(), before);
}

#[test]
fn a_renewed_keyring_forgets_the_old_master_key_and_code() {
    let (home, old, ring, old_code) = fresh();
    let sealed = ring.seal(b"here", b"hello").unwrap();
    let new = MasterKey::random().unwrap();

    let code = ring.renew(&new).unwrap();

    let refused = KeyRing::load(home.path(), &old).unwrap_err();
    assert!(matches!(refused, CryptoError::WrongMaster(_)));
    let refused = KeyRing::recover(home.path(), &old_code, &new).unwrap_err();
    assert!(matches!(refused, CryptoError::WrongCode(_)));
    ring.add_data_key(Timestamp(2)).unwrap();
    for ring in [
        KeyRing::load(home.path(), &new).unwrap(),
        KeyRing::recover(home.path(), &code, &new).unwrap(),
    ] {
        assert_eq!(*ring.open(b"here", &sealed).unwrap(), b"hello");
        assert_eq!(ring.newest(), 2);
    }
}

#[test]
fn a_keyring_is_not_overwritten() {
    let (home, master, _, _) = fresh();

    let refused = KeyRing::create(home.path(), &master, Timestamp(2)).unwrap_err();

    assert!(matches!(refused, CryptoError::Exists(_)));
    assert_eq!(names(home.path()), [KeyRing::FILE]);
}

#[test]
fn a_directory_without_keyring_says_what_to_do() {
    let home = TempDir::new().unwrap();

    let refused = KeyRing::load(home.path(), &MasterKey::random().unwrap()).unwrap_err();

    assert!(matches!(refused, CryptoError::NoRing(_)));
    assert!(refused.to_string().contains("claviger init"));
}

#[test]
fn a_keyring_that_others_may_use_is_refused() {
    let (home, master, _, _) = fresh();
    let file = home.path().join(KeyRing::FILE);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o7777,
        0o600
    );

    for mode in [0o644, 0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();

        let refused = KeyRing::load(home.path(), &master).unwrap_err();

        assert!(matches!(refused, CryptoError::Exposed { mode: told, .. } if told == mode));
    }
}

#[test]
fn a_crash_before_the_rename_leaves_the_old_keyring() {
    let (home, master, ring, _) = fresh();
    fs::write(home.path().join("keyring.json.new"), b"{\"format\":1,\"mas").unwrap();

    KeyRing::load(home.path(), &master).unwrap();

    ring.add_data_key(Timestamp(2)).unwrap();
    assert_eq!(names(home.path()), [KeyRing::FILE]);
}

#[test]
fn a_change_that_cannot_be_written_changes_nothing() {
    let (home, master, ring, _) = fresh();
    // A directory in the way stands for every reason why the new file cannot be written.
    fs::create_dir(home.path().join("keyring.json.new")).unwrap();

    let refused = ring.add_data_key(Timestamp(2)).unwrap_err();

    assert!(matches!(refused, CryptoError::File { .. }));
    assert_eq!(ring.newest(), 1);
    assert_eq!(KeyRing::load(home.path(), &master).unwrap().newest(), 1);
}

#[test]
fn a_change_over_somebody_else_s_is_refused() {
    let (home, master, ring, _) = fresh();
    let other = KeyRing::load(home.path(), &master).unwrap();
    other.add_data_key(Timestamp(2)).unwrap();

    for refused in [
        ring.add_data_key(Timestamp(3)).map(drop),
        ring.rewrap(&master),
        ring.renew(&master).map(drop),
    ] {
        assert!(matches!(refused, Err(CryptoError::Changed(_))));
    }
    assert_eq!(KeyRing::load(home.path(), &master).unwrap().newest(), 2);
}

#[test]
fn a_change_of_any_field_is_seen() {
    let (home, master, ring, code) = fresh();
    ring.add_data_key(Timestamp(2)).unwrap();
    let file = home.path().join(KeyRing::FILE);
    let whole: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let mut pointers = Vec::new();
    collect(&whole, String::new(), &mut pointers);
    assert_eq!(pointers.len(), 6 + 5 * 4);

    for pointer in pointers {
        let mut changed = whole.clone();
        spoil(changed.pointer_mut(&pointer).unwrap());
        fs::write(&file, changed.to_string()).unwrap();

        assert!(told(&KeyRing::load(home.path(), &master)), "{pointer}");
        assert!(
            told(&KeyRing::recover(home.path(), &code, &master)),
            "{pointer}"
        );
    }
}

#[test]
fn a_key_more_less_or_twice_is_seen() {
    let (home, master, _, _) = fresh();
    let file = home.path().join(KeyRing::FILE);
    let whole: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let edits: [fn(&mut Vec<Value>); 3] = [
        |keys| drop(keys.pop()),
        |keys| keys.push(keys[0].clone()),
        |keys| keys.swap(0, 1),
    ];

    for edit in edits {
        let mut changed = whole.clone();
        edit(changed["keys"].as_array_mut().unwrap());
        fs::write(&file, changed.to_string()).unwrap();

        let refused = KeyRing::load(home.path(), &master);

        assert!(matches!(refused, Err(CryptoError::Tampered { .. })));
    }
}

#[test]
fn an_unknown_member_or_no_json_is_refused() {
    let (home, master, _, _) = fresh();
    let file = home.path().join(KeyRing::FILE);
    let whole = fs::read_to_string(&file).unwrap();

    for text in [
        whole.replacen('{', "{\"more\":1,", 1),
        whole.replacen("\"check\"", "\"format\":1,\"check\"", 1),
        whole[..whole.len() / 2].to_owned(),
        String::new(),
        format!("{whole}{whole}"),
        "null".to_owned(),
    ] {
        fs::write(&file, text).unwrap();

        let refused = KeyRing::load(home.path(), &master);

        assert!(matches!(refused, Err(CryptoError::Tampered { .. })));
    }
}

#[test]
fn a_keyring_of_a_later_version_says_so() {
    let (home, master, _, _) = fresh();
    fs::write(
        home.path().join(KeyRing::FILE),
        b"{\"format\":2,\"new\":{}}",
    )
    .unwrap();

    let refused = KeyRing::load(home.path(), &master);

    assert!(matches!(
        refused,
        Err(CryptoError::Format { format: 2, .. })
    ));
}

#[test]
fn nothing_secret_is_printed() {
    let (_home, master, ring, code) = fresh();

    assert_eq!(format!("{master:?} {ring:?}"), "MasterKey(..) KeyRing(..)");
    assert_eq!(format!("{code:?}"), "RecoveryCode(..)");
    assert_eq!(format!("{:?}", passphrase("hunter2")), "Passphrase(..)");
    assert_eq!(
        format!("{:?}", ring.ledger_keys()),
        "(SealKey(..), MacKey(..))"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_sealed_opens(place: Vec<u8>, plain: Vec<u8>) {
        RING.with(|ring| {
            let sealed = ring.seal(&place, &plain).unwrap();
            prop_assert_eq!(&*ring.open(&place, &sealed).unwrap(), &plain);
            Ok(())
        })?;
    }

    #[test]
    fn a_flipped_bit_does_not_open(plain: Vec<u8>, at: prop::sample::Index, bit in 0..8) {
        RING.with(|ring| {
            let mut sealed = ring.seal(b"here", &plain).unwrap();
            let at = at.index(sealed.len());
            sealed[at] ^= 1_u8 << bit;
            let refused = ring.open(b"here", &sealed);
            prop_assert!(matches!(refused, Err(CryptoError::Broken | CryptoError::NoKey(_))));
            Ok(())
        })?;
    }

    #[test]
    fn a_cut_row_does_not_open(plain: Vec<u8>, at: prop::sample::Index) {
        RING.with(|ring| {
            let sealed = ring.seal(b"here", &plain).unwrap();
            let refused = ring.open(b"here", &sealed[..at.index(sealed.len())]);
            prop_assert!(matches!(refused, Err(CryptoError::Broken)));
            Ok(())
        })?;
    }
}

thread_local! {
    static RING: KeyRing = fresh().2;
}

fn fresh() -> (TempDir, MasterKey, KeyRing, RecoveryCode) {
    let home = TempDir::new().unwrap();
    let master = MasterKey::random().unwrap();
    let (ring, code) = KeyRing::create(home.path(), &master, Timestamp(1)).unwrap();
    (home, master, ring, code)
}

fn passphrase(text: &str) -> Passphrase {
    Passphrase::new(text).unwrap()
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

fn told(result: &Result<KeyRing, CryptoError>) -> bool {
    matches!(
        result,
        Err(CryptoError::Tampered { .. }
            | CryptoError::Format { .. }
            | CryptoError::WrongMaster(_)
            | CryptoError::WrongCode(_))
    )
}

fn collect(value: &Value, at: String, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, value)| collect(value, format!("{at}/{name}"), pointers));
        }
        Value::Array(items) => {
            let items = items.iter().enumerate();
            items.for_each(|(index, value)| collect(value, format!("{at}/{index}"), pointers));
        }
        _ => pointers.push(at),
    }
}

fn spoil(value: &mut Value) {
    *value = match &value {
        Value::Number(number) => (number.as_i64().unwrap() + 1).into(),
        Value::String(text) => {
            let mut text = text.clone().into_bytes();
            let middle = text.len() / 2;
            text[middle] = if text[middle] == b'a' { b'b' } else { b'a' };
            String::from_utf8(text).unwrap().into()
        }
        _ => panic!("no such field"),
    };
}
