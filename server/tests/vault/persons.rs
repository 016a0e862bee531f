use std::sync::Arc;
use std::time::Duration;

use claviger::domain::{Lock, Operation, Outcome, Password, RefusalReason, Role, Scope, User};
use claviger::vault::{
    Caller, Clock, Credential, NewPerson, PasswordCredential, UserEdit, VaultError,
};
use zeroize::Zeroizing;

use crate::fixture::{House, house, house_in, new_user};

pub const SECRET: &str = "correct horse battery";
pub const WRONG: &str = "the name, the password or the code is wrong, or this user may not come in";
const TOO_MANY: &str =
    "too many attempts to sign in have failed from this address: try again later";

/// A house where Argon2id costs what it must at least, with a person in it.
pub async fn with_person() -> House {
    let house = house().await;
    cheap(&house).await;
    add(&house, new_person("Alice")).await.unwrap();
    house
}

async fn cheap(house: &House) {
    for (name, value) in [
        ("sign-in-memory-mib", "19"),
        ("sign-in-passes", "2"),
        ("sign-in-lanes", "1"),
        ("sign-in-failures", "3"),
        ("sign-in-slowest-seconds", "0"),
    ] {
        set(house, name, value).await.unwrap();
    }
}

pub async fn set(house: &House, name: &str, value: &str) -> Result<(), VaultError> {
    let operator = house.operator().await;
    house.vault.set_setting(name, value, &operator).await
}

pub async fn add(house: &House, new: NewPerson) -> Result<User, VaultError> {
    let operator = house.operator().await;
    house.vault.add_person(&new, &operator).await
}

pub fn password(text: &str) -> Arc<Password> {
    Arc::new(Password::parse(Zeroizing::new(text.to_owned())).unwrap())
}

pub fn new_person(name: &str) -> NewPerson {
    NewPerson {
        name: name.to_owned(),
        role: Role::PasswordUser,
        scope: Scope::Owned,
        first: "Alice".to_owned(),
        last: "Liddell".to_owned(),
        email: "alice@wonder.example".to_owned(),
        full_name: None,
        department: String::new(),
        location: String::new(),
        expires: None,
        second_factor: false,
        password: password(SECRET),
    }
}

async fn sign_in(
    house: &House,
    name: &str,
    secret: &str,
    peer: &str,
) -> Result<Caller, VaultError> {
    let shown = Credential::Password(PasswordCredential {
        organisation: None,
        name: name.to_owned(),
        password: password(secret),
        code: None,
    });
    let origin = house.origin(peer);
    house.vault.identify(&shown, &origin).await
}

#[tokio::test]
async fn a_person_signs_in_with_name_and_password_from_anywhere() {
    let house = with_person().await;

    let caller = sign_in(&house, "Alice", SECRET, "203.0.113.9")
        .await
        .unwrap();

    assert_eq!(caller.login(), "Alice");
    let newest = house.newest(1);
    assert_eq!(newest, [(Operation::Identify, Outcome::Allowed)]);
    assert!(house.vault.holds(&caller));
    house.clock.pass(Duration::from_secs(15 * 60));
    assert!(!house.vault.holds(&caller), "then signs in again");
    let user = house.vault.user("alice", &house.operator().await).await;
    assert_eq!(user.unwrap().full_name.as_str(), "Alice Liddell");
}

#[tokio::test]
async fn unknown_names_wrong_passwords_and_locked_persons_are_one_answer() {
    let house = with_person().await;
    let operator = house.operator().await;
    house
        .vault
        .add_user(&new_user("app", "10.0.0.1", 1), &operator)
        .await
        .unwrap();

    let shown = sign_in(&house, "Alice", "wrong", "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::WrongPassword, WRONG);
    for nobody in ["Bob", "app@10.0.0.1", "", "Alice\0", "Al*ce", "' or 1=1"] {
        let shown = sign_in(&house, nobody, SECRET, "10.0.0.2").await;
        house.assert_turned_away(shown, RefusalReason::UnknownUser, WRONG);
    }
    let lock = UserEdit::Lock(Lock::Locked);
    house
        .vault
        .edit_user("Alice", &lock, &operator)
        .await
        .unwrap();
    let shown = sign_in(&house, "Alice", SECRET, "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::Locked, WRONG);
}

/// Both compare a password with Argon2id once; a way without it would be a hundred times faster.
#[tokio::test]
async fn a_name_that_nobody_has_takes_as_long_as_a_wrong_password() {
    let house = with_person().await;
    set(&house, "sign-in-failures", "100").await.unwrap();
    let mut fastest = [Duration::MAX; 2];
    // The fastest of many: whatever else the machine does makes none of them faster.
    for _ in 0..25 {
        for (name, best) in ["Alice", "Nobody"].into_iter().zip(&mut fastest) {
            let began = std::time::Instant::now();
            assert!(sign_in(&house, name, "wrong", "10.0.0.1").await.is_err());
            *best = began.elapsed().min(*best);
        }
    }

    let [known, unknown] = fastest;
    assert!(unknown > known / 2 && known > unknown / 2, "{fastest:?}");
}

#[tokio::test]
async fn case_and_blanks_are_no_way_around_the_lock_out() {
    let house = with_person().await;
    for name in ["alice", " ALICE", "Alice\t"] {
        let shown = sign_in(&house, name, "wrong", "10.0.0.1").await;
        house.assert_turned_away(shown, RefusalReason::WrongPassword, WRONG);
    }

    for name in ["Alice", "aLICE ", "\u{3000}alice", "Ａlice"] {
        let shown = sign_in(&house, name, SECRET, "10.0.0.1").await;
        house.assert_turned_away(shown, RefusalReason::TooManyFailures, TOO_MANY);
    }
    let mapped = sign_in(&house, "Alice", SECRET, "::ffff:10.0.0.1").await;
    house.assert_turned_away(mapped, RefusalReason::TooManyFailures, TOO_MANY);
    house.clock.pass(Duration::from_secs(30));
    assert!(sign_in(&house, "Alice", SECRET, "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn the_default_organisation_is_one_named_or_not() {
    let house = with_person().await;
    let shown = |organisation: Option<&str>, secret| {
        Credential::Password(PasswordCredential {
            organisation: organisation.map(str::to_owned),
            name: "Alice".to_owned(),
            password: password(secret),
            code: None,
        })
    };
    let peer = house.origin("10.0.0.1");
    for organisation in [None, Some("default"), None] {
        let wrong = shown(organisation, "wrong");
        let turned = house.vault.identify(&wrong, &peer).await;
        house.assert_turned_away(turned, RefusalReason::WrongPassword, WRONG);
    }

    for organisation in [None, Some("default")] {
        let right = shown(organisation, SECRET);
        let turned = house.vault.identify(&right, &peer).await;
        house.assert_turned_away(turned, RefusalReason::TooManyFailures, TOO_MANY);
    }
}

#[tokio::test]
async fn nobody_is_locked_out_by_somebody_elses_failures() {
    let house = with_person().await;
    for host in 1..12 {
        for _ in 0..2 {
            let peer = format!("198.51.100.{host}");
            let shown = sign_in(&house, "Alice", "wrong", &peer).await;
            house.assert_turned_away(shown, RefusalReason::WrongPassword, WRONG);
        }
    }

    assert!(sign_in(&house, "Alice", SECRET, "10.0.0.1").await.is_ok());
}

#[tokio::test]
async fn unknown_names_are_locked_out_like_known_ones() {
    let house = with_person().await;
    for _ in 0..3 {
        let shown = sign_in(&house, "nobody", "wrong", "10.0.0.1").await;
        house.assert_turned_away(shown, RefusalReason::UnknownUser, WRONG);
    }

    let shown = sign_in(&house, "nobody", "wrong", "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::TooManyFailures, TOO_MANY);
}

#[tokio::test]
async fn many_attempts_at_once_are_no_way_around_the_lock_out() {
    let house = Arc::new(with_person().await);
    let attempts = (0..20).map(|_| {
        let house = house.clone();
        tokio::spawn(async move { sign_in(&house, "Alice", "wrong", "10.0.0.1").await })
    });
    let mut compared = 0;
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Err(VaultError::Unidentified(words)) if words == WRONG => compared += 1,
            Err(VaultError::Unidentified(words)) => assert_eq!(words, TOO_MANY),
            other => panic!("{other:?}"),
        }
    }

    assert_eq!(compared, 3);
}

#[tokio::test]
async fn another_password_ends_what_the_old_one_opened() {
    let house = with_person().await;
    let operator = house.operator().await;
    let before = sign_in(&house, "Alice", SECRET, "10.0.0.1").await.unwrap();

    let new = password("another one entirely");
    house
        .vault
        .set_password("Alice", &new, &operator)
        .await
        .unwrap();

    assert!(!house.vault.holds(&before));
    let shown = sign_in(&house, "Alice", SECRET, "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::WrongPassword, WRONG);
    let shown = sign_in(&house, "Alice", "another one entirely", "10.0.0.1").await;
    assert!(shown.is_ok());
}

#[tokio::test]
async fn a_person_needs_a_name_of_its_own_and_a_password_that_is_long_enough() {
    let house = with_person().await;
    let operator = house.operator().await;

    let taken = add(&house, new_person("aLiCe")).await;
    assert!(matches!(
        taken,
        Err(VaultError::Exists("a user with this name"))
    ));
    let short = NewPerson {
        password: password("1234567"),
        ..new_person("Bob")
    };
    assert!(matches!(
        add(&house, short).await,
        Err(VaultError::Invalid(_))
    ));
    let nameless = add(&house, new_person("")).await;
    assert!(matches!(nameless, Err(VaultError::Invalid(_))));
    let short = password("1234567");
    let refused = house.vault.set_password("Alice", &short, &operator).await;
    assert!(matches!(refused, Err(VaultError::Invalid(_))));
    for value in ["", "7", "0", "129"] {
        let refused = set(&house, "person-password-length", value).await;
        assert!(matches!(refused, Err(VaultError::Invalid(_))), "{value:?}");
    }
}

#[tokio::test]
async fn an_auditor_reads_the_trail_and_administers_nothing() {
    let house = with_person().await;
    let auditor = NewPerson {
        role: Role::PasswordAuditor,
        scope: Scope::All,
        ..new_person("Auditor")
    };
    add(&house, auditor).await.unwrap();

    let caller = sign_in(&house, "Auditor", SECRET, "10.0.0.1")
        .await
        .unwrap();

    let query = claviger::ledger::Query::default();
    assert!(house.vault.audit(query, &caller).await.is_ok());
    let refused = house.vault.add_person(&new_person("Bob"), &caller).await;
    assert!(matches!(refused, Err(VaultError::NotAllowed)));
    let new = password("another one entirely");
    let refused = house.vault.set_password("Alice", &new, &caller).await;
    assert!(matches!(refused, Err(VaultError::NotAllowed)));
    let listed = house.vault.users(None, 9, &caller).await;
    assert!(matches!(listed, Err(VaultError::NotAllowed)));
}

#[tokio::test]
async fn a_removed_person_is_nobody_and_a_namesake_has_its_own_password() {
    let house = with_person().await;
    let operator = house.operator().await;
    let caller = sign_in(&house, "Alice", SECRET, "10.0.0.1").await.unwrap();

    house.vault.remove_user("Alice", &operator).await.unwrap();
    assert!(!house.vault.holds(&caller));
    let shown = sign_in(&house, "Alice", SECRET, "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::UnknownUser, WRONG);
    let namesake = NewPerson {
        password: password("another one entirely"),
        ..new_person("Alice")
    };
    add(&house, namesake).await.unwrap();

    let shown = sign_in(&house, "Alice", SECRET, "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::WrongPassword, WRONG);
}

#[tokio::test]
async fn an_expired_person_is_out_at_the_moment() {
    let house = with_person().await;
    let end = house.clock.now().after(Duration::from_secs(60));
    let new = NewPerson {
        expires: Some(end),
        ..new_person("Guest")
    };
    add(&house, new).await.unwrap();
    let caller = sign_in(&house, "Guest", SECRET, "10.0.0.1").await.unwrap();

    house.clock.pass(Duration::from_secs(60));

    assert!(!house.vault.holds(&caller));
    let shown = sign_in(&house, "Guest", SECRET, "10.0.0.1").await;
    house.assert_turned_away(shown, RefusalReason::Locked, WRONG);
}

#[tokio::test]
async fn a_password_survives_the_rotation_of_keys_and_a_restart() {
    let house = with_person().await;
    let operator = house.operator().await;
    house.vault.rotate_key(&operator, &|_| {}).await.unwrap();
    let House {
        vault,
        ledger,
        rows,
        dir,
        ..
    } = house;
    drop((vault, ledger, rows));

    let house = house_in(dir, false).await;

    assert!(sign_in(&house, "Alice", SECRET, "10.0.0.1").await.is_ok());
}
