//! A program that is registered, with an account that it may have.

use certs::Identity;
use claviger::domain::{AccountId, CertBinding, Lock, Material, Password, Role, Scope, UserId};
use claviger::domain::{ApplicationId, ResourceId};
use claviger::vault::{
    AccountEdit, NewAccount, NewPassword, NewRegistration, NewResource, NewUser, ResourceEdit,
    ResourceRef, Vault,
};
use zeroize::Zeroizing;

use crate::house::{House, Wire, print};

/// The password of every account here.
pub(crate) const PASSWORD: &str = "First-Pass1!word";

/// A program, its registration, and the key of the account `root` of the resource `db-1`.
pub(crate) struct Registered {
    pub(crate) identity: Identity,
    pub(crate) user: UserId,
    pub(crate) id: ApplicationId,
    pub(crate) resource: ResourceId,
    pub(crate) account: AccountId,
    pub(crate) key: String,
}

impl Registered {
    /// A program that may retrieve, and set too where it is `bidirectional`.
    pub(crate) async fn with(house: &House, bidirectional: bool) -> Self {
        let (vault, operator) = (&house.vault, house.operator().await);
        let identity = house.issue("billing");
        let user = vault
            .add_user(&program(&identity), &operator)
            .await
            .unwrap();
        let new = registration(user.id, bidirectional);
        let view = vault.add_registration(&new, &operator).await.unwrap();
        let made = vault.create(&resource(), password(), &operator).await;
        let made = made.unwrap();
        let id = view.application.id;
        let had = vault.add_retrievable(id, made.account, &[], &operator);
        Self {
            identity,
            user: user.id,
            id,
            resource: made.resource,
            account: made.account,
            key: had.await.unwrap().key.unwrap().expose().to_owned(),
        }
    }

    /// The header that shows its key.
    pub(crate) fn shows(&self) -> String {
        format!("Authorization: A2A {}", self.key)
    }

    pub(crate) async fn connect(&self, house: &House) -> Wire {
        house.connect(Some(&self.identity)).await
    }

    /// Puts another secret beside the account, under `name`.
    pub(crate) async fn beside(&self, house: &House, name: &str, material: Material) {
        let more = AccountEdit {
            notes: Some(format!("of {name}")),
            ..AccountEdit::default()
        };
        let new = NewAccount {
            resource: ResourceRef::Id(self.resource),
            account: name,
            more,
        };
        let operator = house.operator().await;
        let added = house.vault.add_account_with(&new, material, &operator);
        added.await.unwrap();
    }

    /// Keeps the registration out, or lets it in again.
    pub(crate) async fn disable(&self, vault: &Vault, house: &House, lock: Lock) {
        let new = NewRegistration {
            lock,
            ..registration(self.user, false)
        };
        self.put(&new, vault, house).await;
    }

    /// Shows nothing of the registration to its certificate alone.
    pub(crate) async fn hide(&self, house: &House) {
        let new = NewRegistration {
            visible: false,
            ..registration(self.user, true)
        };
        self.put(&new, &house.vault, house).await;
    }

    async fn put(&self, new: &NewRegistration, vault: &Vault, house: &House) {
        let operator = house.operator().await;
        let put = vault.put_registration(self.id, new, &operator).await;
        put.unwrap();
    }
}

pub(crate) fn text(text: &str) -> Password {
    Password::parse(Zeroizing::new(text.to_owned())).unwrap()
}

fn password() -> NewPassword {
    NewPassword::parse(Zeroizing::new(PASSWORD.to_owned())).unwrap()
}

fn program(identity: &Identity) -> NewUser {
    NewUser {
        login: "billing@a2a".to_owned(),
        role: Role::PasswordUser,
        scope: Scope::Owned,
        full_name: None,
        any_host: true,
        certificates: vec![CertBinding::Exactly(print(identity.certificate()))],
        department: String::new(),
        location: String::new(),
        expires: None,
    }
}

fn registration(user: UserId, bidirectional: bool) -> NewRegistration {
    NewRegistration {
        name: "Billing".to_owned(),
        description: String::new(),
        user: Some(user),
        lock: Lock::Open,
        visible: true,
        bidirectional,
    }
}

fn resource() -> NewResource<'static> {
    NewResource {
        resource: "db-1",
        kind: "Linux",
        account: "root",
        notes: "",
        owner: None,
        more: ResourceEdit::default(),
        more_of_account: AccountEdit::default(),
    }
}
