//! Sessions of persons.

use std::sync::Arc;
use std::time::Duration;

use claviger::domain::{
    ApiToken, Door, Lock, OneTimeCode, Operation, Outcome, Password, Role, Scope,
};
use claviger::vault::{
    Caller, Clock, Credential, NewPerson, Origin, PasswordCredential, SignedIn, UserEdit,
    VaultError,
};
use zeroize::Zeroizing;

use crate::fixture::{House, house};
use crate::second_factor::code_of;

const PASSWORD: &str = "correct horse";

fn password(text: &str) -> Arc<Password> {
    Arc::new(Password::parse(Zeroizing::new(text.to_owned())).unwrap())
}

async fn person(house: &House, name: &str, role: Role) {
    scoped(house, name, role, Scope::Owned).await;
}

async fn scoped(house: &House, name: &str, role: Role, scope: Scope) {
    let operator = house.operator().await;
    for (setting, value) in [
        ("sign-in-memory-mib", "19"),
        ("sign-in-passes", "2"),
        ("sign-in-lanes", "1"),
    ] {
        let set = house.vault.set_setting(setting, value, &operator);
        set.await.unwrap();
    }
    let new = NewPerson {
        name: name.to_owned(),
        role,
        scope,
        first: String::new(),
        last: String::new(),
        email: String::new(),
        full_name: None,
        department: String::new(),
        location: String::new(),
        expires: None,
        second_factor: false,
        password: password(PASSWORD),
    };
    house.vault.add_person(&new, &operator).await.unwrap();
}

fn origin(house: &House) -> Origin {
    Origin {
        door: Door::Admin,
        peer: Some("192.0.2.1".parse().unwrap()),
        request: house.vault.next_request(),
    }
}

fn shown(name: &str, text: &str) -> PasswordCredential {
    PasswordCredential {
        organisation: None,
        name: name.to_owned(),
        password: password(text),
        code: None,
    }
}

async fn sign_in(house: &House, name: &str) -> SignedIn {
    let shown = shown(name, PASSWORD);
    house.vault.sign_in(shown, &origin(house)).await.unwrap()
}

async fn by(house: &House, token: &ApiToken) -> Option<Caller> {
    let found = house.vault.by_session(token, &origin(house)).await;
    found.unwrap()
}

#[tokio::test]
async fn a_session_is_its_persons_until_it_runs_out() {
    let house = house().await;
    person(&house, "ann", Role::PasswordAuditor).await;

    let session = sign_in(&house, "Ann").await;
    let caller = by(&house, &session.token).await.unwrap();
    let other = ApiToken::from_bytes(&Zeroizing::new([7; 16]));

    assert_eq!(
        (caller.login(), caller.role()),
        ("ann", Role::PasswordAuditor)
    );
    assert!(by(&house, &other).await.is_none());
    let newest = house.newest(1);
    assert_eq!(newest, [(Operation::Identify, Outcome::Allowed)]);
    house.clock.pass(Duration::from_secs(15 * 60 - 1));
    assert!(by(&house, &session.token).await.is_some());
    house.clock.pass(Duration::from_secs(1));
    assert!(by(&house, &session.token).await.is_none());
}

#[tokio::test]
async fn a_wrong_password_opens_no_session() {
    let house = house().await;
    person(&house, "ann", Role::PasswordUser).await;

    let origin = origin(&house);
    let refused = house.vault.sign_in(shown("ann", "wrong"), &origin).await;

    assert!(matches!(refused, Err(VaultError::Unidentified(_))));
}

#[tokio::test]
async fn a_session_ends_by_signing_out_and_no_other_does() {
    let house = house().await;
    person(&house, "ann", Role::PasswordUser).await;
    let (first, second) = (sign_in(&house, "ann").await, sign_in(&house, "ann").await);
    let caller = by(&house, &first.token).await.unwrap();

    house.vault.sign_out(&caller).await.unwrap();

    assert!(by(&house, &first.token).await.is_none());
    assert!(by(&house, &second.token).await.is_some());
    let without = house.operator().await;
    let refused = house.vault.sign_out(&without).await;
    assert!(matches!(refused, Err(VaultError::NotFound("session"))));
}

#[tokio::test]
async fn a_session_outlives_what_happens_to_others_and_nothing_that_happens_to_its_person() {
    let house = house().await;
    person(&house, "ann", Role::PasswordUser).await;
    person(&house, "ben", Role::PasswordUser).await;
    let operator = house.operator().await;
    let vault = &house.vault;
    let ends = async |change: &str| {
        let session = sign_in(&house, "ann").await;
        let before = by(&house, &session.token).await.is_some();
        match change {
            "other" => vault
                .edit_user("ben", &UserEdit::Lock(Lock::Locked), &operator)
                .await
                .unwrap(),
            "lock" => {
                for lock in [Lock::Locked, Lock::Open] {
                    let edit = UserEdit::Lock(lock);
                    vault.edit_user("ann", &edit, &operator).await.unwrap();
                    assert!(by(&house, &session.token).await.is_none(), "{lock:?}");
                }
            }
            "lock and unlock" => {
                for lock in [Lock::Locked, Lock::Open] {
                    let edit = UserEdit::Lock(lock);
                    vault.edit_user("ann", &edit, &operator).await.unwrap();
                }
            }
            "password" => vault
                .set_password("ann", &password(PASSWORD), &operator)
                .await
                .unwrap(),
            _ => {
                let edit = UserEdit::DemandFactor(true);
                vault.edit_user("ann", &edit, &operator).await.unwrap();
            }
        }
        assert!(before, "{change}");
        by(&house, &session.token).await.is_none()
    };

    assert!(!ends("other").await);
    assert!(ends("lock").await);
    assert!(ends("lock and unlock").await);
    assert!(ends("password").await);
    assert!(ends("factor").await);
}

/// A session with a code, then another authenticator: nothing is asked of the session in between.
#[tokio::test]
async fn a_session_ends_with_the_authenticator_whose_code_opened_it() {
    let house = house().await;
    person(&house, "ann", Role::PasswordUser).await;
    let operator = house.operator().await;
    let vault = &house.vault;
    let enrol = async || {
        let offer = vault.enrol_factor("ann", &operator).await.unwrap();
        let secret = offer.secret.expose().to_owned();
        let now = house.clock.now();
        let first = OneTimeCode::parse(&code_of(&secret, now, 0)).unwrap();
        let confirmed = vault.confirm_factor("ann", &first, &operator).await;
        confirmed.unwrap();
        code_of(&secret, now, 1)
    };
    let code = enrol().await;
    let shown = PasswordCredential {
        code: Some(Arc::new(OneTimeCode::parse(&code).unwrap())),
        ..shown("ann", PASSWORD)
    };
    let session = vault.sign_in(shown, &origin(&house)).await.unwrap();
    assert!(by(&house, &session.token).await.is_some());

    vault.remove_factor("ann", &operator).await.unwrap();
    enrol().await;

    assert!(by(&house, &session.token).await.is_none());
}

#[tokio::test]
async fn whoever_follows_the_trail_goes_on_for_as_long_as_it_could_ask_again() {
    let house = house().await;
    let operator = house.operator().await;
    let vault = &house.vault;
    scoped(&house, "ann", Role::Administrator, Scope::All).await;
    person(&house, "ben", Role::PasswordUser).await;
    let lock = UserEdit::Lock(Lock::Locked);
    let demand = UserEdit::DemandFactor(true);
    let follows = async |caller: &Caller| vault.still_follows(caller).await.unwrap().is_some();
    let signed_in = async || {
        let ann = sign_in(&house, "ann").await.caller;
        vault.follow_audit(&ann).await.unwrap();
        vault.edit_user("ben", &lock, &operator).await.unwrap();
        assert!(follows(&ann).await);
        ann
    };
    let issued = vault.issue_token("ann", None, &operator).await.unwrap();
    let token = Credential::Token(issued.text);

    let ann = signed_in().await;
    vault.sign_out(&ann).await.unwrap();
    assert!(!follows(&ann).await, "signed out");
    let ann = signed_in().await;
    let program = vault.identify(&token, &origin(&house)).await.unwrap();
    vault.edit_user("ben", &lock, &operator).await.unwrap();
    assert!(follows(&program).await);
    let revoked = vault.revoke_token("ann", issued.token.id, &operator).await;
    revoked.unwrap();
    assert!(!follows(&program).await, "its token is revoked");
    vault.edit_user("ann", &lock, &operator).await.unwrap();
    assert!(!follows(&ann).await, "locked");
    let unlock = UserEdit::Lock(Lock::Open);
    vault.edit_user("ann", &unlock, &operator).await.unwrap();
    assert!(!follows(&ann).await, "was locked");
    let ann = signed_in().await;
    vault.edit_user("ann", &demand, &operator).await.unwrap();
    assert!(!follows(&ann).await, "showed no code");
    assert!(follows(&operator).await);
}

#[tokio::test]
async fn there_are_so_many_sessions_and_no_more() {
    let house = house().await;
    person(&house, "ann", Role::PasswordUser).await;
    person(&house, "ben", Role::PasswordUser).await;
    let operator = house.operator().await;
    for (name, value) in [("sessions-per-person", "2"), ("sessions", "3")] {
        house
            .vault
            .set_setting(name, value, &operator)
            .await
            .unwrap();
    }

    let first = sign_in(&house, "ann").await;
    house.clock.pass(Duration::from_secs(1));
    let second = sign_in(&house, "ann").await;
    let third = sign_in(&house, "ann").await;
    let other = sign_in(&house, "ben").await;
    let from = origin(&house);
    let crowded = house.vault.sign_in(shown("ben", PASSWORD), &from).await;

    assert!(by(&house, &first.token).await.is_none(), "the oldest went");
    for session in [second, third, other] {
        assert!(by(&house, &session.token).await.is_some());
    }
    assert!(matches!(crowded, Err(VaultError::Unavailable(_))));
}

#[tokio::test]
async fn a_session_is_no_token_of_a_user() {
    let house = house().await;
    person(&house, "ann", Role::Administrator).await;
    let session = sign_in(&house, "ann").await;

    let credential = Credential::Token(session.token);
    let refused = house.vault.identify(&credential, &origin(&house)).await;

    assert!(matches!(refused, Err(VaultError::Unidentified(_))));
}

#[tokio::test]
async fn what_concerns_every_organisation_is_for_whoever_governs_the_house() {
    let house = house().await;
    person(&house, "ann", Role::Administrator).await;
    let session = sign_in(&house, "ann").await;
    let ann = by(&house, &session.token).await.unwrap();
    let vault = &house.vault;

    let refused = [
        vault.set_setting("token-days", "1", &ann).await,
        vault.add_organisation("Other", &ann).await,
        vault.see_house(&ann).await,
        vault.follow_audit(&ann).await.map(drop),
        vault.import(Vec::new(), true, &ann).await.map(drop),
        vault.export(None, 1, &ann).await.map(drop),
    ];

    for refused in refused {
        assert!(
            matches!(refused, Err(VaultError::NotAllowed)),
            "{refused:?}"
        );
    }
    assert!(vault.users(None, 10, &ann).await.is_ok());
    assert!(vault.settings(&ann).await.is_ok());
}
