//! A vault that reaches true targets.

use std::sync::Arc;
use std::time::Duration;

use claviger::connectors::AllConnectors;
use claviger::domain::{Connector, Host, Pin, Role, Scope, Wire};
use claviger::store::rows::PendingRow;
use claviger::vault::{Caller, NewTarget, Reach, ResetLimits, TargetTest, VaultError};

use crate::fixture::{House, given, house, wanted};

/// What a shell, SQL, LDAP or a terminal would take for its own.
pub const METACHARACTERS: &str =
    r##"a'b"c\d$(e)`f`;g|h&i<j>k*l?m~n#o!p%q^r(s){t}[u] v,w:x=y/z@-- ''\';"##;
pub const UNICODE: &str = "pässwörd ключ 🔑 密码";

pub struct Scene {
    pub house: House,
    pub owner: Caller,
    pub operator: Caller,
}

pub fn target(connector: Connector, port: u16) -> NewTarget {
    NewTarget {
        connector,
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        wire: Wire::Sealed,
        admin: None,
        reconcile: None,
        pin: None,
    }
}

pub fn admin(resource: &str, account: &str) -> Option<(String, String)> {
    Some((resource.to_owned(), account.to_owned()))
}

/// A vault with one resource `it` and its account, and a policy that allows everything.
pub async fn scene(account: &str, password: &str) -> Scene {
    scene_with(account, password, Duration::from_secs(30)).await
}

/// The same; targets are waited for so long.
pub async fn scene_with(account: &str, password: &str, timeout: Duration) -> Scene {
    let house = house().await;
    let owner = house
        .user("owner", 1, Role::PasswordAdministrator, Scope::Owned)
        .await;
    let operator = house.operator().await;
    let policies = house.vault.policies(&operator).await.unwrap();
    let mut low = policies
        .into_iter()
        .find(|policy| policy.name.as_str() == "Low")
        .unwrap();
    (low.min_length, low.max_length) = (1, 1024);
    house
        .vault
        .set_policy(&low, false, &operator)
        .await
        .unwrap();
    house.create("it", account, password, &owner).await;
    let limits = ResetLimits {
        allow: vec![Host::parse("127.0.0.0/8").unwrap()],
        timeout,
        wait: Duration::from_secs(120),
        ..ResetLimits::default()
    };
    house.vault.connect(Arc::new(AllConnectors), limits);
    Scene {
        house,
        owner,
        operator,
    }
}

impl Scene {
    /// Says how the target is reached, and trusts what it shows.
    pub async fn reach(&self, target: &NewTarget) -> TargetTest {
        let vault = &self.house.vault;
        let set = vault.set_reset_target("it".into(), target, &self.operator);
        set.await.unwrap();
        let first = self.test(None).await;
        match first.shown {
            Some(shown) if !first.trusted => self.test(Some(shown)).await,
            _ => first,
        }
    }

    /// Says how the target is reached, and which host key or certificate it has, unseen.
    pub async fn expect(&self, target: NewTarget, pin: Option<Pin>) {
        let vault = &self.house.vault;
        let target = NewTarget { pin, ..target };
        let set = vault.set_reset_target("it".into(), &target, &self.operator);
        set.await.unwrap();
    }

    pub async fn test(&self, trust: Option<Pin>) -> TargetTest {
        let vault = &self.house.vault;
        let test = vault.test_reset_target("it".into(), "", trust, &self.operator);
        test.await.unwrap()
    }

    pub async fn change(&self, account: &str, password: &str) -> Result<(), VaultError> {
        self.change_for(account, password, &self.owner).await
    }

    /// By whoever governs the house: although the stored one does not log in.
    pub async fn puts_right(&self, account: &str, password: &str) {
        let change = self.change_for(account, password, &self.operator);
        change.await.unwrap();
    }

    async fn change_for(
        &self,
        account: &str,
        password: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let vault = &self.house.vault;
        let place = wanted("it", account);
        let change = vault.change(&place, given(password), Reach::Remote, caller);
        change.await.map(drop)
    }

    /// Changes it, and sees that it is in force here, that it logs in, and that the one before
    /// does not.
    pub async fn changes(&self, account: &str, password: &str) {
        self.change(account, password).await.unwrap();
        assert_eq!(self.stored(account).await, password);
        assert!(self.opens(account).await, "{password}");
        assert_eq!(self.pending().await, 0);
    }

    /// Whether the account logs in with what is stored.
    pub async fn opens(&self, account: &str) -> bool {
        let vault = &self.house.vault;
        let test = vault.test_reset_target("it".into(), account, None, &self.operator);
        let test = test.await.unwrap();
        assert_eq!(test.trouble, None);
        test.login.unwrap()
    }

    pub async fn stored(&self, account: &str) -> String {
        let got = self.house.retrieve("it", account, &self.owner).await;
        got.unwrap()
    }

    pub async fn pending(&self) -> usize {
        let rows = &self.house.rows;
        let prefix = rows.places().every_pending();
        rows.all::<PendingRow>(&prefix).await.unwrap().len()
    }

    /// Somebody knows better than the vault, which therefore stores what is wrong.
    pub async fn store(&self, account: &str, password: &str) {
        let vault = &self.house.vault;
        let place = wanted("it", account);
        let change = vault.change(&place, given(password), Reach::Local, &self.owner);
        change.await.unwrap();
    }
}

#[track_caller]
pub fn assert_failed(answer: &Result<(), VaultError>, words: &str) {
    match answer {
        Err(VaultError::RemoteReset(told)) => assert!(told.contains(words), "{told}"),
        other => panic!("{other:?}"),
    }
}
