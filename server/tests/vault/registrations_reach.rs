//! What an administrator of narrow scope, a broker and a session by certificate reach.

use std::time::Duration;

use claviger::domain::{
    CertBinding, Fingerprint, Level, Lock, RefusalReason, Role, Scope, Thumbprint, UserId,
};
use claviger::vault::{
    AccountEdit, ApplicationEdit, BrokerView, Caller, KeyOf, NewAccessControl, NewAccount,
    NewBroker, NewGroup, NewRegistration, NewUser, Reach, UserEdit, VaultError,
};

use crate::fixture::{given, new_user, wanted};
use crate::registrations::{PEER, SHA1, Scene, a2a, registration, scene, shown};

/// An administrator who reaches only what is shared with it.
async fn narrow(scene: &Scene) -> Caller {
    let house = &scene.house;
    house
        .user("narrow", 3, Role::Administrator, Scope::Owned)
        .await
}

#[tokio::test]
async fn whoever_does_not_manage_an_account_gives_it_to_no_registration() {
    let scene = scene().await;
    let house = &scene.house;
    let narrow = house
        .user("narrow", 3, Role::Administrator, Scope::Owned)
        .await;
    let vault = &house.vault;

    let added = vault
        .add_retrievable(scene.id, scene.account, &[], &narrow)
        .await;
    assert!(matches!(added, Err(VaultError::Refused)), "{added:?}");
    house
        .share("db1", None, "narrow@10.0.0.1", Level::Modify)
        .await;
    let added = vault
        .add_retrievable(scene.id, scene.account, &[], &narrow)
        .await;
    assert!(matches!(added, Err(VaultError::NotAllowed)));
    house
        .share("db1", None, "narrow@10.0.0.1", Level::Manage)
        .await;
    vault
        .add_retrievable(scene.id, scene.account, &[], &narrow)
        .await
        .unwrap();
    let plain = house.plain_user("plain", 4).await;
    let added = vault
        .add_retrievable(scene.id, scene.account, &[], &plain)
        .await;
    assert!(matches!(added, Err(VaultError::NotAllowed)));
}

#[tokio::test]
async fn accounts_are_not_handed_to_another_user_by_whoever_does_not_reach_all() {
    let scene = scene().await;
    let house = &scene.house;
    scene.add(&[]).await;
    let narrow = house
        .user("narrow", 3, Role::Administrator, Scope::Owned)
        .await;
    let own = NewUser {
        any_host: true,
        ..new_user("own", "a2a", 51)
    };
    let own = house.vault.add_user(&own, &narrow).await.unwrap().id;

    for new in [
        registration(own),
        NewRegistration {
            bidirectional: true,
            ..registration(scene.user)
        },
    ] {
        let put = house.vault.put_registration(scene.id, &new, &narrow).await;
        assert!(matches!(put, Err(VaultError::NotAllowed)), "{new:?}");
    }
    let same = registration(scene.user);
    house
        .vault
        .put_registration(scene.id, &same, &narrow)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_broker_speaks_for_whom_it_may_and_for_nobody_else() {
    let scene = scene().await;
    let house = &scene.house;
    let (vault, operator) = (&house.vault, &scene.operator);
    house.plain_user("ann", 10).await;
    house.plain_user("bob", 11).await;
    let id = |login: &'static str| async move { vault.user(login, operator).await.unwrap().id };
    let (ann, bob) = (id("ann@10.0.0.1").await, id("bob@10.0.0.1").await);
    let new = NewBroker {
        users: vec![ann],
        ..NewBroker::default()
    };
    let first = vault.put_broker(scene.id, &new, operator).await.unwrap();
    let keyed = scene
        .come(1, first.key.as_ref().unwrap(), PEER)
        .await
        .unwrap();

    assert_eq!(
        keyed.of,
        KeyOf::Broker {
            application: scene.id
        }
    );
    let users = vault.brokered_users(&keyed).await.unwrap();
    assert_eq!(users.iter().map(|user| user.id).collect::<Vec<_>>(), [ann]);
    assert!(vault.broker_for(&keyed, ann).await.is_ok());
    let other = vault.broker_for(&keyed, bob).await;
    assert!(matches!(other, Err(VaultError::NotAllowed)));
    let got = house.retrieve("db1", "root", &keyed.caller).await;
    assert!(matches!(got, Err(VaultError::NotAllowed)));
    let again = vault.put_broker(scene.id, &new, operator).await.unwrap();
    let key = |view: &BrokerView| view.key.as_ref().unwrap().expose().to_owned();
    assert_eq!(key(&again), key(&first));
    vault.remove_broker(scene.id, operator).await.unwrap();
    scene
        .assert_away(
            scene.come(1, first.key.as_ref().unwrap(), PEER).await,
            RefusalReason::UnknownUser,
        )
        .await;
    let fresh = vault.put_broker(scene.id, &new, operator).await.unwrap();
    assert_ne!(key(&fresh), key(&first));
}

#[tokio::test]
async fn whoever_does_not_reach_all_gets_into_no_application_that_has_keys() {
    let scene = scene().await;
    scene.add(&[]).await;
    let narrow = narrow(&scene).await;
    let vault = &scene.house.vault;
    let print = Fingerprint([52; 32]);
    let refused = |got: Result<(), VaultError>| {
        assert!(matches!(got, Err(VaultError::NotAllowed)), "{got:?}");
    };

    for edit in [
        ApplicationEdit {
            bind: vec![print],
            ..ApplicationEdit::default()
        },
        ApplicationEdit {
            inherits: Some("narrow@10.0.0.1".to_owned()),
            ..ApplicationEdit::default()
        },
    ] {
        let got = vault.edit_application("billing", &edit, &narrow).await;
        refused(got.map(drop));
    }
    for binding in [
        CertBinding::Exactly(print),
        CertBinding::Thumbprint {
            thumbprint: Thumbprint([7; 20]),
            seen: None,
        },
    ] {
        let bind = UserEdit::Bind(binding);
        refused(vault.edit_user("certuser@a2a", &bind, &narrow).await);
    }
    scene
        .house
        .share("db1", None, "narrow@10.0.0.1", Level::View)
        .await;
    let from: [String; 0] = [];
    let renewed = vault.renew_key(scene.id, scene.account, &narrow).await;
    refused(renewed.map(drop));
    let opened = vault.edit_retrievable(scene.id, scene.account, &from, &narrow);
    refused(opened.await.map(drop));
    let lock = ApplicationEdit {
        lock: Some(Lock::Locked),
        ..ApplicationEdit::default()
    };
    vault
        .edit_application("billing", &lock, &narrow)
        .await
        .unwrap();
    let unlock = ApplicationEdit {
        lock: Some(Lock::Open),
        ..ApplicationEdit::default()
    };
    refused(
        vault
            .edit_application("billing", &unlock, &narrow)
            .await
            .map(drop),
    );
}

#[tokio::test]
async fn a_host_that_is_given_binds_the_key_too() {
    let scene = scene().await;
    let key = scene.add(&[]).await.key.unwrap();
    let host = ApplicationEdit {
        host: Some("10.7.0.0/16".to_owned()),
        ..ApplicationEdit::default()
    };
    let vault = &scene.house.vault;
    vault
        .edit_application("billing", &host, &scene.operator)
        .await
        .unwrap();

    scene
        .assert_away(scene.come(1, &key, PEER).await, RefusalReason::WrongHost)
        .await;
    assert!(scene.come(1, &key, "10.7.0.9").await.is_ok());
}

#[tokio::test]
async fn what_stands_beside_an_account_goes_and_comes_only_by_who_manages_it() {
    let scene = scene().await;
    let narrow = narrow(&scene).await;
    let house = &scene.house;
    let vault = &house.vault;
    for (name, secret) in [("root [API key 1]", "k3y-0ne"), ("spare", "sp4re")] {
        let new = NewAccount {
            resource: "db1".into(),
            account: name,
            more: AccountEdit::default(),
        };
        vault
            .add_account(&new, given(secret), &scene.operator)
            .await
            .unwrap();
    }
    house
        .share("db1", Some("root"), "narrow@10.0.0.1", Level::Manage)
        .await;
    house
        .share("db1", Some("spare"), "narrow@10.0.0.1", Level::Manage)
        .await;

    let added = vault
        .add_retrievable(scene.id, scene.account, &[], &narrow)
        .await;
    assert!(matches!(added, Err(VaultError::Refused)), "{added:?}");
    let rename = AccountEdit {
        name: Some("root [SSH key]".to_owned()),
        ..AccountEdit::default()
    };
    let renamed = vault.edit_account("db1", "spare", &rename, &narrow).await;
    assert!(matches!(renamed, Err(VaultError::Refused)), "{renamed:?}");
    house
        .share("db1", None, "narrow@10.0.0.1", Level::Manage)
        .await;
    vault
        .edit_account("db1", "spare", &rename, &narrow)
        .await
        .unwrap();
    vault
        .add_retrievable(scene.id, scene.account, &[], &narrow)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_broker_speaks_for_nobody_who_reaches_more_than_its_maker() {
    let scene = scene().await;
    let narrow = narrow(&scene).await;
    let house = &scene.house;
    let (vault, operator) = (&house.vault, &scene.operator);
    house
        .user("wide", 12, Role::Administrator, Scope::All)
        .await;
    let id = |login: &'static str| async move { vault.user(login, operator).await.unwrap().id };
    let (wide, small) = (id("wide@10.0.0.1").await, id("narrow@10.0.0.1").await);
    let group = NewGroup {
        name: "dba".to_owned(),
        description: String::new(),
    };
    let group = vault.add_group(&group, operator).await.unwrap().id;
    for login in ["wide@10.0.0.1", "narrow@10.0.0.1"] {
        vault.add_member("dba", login, operator).await.unwrap();
    }
    let of = |users: Vec<UserId>| NewBroker {
        users,
        groups: vec![group],
        ..NewBroker::default()
    };

    let named = vault.put_broker(scene.id, &of(vec![wide]), &narrow).await;
    assert!(matches!(named, Err(VaultError::NotAllowed)));
    let made = vault
        .put_broker(scene.id, &of(Vec::new()), &narrow)
        .await
        .unwrap();
    let keyed = scene
        .come(1, made.key.as_ref().unwrap(), PEER)
        .await
        .unwrap();
    let users = vault.brokered_users(&keyed).await.unwrap();
    assert_eq!(
        users.iter().map(|user| user.id).collect::<Vec<_>>(),
        [small]
    );
    let spoken = vault.broker_for(&keyed, wide).await;
    assert!(matches!(spoken, Err(VaultError::NotAllowed)));

    vault
        .put_broker(scene.id, &of(Vec::new()), operator)
        .await
        .unwrap();
    let keyed = scene
        .come(1, made.key.as_ref().unwrap(), PEER)
        .await
        .unwrap();
    assert_eq!(vault.brokered_users(&keyed).await.unwrap().len(), 2);
    let put = vault.put_broker(scene.id, &of(Vec::new()), &narrow).await;
    assert!(matches!(put, Err(VaultError::NotAllowed)));
    let renewed = vault.renew_broker_key(scene.id, &narrow).await;
    assert!(matches!(renewed, Err(VaultError::NotAllowed)));
}

#[tokio::test]
async fn a_thumbprint_is_one_users_and_can_be_taken_back_unused() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    scene.house.plain_user("plain", 4).await;
    let bind = UserEdit::Bind(CertBinding::Thumbprint {
        thumbprint: SHA1,
        seen: None,
    });
    let again = vault
        .edit_user("plain@10.0.0.1", &bind, &scene.operator)
        .await;
    assert!(matches!(again, Err(VaultError::Exists(_))));

    let unbind = UserEdit::UnbindThumbprint(SHA1);
    vault
        .edit_user("certuser@a2a", &unbind, &scene.operator)
        .await
        .unwrap();
    vault
        .edit_user("plain@10.0.0.1", &bind, &scene.operator)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_session_by_certificate_is_its_users_and_nobody_elses() {
    let scene = scene().await;
    let vault = &scene.house.vault;
    scene.house.plain_user("plain", 4).await;
    let origin = a2a(&scene);
    let signed = vault
        .sign_in_with_certificate(&shown(1), &origin)
        .await
        .unwrap();
    let live = vault.by_session(&signed.token, &origin).await.unwrap();
    assert!(live.is_some());

    let unbind = UserEdit::UnbindThumbprint(SHA1);
    vault
        .edit_user("certuser@a2a", &unbind, &scene.operator)
        .await
        .unwrap();
    let bind = UserEdit::Bind(CertBinding::Exactly(Fingerprint([1; 32])));
    vault
        .edit_user("plain@10.0.0.1", &bind, &scene.operator)
        .await
        .unwrap();

    let live = vault.by_session(&signed.token, &origin).await.unwrap();
    assert!(live.is_none());
}

#[tokio::test]
async fn a_key_changes_nothing_that_somebody_holds_alone() {
    let scene = scene().await;
    let house = &scene.house;
    let vault = &house.vault;
    let key = scene.add(&[]).await.key.unwrap();
    let both = NewRegistration {
        bidirectional: true,
        ..registration(scene.user)
    };
    scene.put(both).await;
    let control = NewAccessControl {
        approvers: Vec::new(),
        approver_groups: Vec::new(),
        approvals: 0,
        exclusive: true,
        longest: Duration::from_mins(30),
        reason: false,
        ticket: false,
        change_after: None,
    };
    vault
        .set_access_control(("db1", None), &control, &scene.operator)
        .await
        .unwrap();
    let ann = house.plain_user("ann", 10).await;
    house.share("db1", None, "ann@10.0.0.1", Level::View).await;
    let spot = wanted("db1", "root");
    vault.request(&spot, None, &ann).await.unwrap();
    vault.check_out(&spot, None, &ann).await.unwrap();

    let keyed = scene.come(1, &key, PEER).await.unwrap();
    let change = vault.change(&spot, given("fresh"), Reach::Local, &keyed.caller);
    let change = change.await;

    assert!(matches!(change, Err(VaultError::InUse(_))), "{change:?}");
    assert_eq!(scene.get(&key).await.unwrap(), "s3cret");
}

#[tokio::test]
async fn what_is_set_for_a_resource_is_not_softened_by_whoever_manages_an_account_of_it() {
    let scene = scene().await;
    let narrow = narrow(&scene).await;
    let house = &scene.house;
    let vault = &house.vault;
    let control = |approvals| NewAccessControl {
        approvers: Vec::new(),
        approver_groups: Vec::new(),
        approvals,
        exclusive: true,
        longest: Duration::from_mins(30),
        reason: false,
        ticket: false,
        change_after: None,
    };
    vault
        .set_access_control(("db1", None), &control(2), &scene.operator)
        .await
        .unwrap();
    house
        .share("db1", Some("root"), "narrow@10.0.0.1", Level::Manage)
        .await;

    let one = ("db1", Some("root"));
    let softened = vault.set_access_control(one, &control(0), &narrow).await;
    assert!(matches!(softened, Err(VaultError::Refused)), "{softened:?}");
    let added = vault
        .add_retrievable(scene.id, scene.account, &[], &narrow)
        .await;
    assert!(matches!(added, Err(VaultError::Refused)), "{added:?}");
    house
        .share("db1", None, "narrow@10.0.0.1", Level::Manage)
        .await;
    vault
        .set_access_control(one, &control(0), &narrow)
        .await
        .unwrap();
    vault
        .add_retrievable(scene.id, scene.account, &[], &narrow)
        .await
        .unwrap();
}

#[tokio::test]
async fn an_account_is_not_renamed_to_where_somebody_elses_key_stands() {
    let scene = scene().await;
    let narrow = narrow(&scene).await;
    let house = &scene.house;
    let vault = &house.vault;
    for name in ["deploy [API key 1]", "spare"] {
        let new = NewAccount {
            resource: "db1".into(),
            account: name,
            more: AccountEdit::default(),
        };
        let made = vault.add_account(&new, given("s3cr3t-k3y"), &scene.operator);
        made.await.unwrap();
    }
    house
        .share("db1", Some("spare"), "narrow@10.0.0.1", Level::Manage)
        .await;
    let rename = |name: &str| AccountEdit {
        name: Some(name.to_owned()),
        ..AccountEdit::default()
    };

    let taken = rename("deploy");
    let got = vault.edit_account("db1", "spare", &taken, &narrow).await;
    assert!(matches!(got, Err(VaultError::Refused)), "{got:?}");
    let free = rename("other");
    vault
        .edit_account("db1", "spare", &free, &narrow)
        .await
        .unwrap();
}
