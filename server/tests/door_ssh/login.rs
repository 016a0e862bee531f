//! Who comes in, and who does not.

use std::time::Duration;

use claviger::domain::{Level, Outcome, RefusalReason, Role};
use claviger::vault::AuditEntry;
use russh::Signer;
use russh::keys::HashAlg;
use russh::keys::agent::AgentIdentity;

use crate::house::{App, House, PASSWORD, Wish, done, key, public};

const RETRIEVE: &str = "RETRIEVE --resource=db1 --account=root";

async fn reasons(house: &House) -> Vec<RefusalReason> {
    let reason = |entry: AuditEntry| match entry.outcome.known() {
        Some(Outcome::Refused(why)) => Some(*why),
        _ => None,
    };
    house.trail().await.into_iter().filter_map(reason).collect()
}

#[tokio::test]
async fn the_key_of_one_user_with_the_name_of_another_is_refused_like_an_unknown_name() {
    let (house, app) = House::with_app(Wish::default()).await;
    let other = house.app("other", Role::Administrator, 2).await;

    assert!(!house.connect().await.login(&other.name, &app.key).await);
    assert!(!house.connect().await.login("nobody", &app.key).await);
    assert!(!house.connect().await.login(&app.name, &key(3)).await);
    assert!(!house.connect().await.login("", &app.key).await);
    assert!(!house.connect().await.login("APP", &app.key).await);
    assert!(!house.connect().await.login(&app.login, &app.key).await);
    assert_eq!(reasons(&house).await, [RefusalReason::UnknownUser; 6]);
    assert!(house.connect().await.login(&app.name, &app.key).await);
}

#[tokio::test]
async fn a_key_that_two_users_have_proves_whom_the_login_names() {
    let (house, app) = House::with_app(Wish::default()).await;
    let twin = house.app("twin", Role::PasswordUser, 1).await;
    house.shared("db2", &twin, Level::View).await;

    let as_twin = house.enter(&twin).await;

    assert_eq!(as_twin.run("LIST").await, done("db2\troot\n"));
    assert_eq!(
        house.enter(&app).await.run("LIST").await,
        done("db1\troot\n")
    );
}

/// Is told that a key is acceptable, and does not sign.
struct Silent {
    asked: bool,
}

#[derive(Debug)]
struct NoSignature;

impl From<russh::SendError> for NoSignature {
    fn from(_: russh::SendError) -> Self {
        Self
    }
}

impl Signer for Silent {
    type Error = NoSignature;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        _hash: Option<HashAlg>,
        _to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, NoSignature> {
        self.asked = true;
        Err(NoSignature)
    }
}

#[tokio::test]
async fn an_offered_key_without_a_signature_opens_nothing_and_tells_nothing() {
    let wish = Wish::with(|settings| settings.login = Duration::from_millis(700));
    let (mut house, app) = House::with_app(wish).await;

    for (name, key) in [(app.name.as_str(), app.key.clone()), ("nobody", key(7))] {
        let mut client = house.connect().await;
        let mut silent = Silent { asked: false };
        let offer = key.public_key().clone();
        let tried = client
            .handle
            .authenticate_publickey_with(name, offer, None, &mut silent)
            .await;
        let opened = client.handle.channel_open_session().await;

        assert!(tried.is_err() && silent.asked, "{name}");
        assert!(
            opened.is_err(),
            "{name}: the server hung up, and opened nothing"
        );
    }
    house.close().await;
    assert_eq!(reasons(&house).await, [RefusalReason::UnknownUser; 2]);
}

#[tokio::test]
async fn passwords_and_no_proof_at_all_are_refused_and_written_down() {
    let (mut house, app) = House::with_app(Wish::default()).await;
    {
        let mut client = house.connect().await;
        let none = client.handle.authenticate_none(&app.name).await.unwrap();
        let password = client
            .handle
            .authenticate_password(&app.name, PASSWORD)
            .await
            .unwrap();
        assert!(!none.success() && !password.success());
        let left = match password {
            russh::client::AuthResult::Failure {
                remaining_methods, ..
            } => remaining_methods,
            russh::client::AuthResult::Success => unreachable!(),
        };
        assert_eq!(left.to_vec(), [russh::MethodKind::PublicKey]);
    }
    house.close().await;

    let trail = house.trail().await;
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].caller, "app");
    assert!(!format!("{trail:?}").contains(PASSWORD));
}

#[tokio::test]
async fn a_user_from_elsewhere_is_refused_and_the_trail_says_why() {
    let house = House::open().await;
    let operator = house.operator().await;
    let far = house
        .app_at("far@192.0.2.7", Role::PasswordUser, 4, &operator)
        .await;

    assert!(!house.connect().await.login(&far.name, &far.key).await);

    assert_eq!(reasons(&house).await, [RefusalReason::WrongHost]);
    assert_eq!(house.trail().await[0].caller, "far@192.0.2.7");
}

#[tokio::test]
async fn locking_and_removing_bite_on_open_sessions() {
    let (house, app) = House::with_app(Wish::default()).await;
    let other = house.app("other", Role::PasswordUser, 2).await;
    house.shared("db2", &other, Level::View).await;
    let (one, two) = (house.enter(&app).await, house.enter(&other).await);
    assert_eq!(one.run(RETRIEVE).await, done(&format!("{PASSWORD}\n")));

    house.lock(&app).await;
    let operator = house.operator().await;
    let print = public(&other.key).fingerprint();
    house
        .vault
        .remove_ssh_key(&other.login, print, &operator)
        .await
        .unwrap();

    let locked = one.run(RETRIEVE).await;
    let removed = two.run("RETRIEVE --resource=db2 --account=root").await;
    assert_eq!((locked.exit, locked.out.as_str()), (Some(1), ""));
    assert_eq!((removed.exit, removed.out.as_str()), (Some(1), ""));
    assert!(!house.connect().await.login(&app.name, &app.key).await);
    assert!(!house.connect().await.login(&other.name, &other.key).await);
    assert_eq!(
        reasons(&house).await[..2],
        [RefusalReason::UnknownUser, RefusalReason::Locked]
    );
}

#[tokio::test]
async fn an_organisation_stands_before_the_name() {
    let (house, _) = House::with_app(Wish::default()).await;
    let operator = house.operator().await;
    house
        .vault
        .add_organisation("Acme", &operator)
        .await
        .unwrap();
    let within = house.vault.within(&operator, "Acme").await.unwrap();
    let there = house
        .app_at("app@127.0.0.1", Role::PasswordUser, 5, &within)
        .await;

    let login = |name: &str, key: &App| (name.to_owned(), key.key.clone());
    for ((name, key), may) in [
        (login("Acme/app", &there), true),
        (login("acme/app", &there), false),
        (login("app", &there), false),
        (login("Other/app", &there), false),
        (login("Acme/", &there), false),
        (login("/app", &there), false),
    ] {
        assert_eq!(
            house.connect().await.login(&name, &key).await,
            may,
            "{name}"
        );
    }
}

#[tokio::test]
async fn strangers_fill_no_trail_and_keep_nobody_out() {
    let wish = Wish::with(|settings| settings.strangers = 3);
    let (house, app) = House::with_app(wish).await;

    for _ in 0..6 {
        assert!(!house.connect().await.login("nobody", &key(8)).await);
    }

    assert_eq!(house.trail().await.len(), 3);
    assert!(house.connect().await.login(&app.name, &app.key).await);
}

#[tokio::test]
async fn a_registered_key_that_is_refused_fills_no_trail_either() {
    let wish = Wish::with(|settings| settings.strangers = 2);
    let (mut house, app) = House::with_app(wish).await;
    let other = house.app("other", Role::PasswordUser, 2).await;
    house.lock(&app).await;

    for _ in 0..5 {
        assert!(!house.connect().await.login(&app.name, &app.key).await);
    }

    assert_eq!(reasons(&house).await, [RefusalReason::Locked; 2]);
    assert!(house.connect().await.login(&other.name, &other.key).await);
    house.close().await;
    assert_eq!(
        house.trail().await[0].detail,
        "the last of 3 refused log-ins not written down one by one"
    );
}

#[tokio::test]
async fn refusals_that_are_not_written_one_by_one_are_summed_up() {
    let wish = Wish::with(|settings| settings.strangers = 3);
    let (mut house, _) = House::with_app(wish).await;
    for _ in 0..5 {
        assert!(!house.connect().await.login("nobody", &key(8)).await);
    }
    {
        let mut silent = house.connect().await;
        let tried = silent.handle.authenticate_none("nameless").await.unwrap();
        assert!(!tried.success());
    }

    house.close().await;

    let trail = house.trail().await;
    assert_eq!(trail.len(), 4, "three, and one for the other three");
    assert_eq!(trail[0].caller, "nameless");
    assert_eq!(trail[0].peer, Some([127, 0, 0, 1].into()));
    assert_eq!(
        trail[0].detail,
        "the last of 3 refused log-ins not written down one by one"
    );
    let why = Outcome::Refused(RefusalReason::TooManyFailures);
    assert_eq!(trail[0].outcome.known(), Some(&why));
}

#[tokio::test]
async fn names_that_are_tried_without_proof_are_counted() {
    let (mut house, _) = House::with_app(Wish::default()).await;
    {
        let mut client = house.connect().await;
        for name in ["root", "root", "admin", "app"] {
            let tried = client.handle.authenticate_none(name).await.unwrap();
            assert!(!tried.success());
        }
    }

    house.close().await;

    let trail = house.trail().await;
    assert_eq!(trail.len(), 1);
    assert_eq!(trail[0].caller, "app");
    assert_eq!(trail[0].detail, "no key was proved, and 3 names were tried");
}
