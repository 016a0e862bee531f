//! Hearing that a secret is another: of every change, of nothing else, and only as long as one may.

use std::future::Future;

use claviger::domain::{
    AccountId, ApiKey, ApplicationId, Door, Lock, Material, Operation, Outcome, Password,
    RefusalReason, ResourceId, SecretKind,
};
use claviger::vault::{
    AccountEdit, Caller, Heard, KeyOf, Keyed, Listening, NewAccount, NewBroker, NewRegistration,
    Origin, Reach, VaultError,
};
use zeroize::Zeroizing;

use crate::fixture::{House, credential, given, house, new_user, wanted};

const KEY: &str = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----";

/// A registration `backup` of the certificate user `robot`, and `db`, on which `root` and `other`
/// keep passwords.
struct Scene {
    house: House,
    operator: Caller,
    registration: ApplicationId,
    resource: ResourceId,
    root: AccountId,
    other: AccountId,
}

impl Scene {
    async fn new() -> Self {
        let house = house().await;
        let operator = house.operator().await;
        let new = new_user("robot", "10.0.0.1", 1);
        let user = house.vault.add_user(&new, &operator).await.unwrap();
        let registration = NewRegistration {
            name: "backup".to_owned(),
            description: String::new(),
            user: Some(user.id),
            lock: Lock::Open,
            visible: false,
            bidirectional: false,
        };
        let made = house.vault.add_registration(&registration, &operator);
        let registration = made.await.unwrap().application.id;
        let (resource, root) = house.create("db", "root", "s3cret", &operator).await;
        let pair = Material::api_key("x", text("y")).unwrap();
        let other = add((&house, &operator), "other", pair).await;
        Self {
            house,
            operator,
            registration,
            resource,
            root,
            other,
        }
    }

    async fn add(&self, account: &str, keeps: Material) -> AccountId {
        add((&self.house, &self.operator), account, keeps).await
    }

    async fn key(&self, account: AccountId) -> ApiKey {
        let vault = &self.house.vault;
        let added = vault.add_retrievable(self.registration, account, &[], &self.operator);
        added.await.unwrap().key.unwrap()
    }

    async fn keyed(&self, key: &ApiKey) -> Result<Keyed, VaultError> {
        let origin = Origin {
            door: Door::A2a,
            ..self.house.origin("10.0.0.1")
        };
        let shown = credential("robot", 1);
        self.house.vault.by_key(&shown, key, &origin).await
    }

    /// An ear for `root`.
    async fn ear(&self) -> Listening {
        let key = self.key(self.root).await;
        let keyed = self.keyed(&key).await.unwrap();
        self.house.vault.listen(&[keyed]).await.unwrap()
    }

    async fn change(&self, account: &str) {
        let new = given("an0ther!");
        let wanted = wanted("db", account);
        let changed = self
            .house
            .vault
            .change(&wanted, new, Reach::Local, &self.operator);
        changed.await.unwrap();
    }

    /// What `future` gives, while changes are told.
    async fn telling<T>(&self, future: impl Future<Output = T>) -> T {
        tokio::select! {
            output = future => output,
            () = self.house.vault.tell_changes() => unreachable!("it has no end"),
        }
    }

    /// The next change that `ear` hears of.
    async fn heard(&self, ear: &mut Listening) -> (String, SecretKind) {
        match self.telling(ear.next()).await {
            Heard::Changed(changed) => {
                assert_eq!(changed.resource, self.resource);
                assert_eq!(changed.resource_name.as_str(), "db");
                (changed.account_name.to_string(), changed.kind)
            }
            Heard::Doubt => panic!("doubt"),
        }
    }
}

async fn add((house, operator): (&House, &Caller), account: &str, keeps: Material) -> AccountId {
    let new = NewAccount {
        resource: "db".into(),
        account,
        ..NewAccount::default()
    };
    house
        .vault
        .add_account_with(&new, keeps, operator)
        .await
        .unwrap()
}

fn text(text: &str) -> Password {
    Password::parse(Zeroizing::new(text.to_owned())).unwrap()
}

#[tokio::test]
async fn a_change_is_heard_and_what_is_no_change_or_anothers_is_not() {
    let scene = Scene::new().await;
    let mut ear = scene.ear().await;

    let edit = AccountEdit {
        notes: Some("moved".to_owned()),
        ..AccountEdit::default()
    };
    let vault = &scene.house.vault;
    vault
        .edit_account("db", "root", &edit, &scene.operator)
        .await
        .unwrap();
    scene
        .house
        .retrieve("db", "root", &scene.operator)
        .await
        .unwrap();
    vault.rotate_key(&scene.operator, &|_| {}).await.unwrap();
    let pair = Material::api_key("x", text("z")).unwrap();
    let other = wanted("db", "other");
    vault
        .change_material(&other, pair, &scene.operator)
        .await
        .unwrap();
    scene.change("root").await;

    let root = ("root".to_owned(), SecretKind::Password);
    assert_eq!(scene.heard(&mut ear).await, root);
    // Nothing else waits: what is told next is the next change.
    let ssh = Material::ssh_key(text(KEY)).unwrap();
    scene.add("root [SSH key]", ssh).await;
    let root = ("root".to_owned(), SecretKind::SshKey);
    assert_eq!(scene.heard(&mut ear).await, root);
}

#[tokio::test]
async fn what_stands_beside_an_account_is_told_of_the_account() {
    let scene = Scene::new().await;
    let mut ear = scene.ear().await;
    let pair = |secret| Material::api_key("id", text(secret)).unwrap();

    scene.add("root [API key 2]", pair("first")).await;
    assert_eq!(scene.heard(&mut ear).await.1, SecretKind::ApiKey);
    let beside = wanted("db", "root [API key 2]");
    let changed = scene
        .house
        .vault
        .change_material(&beside, pair("second"), &scene.operator);
    changed.await.unwrap();

    let heard = scene.heard(&mut ear).await;
    assert_eq!(heard, ("root".to_owned(), SecretKind::ApiKey));
}

#[tokio::test]
async fn a_change_before_somebody_listened_is_not_heard_and_one_while_nobody_told_is() {
    let scene = Scene::new().await;
    scene.change("root").await;
    let mut ear = scene.ear().await;
    let pair = Material::api_key("id", text("first")).unwrap();
    scene.add("root [API key 1]", pair).await;

    assert_eq!(scene.heard(&mut ear).await.1, SecretKind::ApiKey);
}

#[tokio::test]
async fn whoever_listens_is_told_to_ask_again_when_its_key_may_be_gone() {
    let scene = Scene::new().await;
    let key = scene.key(scene.root).await;
    let keyed = scene.keyed(&key).await.unwrap();
    let mut ear = scene.house.vault.listen(&[keyed]).await.unwrap();

    let told = scene.telling(async {
        // One that tells looks first when it begins.
        tokio::task::yield_now().await;
        let vault = &scene.house.vault;
        let gone = vault.remove_retrievable(scene.registration, scene.root, &scene.operator);
        gone.await.unwrap();
        ear.next().await
    });

    assert_eq!(told.await, Heard::Doubt);
    assert!(matches!(
        scene.keyed(&key).await,
        Err(VaultError::NotAllowed)
    ));
}

#[tokio::test]
async fn listening_is_one_record_whatever_the_number_of_keys() {
    let scene = Scene::new().await;
    let beside = wanted("db", "other");
    let first = scene.key(scene.root).await;
    let second = scene.key(scene.other).await;
    let keys = [
        scene.keyed(&first).await.unwrap(),
        scene.keyed(&second).await.unwrap(),
    ];

    let mut ear = scene.house.vault.listen(&keys).await.unwrap();

    let listened = [(Operation::Listen, Outcome::Allowed)];
    assert_eq!(scene.house.newest(1), listened);
    scene.change("root").await;
    assert_eq!(scene.heard(&mut ear).await.1, SecretKind::Password);
    let pair = Material::api_key("x", text("z")).unwrap();
    let changed = scene
        .house
        .vault
        .change_material(&beside, pair, &scene.operator);
    changed.await.unwrap();
    assert_eq!(scene.heard(&mut ear).await.0, "other");
}

#[tokio::test]
async fn a_brokers_key_hears_of_nothing() {
    let scene = Scene::new().await;
    let broker = NewBroker {
        users: Vec::new(),
        groups: Vec::new(),
        from: Vec::new(),
    };
    let vault = &scene.house.vault;
    let put = vault.put_broker(scene.registration, &broker, &scene.operator);
    let key = put.await.unwrap().key.unwrap();
    let keyed = scene.keyed(&key).await.unwrap();
    assert!(matches!(keyed.of, KeyOf::Broker { .. }));

    let refused = vault.listen(&[keyed]).await;

    assert!(matches!(refused, Err(VaultError::NotAllowed)));
    let why = RefusalReason::NotAllowed;
    let told = [(Operation::Listen, Outcome::Refused(why))];
    assert_eq!(scene.house.newest(1), told);
}
