//! Registrations: what an API key opens with its certificate, and what it does not.

use std::time::Duration;

use claviger::domain::{
    AccountId, ApiKey, ApplicationId, CertBinding, Door, Fingerprint, Level, Lock, Material,
    Operation, Outcome, Password, RefusalReason, ResourceId, Thumbprint, UserId, beside,
};
use claviger::vault::{
    AccountEdit, Caller, CertificateCredential, Keyed, NewAccessControl, NewAccount,
    NewRegistration, NewUser, Origin, Reach, RegistrationView, RetrievableView, UserEdit,
    VaultError, Wanted,
};
use zeroize::Zeroizing;

use crate::fixture::{House, credential, given, house, new_user, wanted};

pub const SHA1: Thumbprint = Thumbprint([0xa2; 20]);
pub const PEER: &str = "10.0.0.1";

/// What whoever holds the certificate user's key shows.
pub fn shown(mark: u8) -> CertificateCredential {
    CertificateCredential {
        thumbprint: SHA1,
        ..credential("whoever", mark)
    }
}

pub fn registration(user: UserId) -> NewRegistration {
    NewRegistration {
        name: "billing".to_owned(),
        description: "nightly bills".to_owned(),
        user: Some(user),
        lock: Lock::Open,
        visible: false,
        bidirectional: false,
    }
}

pub struct Scene {
    pub house: House,
    pub operator: Caller,
    pub user: UserId,
    pub id: ApplicationId,
    pub resource: ResourceId,
    pub account: AccountId,
}

/// A certificate user known by its thumbprint, and a registration that has `db1/root`.
pub async fn scene() -> Scene {
    let house = house().await;
    let operator = house.operator().await;
    let new = NewUser {
        any_host: true,
        certificates: vec![CertBinding::Thumbprint {
            thumbprint: SHA1,
            seen: None,
        }],
        ..new_user("certuser", "a2a", 0)
    };
    let user = house.vault.add_user(&new, &operator).await.unwrap().id;
    let (resource, account) = house.create("db1", "root", "s3cret", &operator).await;
    house.create("db1-other", "root", "other", &operator).await;
    let new = registration(user);
    let made = house.vault.add_registration(&new, &operator).await;
    let id = made.unwrap().application.id;
    Scene {
        house,
        operator,
        user,
        id,
        resource,
        account,
    }
}

impl Scene {
    pub async fn add(&self, from: &[&str]) -> RetrievableView {
        let from: Vec<String> = from.iter().map(|text| (*text).to_owned()).collect();
        let vault = &self.house.vault;
        let added = vault.add_retrievable(self.id, self.account, &from, &self.operator);
        added.await.unwrap()
    }

    pub async fn put(&self, new: NewRegistration) -> RegistrationView {
        let vault = &self.house.vault;
        let put = vault.put_registration(self.id, &new, &self.operator);
        put.await.unwrap()
    }

    pub async fn come(&self, mark: u8, key: &ApiKey, peer: &str) -> Result<Keyed, VaultError> {
        let origin = self.house.origin(peer);
        self.house.vault.by_key(&shown(mark), key, &origin).await
    }

    pub async fn get(&self, key: &ApiKey) -> Result<String, VaultError> {
        let keyed = self.come(1, key, PEER).await?;
        let wanted = Wanted::of(self.resource, self.account);
        let got = self.house.vault.retrieve(&wanted, &keyed.caller).await;
        got.map(|password| password.expose().to_owned())
    }

    /// That a key is answered as one of nobody's, and the trail says why.
    pub async fn assert_away(&self, got: Result<Keyed, VaultError>, why: RefusalReason) {
        assert!(matches!(got, Err(VaultError::NotAllowed)), "{got:?}");
        let newest = self.house.newest(1);
        assert_eq!(newest, [(Operation::Identify, Outcome::Refused(why))]);
    }
}

/// From where the A2A door's callers come.
pub fn a2a(scene: &Scene) -> Origin {
    Origin {
        door: Door::A2a,
        ..scene.house.origin(PEER)
    }
}

#[tokio::test]
async fn a_key_opens_its_account_and_no_other() {
    let scene = scene().await;
    let key = scene.add(&[]).await.key.unwrap();
    let keyed = scene.come(1, &key, PEER).await.unwrap();

    assert_eq!(scene.get(&key).await.unwrap(), "s3cret");
    let record = (Operation::Retrieve, Outcome::Allowed);
    assert_eq!(scene.house.newest(1), [record]);
    let other = scene.house.retrieve("db1-other", "root", &keyed.caller);
    assert!(matches!(other.await, Err(VaultError::Refused)));
    let missing = scene.house.retrieve("db9", "root", &keyed.caller).await;
    assert!(matches!(missing, Err(VaultError::Refused)));
    let wanted = wanted("db1", "root");
    let vault = &scene.house.vault;
    let change = vault.change(&wanted, given("new"), Reach::Local, &keyed.caller);
    assert!(matches!(change.await, Err(VaultError::NotAllowed)));
}

#[tokio::test]
async fn what_the_user_has_by_itself_its_key_does_not_open() {
    let scene = scene().await;
    let key = scene.add(&[]).await.key.unwrap();
    scene
        .house
        .share("db1-other", None, "certuser@a2a", Level::Manage)
        .await;

    let keyed = scene.come(1, &key, PEER).await.unwrap();
    let other = scene.house.retrieve("db1-other", "root", &keyed.caller);

    assert!(matches!(other.await, Err(VaultError::Refused)));
}

#[tokio::test]
async fn an_unknown_key_a_wrong_certificate_address_or_state_are_one_answer() {
    use RefusalReason::{Locked, UnknownUser, WrongHost};
    let scene = scene().await;
    let key = scene.add(&["10.0.0.0/24", "::1"]).await.key.unwrap();
    assert_eq!(scene.get(&key).await.unwrap(), "s3cret");

    let nobodys = ApiKey::from_bytes(&Zeroizing::new([9; 32]));
    scene
        .assert_away(scene.come(1, &nobodys, PEER).await, UnknownUser)
        .await;
    // The same thumbprint, and not the certificate that came with it first.
    scene
        .assert_away(scene.come(2, &key, PEER).await, UnknownUser)
        .await;
    scene
        .assert_away(scene.come(1, &key, "10.0.1.1").await, WrongHost)
        .await;
    assert!(scene.come(1, &key, "::ffff:10.0.0.9").await.is_ok());
    let old = CertificateCredential {
        valid_until: scene.house.vault.now(),
        ..shown(1)
    };
    let origin = scene.house.origin(PEER);
    let got = scene.house.vault.by_key(&old, &key, &origin).await;
    scene.assert_away(got, RefusalReason::Untrusted).await;

    scene
        .put(NewRegistration {
            lock: Lock::Locked,
            ..registration(scene.user)
        })
        .await;
    scene
        .assert_away(scene.come(1, &key, PEER).await, Locked)
        .await;
    scene.put(registration(scene.user)).await;
    assert!(scene.come(1, &key, PEER).await.is_ok());
    let lock = UserEdit::Lock(Lock::Locked);
    let vault = &scene.house.vault;
    vault
        .edit_user("certuser@a2a", &lock, &scene.operator)
        .await
        .unwrap();
    scene
        .assert_away(scene.come(1, &key, PEER).await, Locked)
        .await;
}

#[tokio::test]
async fn a_key_of_one_registration_counts_with_no_other_ones_certificate() {
    let scene = scene().await;
    let key = scene.add(&[]).await.key.unwrap();
    let other = NewUser {
        any_host: true,
        ..new_user("other", "a2a", 50)
    };
    let vault = &scene.house.vault;
    vault.add_user(&other, &scene.operator).await.unwrap();

    let shown = credential("other", 50);
    let origin = scene.house.origin(PEER);
    let got = vault.by_key(&shown, &key, &origin).await;

    scene.assert_away(got, RefusalReason::UnknownUser).await;
}

#[tokio::test]
async fn what_is_taken_back_ends_who_came_by_it() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    let first = scene.add(&[]).await.key.unwrap();
    let keyed = scene.come(1, &first, PEER).await.unwrap();
    assert!(vault.holds(&keyed.caller));

    let second = vault.renew_key(scene.id, scene.account, &scene.operator);
    let second = second.await.unwrap();

    assert!(!vault.holds(&keyed.caller));
    scene
        .assert_away(
            scene.come(1, &first, PEER).await,
            RefusalReason::UnknownUser,
        )
        .await;
    let keyed = scene.come(1, &second, PEER).await.unwrap();
    vault
        .remove_retrievable(scene.id, scene.account, &scene.operator)
        .await
        .unwrap();
    assert!(!vault.holds(&keyed.caller));
    scene
        .assert_away(
            scene.come(1, &second, PEER).await,
            RefusalReason::UnknownUser,
        )
        .await;
    let third = scene.add(&[]).await.key.unwrap();
    assert!(third.expose() != second.expose());
    vault
        .remove_registration(scene.id, &scene.operator)
        .await
        .unwrap();
    scene
        .assert_away(
            scene.come(1, &third, PEER).await,
            RefusalReason::UnknownUser,
        )
        .await;
    let none = scene.house.rows.places().retrievables(scene.resource);
    let left = scene.house.rows.store().scan(&none, None, 9).await.unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn a_key_of_an_account_that_is_removed_opens_nothing_and_leaves_nothing() {
    let scene = scene().await;
    let key = scene.add(&[]).await.key.unwrap();
    let vault = &scene.house.vault;

    vault
        .remove_account("db1", "root", &scene.operator)
        .await
        .unwrap();

    scene
        .assert_away(scene.come(1, &key, PEER).await, RefusalReason::UnknownUser)
        .await;
    let listed = vault
        .retrievables(scene.id, None, 10, &scene.operator)
        .await;
    assert!(listed.unwrap().is_empty());
    let none = scene.house.rows.places().retrievables(scene.resource);
    let left = scene.house.rows.store().scan(&none, None, 9).await.unwrap();
    assert!(left.is_empty());
}

#[tokio::test]
async fn adding_an_account_again_keeps_its_key() {
    let scene = scene().await;
    let first = scene.add(&[]).await;
    let again = scene.add(&["10.0.0.1"]).await;

    assert_eq!(first.key.unwrap().expose(), again.key.unwrap().expose());
    assert_eq!(again.from.len(), 1);
    assert_eq!(
        scene.add(&[]).await.from,
        again.from,
        "nothing said, nothing taken away"
    );
    let vault = &scene.house.vault;
    let listed = vault
        .retrievables(scene.id, None, 10, &scene.operator)
        .await;
    assert_eq!(listed.unwrap().len(), 1);
    for wrong in ["app.example", "10.0.0.0/33", "10.0.0.1/8", "", "::1%lo"] {
        let wrong = [wrong.to_owned()];
        let edit = vault.edit_retrievable(scene.id, scene.account, &wrong, &scene.operator);
        assert!(
            matches!(edit.await, Err(VaultError::Invalid(_))),
            "{wrong:?}"
        );
    }
}

#[tokio::test]
async fn a_bidirectional_registration_changes_its_account_and_no_other() {
    let scene = scene().await;
    let key = scene.add(&[]).await.key.unwrap();
    scene
        .put(NewRegistration {
            bidirectional: true,
            ..registration(scene.user)
        })
        .await;
    let keyed = scene.come(1, &key, PEER).await.unwrap();
    let vault = &scene.house.vault;
    let change = |name: &'static str| {
        let caller = &keyed.caller;
        async move {
            let wanted = wanted(name, "root");
            vault
                .change(&wanted, given("fresh"), Reach::Local, caller)
                .await
        }
    };

    change("db1").await.unwrap();

    assert_eq!(scene.get(&key).await.unwrap(), "fresh");
    assert!(matches!(
        change("db1-other").await,
        Err(VaultError::Refused)
    ));
}

#[tokio::test]
async fn access_control_does_not_stand_before_a_key_and_a_demanded_ticket_does() {
    let scene = scene().await;
    let key = scene.add(&[]).await.key.unwrap();
    let vault = &scene.house.vault;
    let control = NewAccessControl {
        approvers: Vec::new(),
        approver_groups: Vec::new(),
        approvals: 1,
        exclusive: true,
        longest: Duration::from_mins(30),
        reason: true,
        ticket: false,
        change_after: None,
    };
    vault
        .set_access_control(("db1", None), &control, &scene.operator)
        .await
        .unwrap();
    vault
        .set_setting("reason-required", "true", &scene.operator)
        .await
        .unwrap();
    assert_eq!(scene.get(&key).await.unwrap(), "s3cret");

    vault
        .set_setting("ticket-required", "true", &scene.operator)
        .await
        .unwrap();
    let got = scene.get(&key).await;
    assert!(matches!(got, Err(VaultError::TicketRequired)), "{got:?}");
}

#[tokio::test]
async fn what_stands_beside_an_account_is_had_with_it() {
    let scene = scene().await;
    let key = scene.add(&[]).await.key.unwrap();
    let vault = &scene.house.vault;
    let root = claviger::domain::AccountName::parse("root").unwrap();
    let pem = "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    for name in [
        beside::ssh_key(&root).unwrap().to_string(),
        "stray".to_owned(),
    ] {
        let text = Password::parse(Zeroizing::new(pem.to_owned())).unwrap();
        let new = NewAccount {
            resource: "db1".into(),
            account: &name,
            more: AccountEdit::default(),
        };
        let material = Material::ssh_key(text).unwrap();
        vault
            .add_account_with(&new, material, &scene.operator)
            .await
            .unwrap();
    }
    let keyed = scene.come(1, &key, PEER).await.unwrap();

    let beside = vault
        .material(&wanted("db1", "root [SSH key]"), &keyed.caller)
        .await;
    let stray = vault.material(&wanted("db1", "stray"), &keyed.caller).await;

    assert_eq!(beside.unwrap().expose(), pem.as_bytes());
    assert!(matches!(stray, Err(VaultError::Refused)));
}

#[tokio::test]
async fn a_certificate_alone_sees_what_is_visible_of_its_own_and_may_do_nothing() {
    let scene = scene().await;
    scene.add(&[]).await;
    let vault = &scene.house.vault;
    let origin = scene.house.origin(PEER);
    let alone = vault
        .by_certificate_alone(&shown(1), &origin)
        .await
        .unwrap();

    assert!(
        vault
            .registrations(None, 10, &alone)
            .await
            .unwrap()
            .is_empty()
    );
    let hidden = vault.retrievables(scene.id, None, 10, &alone).await;
    assert!(matches!(hidden, Err(VaultError::NotFound(_))));
    scene
        .put(NewRegistration {
            visible: true,
            ..registration(scene.user)
        })
        .await;
    let alone = vault
        .by_certificate_alone(&shown(1), &origin)
        .await
        .unwrap();
    let seen = vault.registrations(None, 10, &alone).await.unwrap();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].thumbprint, Some(SHA1));
    assert_eq!(
        vault
            .retrievables(scene.id, None, 10, &alone)
            .await
            .unwrap()
            .len(),
        1
    );
    let got = scene.house.retrieve("db1", "root", &alone).await;
    assert!(matches!(got, Err(VaultError::NotAllowed)));
    let same = registration(scene.user);
    let put = vault.put_registration(scene.id, &same, &alone);
    assert!(matches!(put.await, Err(VaultError::NotAllowed)));
    let stranger = vault
        .by_certificate_alone(&credential("x", 99), &origin)
        .await;
    assert!(matches!(stranger, Err(VaultError::Unidentified(_))));
}

#[tokio::test]
async fn a_session_by_certificate_ends_with_what_proved_it() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    let pinned = Fingerprint([1; 32]);
    vault
        .trust_certificate((pinned, b"der"), false, "CN=app", &scene.operator)
        .await
        .unwrap();
    let origin = a2a(&scene);
    let signed = vault
        .sign_in_with_certificate(&shown(1), &origin)
        .await
        .unwrap();
    assert_eq!(signed.caller.login(), "certuser@a2a");
    let elsewhere = scene.house.origin(PEER);
    let other = vault.by_session(&signed.token, &elsewhere).await;
    assert!(other.unwrap().is_none(), "through another door");
    let by = async |token| vault.by_session(token, &origin).await.unwrap();
    assert!(by(&signed.token).await.is_some());

    vault
        .distrust_certificate(pinned, &scene.operator)
        .await
        .unwrap();
    assert!(by(&signed.token).await.is_none());

    vault
        .trust_certificate((pinned, b"der"), false, "CN=app", &scene.operator)
        .await
        .unwrap();
    let signed = vault
        .sign_in_with_certificate(&shown(1), &origin)
        .await
        .unwrap();
    let lock = UserEdit::Lock(Lock::Locked);
    vault
        .edit_user("certuser@a2a", &lock, &scene.operator)
        .await
        .unwrap();
    assert!(by(&signed.token).await.is_none());
    scene.house.clock.pass(Duration::from_hours(1));
}
