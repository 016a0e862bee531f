//! Applications: machine identities that act for a user, narrowed to some operations.

use std::time::Duration;

use claviger::domain::{
    Allowed, CertBinding, Fingerprint, Level, Lock, Operation, Outcome, Permit, Platform,
    RefusalReason, Role, Scope,
};
use claviger::ledger::Query;
use claviger::vault::{
    ApplicationEdit, Caller, CertificateCredential, CertificateTrust, NewApplication, NewPassword,
    Reach, UserEdit, VaultError,
};

use crate::fixture::{House, credential, given, house, new_resource, new_user, wanted};
use crate::persons::with_person;

const APP: u8 = 77;
const USER: &str = "billing@10.0.0.1";

fn new_application(permits: &[Permit]) -> NewApplication {
    NewApplication {
        name: "nightly".to_owned(),
        host: "10.9.0.0/16".to_owned(),
        platform: Platform::Linux,
        allowed: Allowed::of(permits),
        inherits: USER.to_owned(),
        certificates: vec![Fingerprint([APP; 32])],
    }
}

/// The application's certificate; its CN is nobody's.
fn shown() -> CertificateCredential {
    credential("whoever", APP)
}

/// A user who owns `own` and manages `db1`, and an application that inherits its rights.
async fn inherited(permits: &[Permit]) -> House {
    let house = house().await;
    let role = Role::PasswordAdministrator;
    let user = house.user("billing", 1, role, Scope::Owned).await;
    house.create("own", "root", "own-s3cret", &user).await;
    let operator = house.operator().await;
    house.create("db1", "root", "s3cret", &operator).await;
    house.share("db1", None, USER, Level::Manage).await;
    house
        .vault
        .add_application(&new_application(permits), &operator)
        .await
        .unwrap();
    house
}

async fn enter(house: &House) -> Caller {
    house.enter(&shown(), "10.9.1.1").await.unwrap()
}

async fn edit(house: &House, edit: ApplicationEdit) -> Result<(), VaultError> {
    let operator = house.operator().await;
    let edited = house.vault.edit_application("nightly", &edit, &operator);
    edited.await.map(drop)
}

async fn assert_out(house: &House, peer: &str, why: RefusalReason) {
    let refusal = house.enter(&shown(), peer).await.unwrap_err();
    assert!(matches!(refusal, VaultError::Unidentified(_)), "{refusal}");
    assert_eq!(
        house.newest(1),
        [(Operation::Identify, Outcome::Refused(why))]
    );
}

/// That the newest record is a refusal of `operation` to the application and its user.
#[track_caller]
fn assert_not_allowed(house: &House, operation: Operation, got: Result<(), VaultError>) {
    match got {
        Err(VaultError::NotAllowed) => {}
        other => panic!("{other:?}"),
    }
    let refused = Outcome::Refused(RefusalReason::NotAllowed);
    assert_eq!(house.newest(1), [(operation, refused)]);
    let query = Query {
        limit: 1,
        ..Query::default()
    };
    let page = house.ledger.read(&query).unwrap();
    let caller = page.entries.first().map(|entry| entry.caller.as_str());
    assert_eq!(caller, Some("application nightly for billing@10.0.0.1"));
}

async fn retrieve(house: &House, app: &Caller) -> Result<(), VaultError> {
    house.retrieve("db1", "root", app).await.map(drop)
}

async fn reset(house: &House, app: &Caller) -> Result<(), VaultError> {
    let wanted = wanted("db1", "root");
    let changed = house
        .vault
        .change(&wanted, given("An0ther!one"), Reach::Local, app);
    changed.await.map(drop)
}

async fn create(house: &House, app: &Caller) -> Result<(), VaultError> {
    let new = new_resource("new1");
    let made = house.vault.create(&new, NewPassword::Generate, app);
    made.await.map(drop)
}

#[tokio::test]
async fn an_application_does_what_its_user_may_do_and_what_it_makes_is_the_users() {
    let house = inherited(&Permit::ALL).await;
    let app = enter(&house).await;
    let user = house
        .enter(&credential("billing", 1), "10.0.0.1")
        .await
        .unwrap();

    assert_eq!(app.login(), "application nightly for billing@10.0.0.1");
    let got = house.retrieve("db1", "root", &app).await.unwrap();
    assert_eq!(got, "s3cret");
    reset(&house, &app).await.unwrap();
    create(&house, &app).await.unwrap();

    let got = house.retrieve("db1", "root", &user).await.unwrap();
    assert_eq!(got, "An0ther!one");
    assert!(house.retrieve("new1", "root", &user).await.is_ok());
}

#[tokio::test]
async fn an_operation_that_is_not_allowed_is_refused_and_written_down_though_the_user_could() {
    use Permit::{Create, Reset, Retrieve};
    for (only, others) in [
        (Retrieve, [Reset, Create]),
        (Reset, [Retrieve, Create]),
        (Create, [Retrieve, Reset]),
    ] {
        let house = inherited(&[only]).await;
        // The user's own way there is known already: it is not the application's.
        let user = house
            .enter(&credential("billing", 1), "10.0.0.1")
            .await
            .unwrap();
        for _ in 0..2 {
            assert!(retrieve(&house, &user).await.is_ok());
        }
        let app = enter(&house).await;

        for permit in others {
            match permit {
                Retrieve => {
                    let got = retrieve(&house, &app).await;
                    assert_not_allowed(&house, Operation::Retrieve, got);
                }
                Reset => {
                    let got = reset(&house, &app).await;
                    assert_not_allowed(&house, Operation::Change, got);
                }
                Create => {
                    let got = create(&house, &app).await;
                    assert_not_allowed(&house, Operation::CreateResource, got);
                }
            }
        }
        match only {
            Retrieve => retrieve(&house, &app).await.unwrap(),
            Reset => reset(&house, &app).await.unwrap(),
            Create => create(&house, &app).await.unwrap(),
        }
    }
}

#[tokio::test]
async fn what_is_missing_and_what_is_there_are_one_to_an_application_that_may_not_ask() {
    let house = inherited(&[Permit::Create]).await;
    let app = enter(&house).await;

    for (resource, account) in [("db1", "root"), ("db1", "nobody"), ("nowhere", "root")] {
        let got = house.retrieve(resource, account, &app).await.map(drop);
        assert_not_allowed(&house, Operation::Retrieve, got);
    }
}

#[tokio::test]
async fn an_application_is_never_more_than_its_user() {
    let house = inherited(&Permit::ALL).await;
    let operator = house.operator().await;
    house.create("db2", "root", "other", &operator).await;
    let app = enter(&house).await;

    let hidden = house.retrieve("db2", "root", &app).await.unwrap_err();
    assert!(matches!(hidden, VaultError::Refused), "{hidden}");

    let edit_it = ApplicationEdit::default();
    for refused in [
        house.vault.remove_user(USER, &app).await.map(drop),
        house.vault.remove_application("nightly", &app).await,
        house
            .vault
            .edit_application("nightly", &edit_it, &app)
            .await
            .map(drop),
        house
            .vault
            .share(("db1", None), USER, Level::View, &app)
            .await
            .map(drop),
        house.vault.unshare(("db1", None), USER, &app).await,
        house.vault.remove_resource("own", &app).await,
    ] {
        assert!(
            matches!(refused, Err(VaultError::NotAllowed)),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn an_application_of_an_administrator_administers_nothing() {
    let house = house().await;
    house
        .user("admin", 1, Role::Administrator, Scope::All)
        .await;
    let new = NewApplication {
        inherits: "admin@10.0.0.1".to_owned(),
        ..new_application(&Permit::ALL)
    };
    let operator = house.operator().await;
    house.vault.add_application(&new, &operator).await.unwrap();
    let app = enter(&house).await;

    let made = house
        .vault
        .add_user(&new_user("mole", "10.0.0.1", 9), &app)
        .await;
    assert!(matches!(made, Err(VaultError::NotAllowed)), "{made:?}");
    let read = house.vault.audit(Query::default(), &app).await;
    assert!(read.is_err());
}

#[tokio::test]
async fn an_application_comes_from_its_own_host_whatever_its_users_is() {
    let house = inherited(&[Permit::Retrieve]).await;
    let app = enter(&house).await;
    assert!(house.vault.holds(&app));

    assert_out(&house, "10.0.0.1", RefusalReason::WrongHost).await;
    let host = Some("app1.example".to_owned());
    let moved = ApplicationEdit {
        host,
        ..ApplicationEdit::default()
    };
    edit(&house, moved).await.unwrap();
    assert!(!house.vault.holds(&app));
    assert_out(&house, "10.9.1.1", RefusalReason::UnresolvableHost).await;
    house.names.set("app1.example", &["192.0.2.7"]);
    let app = house.enter(&shown(), "192.0.2.7").await.unwrap();
    assert!(house.vault.holds(&app));
    house.clock.pass(Duration::from_secs(31));
    assert!(!house.vault.holds(&app), "an address is looked up again");
}

#[tokio::test]
async fn a_locked_application_is_out_at_once_and_an_unlocked_one_in_again() {
    let house = inherited(&[Permit::Retrieve]).await;
    let app = enter(&house).await;
    let lock = |lock| ApplicationEdit {
        lock: Some(lock),
        ..ApplicationEdit::default()
    };

    edit(&house, lock(Lock::Locked)).await.unwrap();
    assert!(!house.vault.holds(&app));
    assert_out(&house, "10.9.1.1", RefusalReason::Locked).await;

    edit(&house, lock(Lock::Open)).await.unwrap();
    enter(&house).await;
}

#[tokio::test]
async fn an_application_is_out_at_once_with_its_locked_or_removed_user() {
    let house = inherited(&[Permit::Retrieve]).await;
    let operator = house.operator().await;
    let app = enter(&house).await;
    let lock = UserEdit::Lock(Lock::Locked);
    house.vault.edit_user(USER, &lock, &operator).await.unwrap();
    assert!(!house.vault.holds(&app));
    assert_out(&house, "10.9.1.1", RefusalReason::Locked).await;
    let lock = UserEdit::Lock(Lock::Open);
    house.vault.edit_user(USER, &lock, &operator).await.unwrap();
    let app = enter(&house).await;

    house.vault.remove_resource("own", &operator).await.unwrap();
    house.vault.remove_user(USER, &operator).await.unwrap();

    assert!(!house.vault.holds(&app));
    assert_out(&house, "10.9.1.1", RefusalReason::UnknownUser).await;
    // Nor does the next user of that name have an application it knows nothing of.
    house
        .vault
        .add_user(&new_user("billing", "10.0.0.1", 1), &operator)
        .await
        .unwrap();
    assert_out(&house, "10.9.1.1", RefusalReason::UnknownUser).await;
}

#[tokio::test]
async fn a_removed_application_and_an_unbound_certificate_are_nobody_at_once() {
    let house = inherited(&[Permit::Retrieve]).await;
    let app = enter(&house).await;
    let unbind = ApplicationEdit {
        unbind: vec![Fingerprint([APP; 32])],
        ..ApplicationEdit::default()
    };
    edit(&house, unbind.clone()).await.unwrap();
    assert!(!house.vault.holds(&app));
    assert_out(&house, "10.9.1.1", RefusalReason::UnknownUser).await;
    let again = edit(&house, unbind).await.unwrap_err();
    assert!(matches!(again, VaultError::NotFound(_)), "{again}");

    let bind = ApplicationEdit {
        bind: vec![Fingerprint([APP; 32])],
        ..ApplicationEdit::default()
    };
    edit(&house, bind).await.unwrap();
    let app = enter(&house).await;
    let operator = house.operator().await;
    house
        .vault
        .remove_application("nightly", &operator)
        .await
        .unwrap();
    assert!(!house.vault.holds(&app));
    assert_out(&house, "10.9.1.1", RefusalReason::UnknownUser).await;
    let gone = house.vault.application("nightly", &operator).await;
    assert!(matches!(gone, Err(VaultError::NotFound(_))), "{gone:?}");
    // Name and certificate are free again.
    let new = new_application(&[Permit::Reset]);
    house.vault.add_application(&new, &operator).await.unwrap();
}

#[tokio::test]
async fn what_an_application_may_do_changes_on_its_very_next_request() {
    let house = inherited(&Permit::ALL).await;
    let app = enter(&house).await;
    for _ in 0..2 {
        assert!(retrieve(&house, &app).await.is_ok());
    }
    let allowed = Some(Allowed::of(&[Permit::Reset]));
    let narrower = ApplicationEdit {
        allowed,
        ..ApplicationEdit::default()
    };

    edit(&house, narrower).await.unwrap();

    assert!(!house.vault.holds(&app));
    let app = enter(&house).await;
    let got = retrieve(&house, &app).await;
    assert_not_allowed(&house, Operation::Retrieve, got);
}

#[tokio::test]
async fn a_certificate_is_a_users_or_one_applications_and_never_both() {
    let house = inherited(&[Permit::Retrieve]).await;
    let operator = house.operator().await;
    let taken = |got: Result<(), VaultError>| match got {
        Err(VaultError::Invalid(words)) => assert!(words.contains("already"), "{words}"),
        other => panic!("{other:?}"),
    };

    let another = |mark| NewApplication {
        name: "another".to_owned(),
        certificates: vec![Fingerprint([mark; 32])],
        ..new_application(&[Permit::Retrieve])
    };
    taken(
        house
            .vault
            .add_application(&another(APP), &operator)
            .await
            .map(drop),
    );
    taken(
        house
            .vault
            .add_application(&another(1), &operator)
            .await
            .map(drop),
    );
    let user = new_user("whoever", "10.0.0.1", APP);
    taken(house.vault.add_user(&user, &operator).await.map(drop));
    let bind = UserEdit::Bind(CertBinding::Exactly(Fingerprint([APP; 32])));
    taken(house.vault.edit_user(USER, &bind, &operator).await);
    // Not even where its issuer proves users of that name.
    let root = Fingerprint([9; 32]);
    let bind = UserEdit::Bind(CertBinding::IssuedBy(root));
    house.vault.edit_user(USER, &bind, &operator).await.unwrap();
    let issued = CertificateCredential {
        trust: CertificateTrust::IssuedBy(root),
        ..credential("billing", APP)
    };
    let caller = house.enter(&issued, "10.9.1.1").await.unwrap();
    assert_eq!(caller.login(), "application nightly for billing@10.0.0.1");
    assert!(house.enter(&issued, "10.0.0.1").await.is_err());
}

#[tokio::test]
async fn an_application_that_makes_no_sense_is_not_made() {
    let house = inherited(&[Permit::Retrieve]).await;
    let operator = house.operator().await;
    let other = || NewApplication {
        name: "another".to_owned(),
        certificates: Vec::new(),
        ..new_application(&[Permit::Retrieve])
    };
    let invalid = [
        NewApplication {
            allowed: Allowed::default(),
            ..other()
        },
        NewApplication {
            host: "a b".to_owned(),
            ..other()
        },
        NewApplication {
            name: " x".to_owned(),
            ..other()
        },
    ];
    for new in invalid {
        let got = house.vault.add_application(&new, &operator).await;
        assert!(matches!(got, Err(VaultError::Invalid(_))), "{got:?}");
    }
    let orphan = NewApplication {
        inherits: "nobody@10.0.0.1".to_owned(),
        ..other()
    };
    let got = house.vault.add_application(&orphan, &operator).await;
    assert!(matches!(got, Err(VaultError::NotFound("user"))), "{got:?}");
    let twice = NewApplication {
        name: "Nightly".to_owned(),
        ..other()
    };
    let got = house.vault.add_application(&twice, &operator).await;
    assert!(matches!(got, Err(VaultError::Exists(_))), "{got:?}");
    let names = house.vault.applications(None, 10, &operator).await.unwrap();
    assert_eq!(names.len(), 1);
    assert_eq!(names.first().map(|view| view.inherits.as_str()), Some(USER));
}

#[tokio::test]
async fn an_expired_certificate_proves_no_application() {
    let house = inherited(&[Permit::Retrieve]).await;
    let old = CertificateCredential {
        valid_until: claviger::domain::Timestamp(1_800_000_000_000),
        ..shown()
    };

    let refusal = house.enter(&old, "10.9.1.1").await.unwrap_err();

    assert!(matches!(refusal, VaultError::Unidentified(_)), "{refusal}");
    let why = Outcome::Refused(RefusalReason::Untrusted);
    assert_eq!(house.newest(1), [(Operation::Identify, why)]);
}

#[tokio::test]
async fn an_application_acts_for_nobody_from_whom_a_code_is_demanded() {
    let house = with_person().await;
    let operator = house.operator().await;
    let of_alice = NewApplication {
        inherits: "Alice".to_owned(),
        ..new_application(&[Permit::Retrieve])
    };
    let added = house.vault.add_application(&of_alice, &operator).await;
    added.unwrap();
    let before = enter(&house).await;
    let demand = async |demanded| {
        let edit = UserEdit::DemandFactor(demanded);
        let edited = house.vault.edit_user("Alice", &edit, &operator).await;
        edited.unwrap();
    };

    demand(true).await;

    assert!(!house.vault.holds(&before));
    assert_out(&house, "10.9.1.1", RefusalReason::NotEnrolled).await;
    let another = NewApplication {
        name: "another".to_owned(),
        certificates: Vec::new(),
        ..of_alice
    };
    let refused = house.vault.add_application(&another, &operator).await;
    assert!(matches!(refused, Err(VaultError::Invalid(_))));
    let elsewhere = ApplicationEdit {
        host: Some("10.8.0.0/16".to_owned()),
        ..ApplicationEdit::default()
    };
    edit(&house, elsewhere).await.unwrap();
    demand(false).await;
    assert!(house.enter(&shown(), "10.8.1.1").await.is_ok());
}
