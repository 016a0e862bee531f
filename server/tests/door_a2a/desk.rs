//! Whoever sets things up through the Core service.

use claviger::domain::Thumbprint;
use serde_json::{Value, json};

use crate::house::{Answer, House};
use crate::staff;

/// The password of every account and person here.
pub(crate) const PASSWORD: &str = "A2AOriginal1!";

/// A house, and somebody who has logged in.
pub(crate) struct Desk {
    pub(crate) house: House,
    pub(crate) bearer: String,
}

impl Desk {
    /// Somebody who administers everything.
    pub(crate) async fn open() -> Self {
        let house = House::open().await;
        let bearer = staff::administrator(&house).await;
        Self { house, bearer }
    }

    /// A request of version 4 of the Core service.
    pub(crate) async fn ask(&self, verb: &str, path: &str, body: &Value) -> Answer {
        self.ask_as(&self.bearer, verb, path, body).await
    }

    /// The same of somebody else.
    pub(crate) async fn ask_as(
        &self,
        bearer: &str,
        verb: &str,
        path: &str,
        body: &Value,
    ) -> Answer {
        let mut wire = self.house.connect(None).await;
        let body = match body {
            Value::Null => String::new(),
            body => body.to_string(),
        };
        let path = format!("/service/core/v4/{path}");
        wire.ask(verb, &path, &[bearer], &body).await
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, &Value::Null).await
    }

    /// Makes something, and says which it is.
    pub(crate) async fn make(&self, path: &str, body: &Value) -> Value {
        let answer = self.ask("POST", path, body).await;
        assert_eq!(answer.status, 201, "{path}: {}", answer.body);
        answer.json()
    }

    pub(crate) async fn put(&self, path: &str, body: &Value, status: u16) -> Answer {
        let answer = self.ask("PUT", path, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.body);
        answer
    }

    /// A local user with [`PASSWORD`]: its id, and the header of its session.
    pub(crate) async fn person(&self, name: &str, roles: &[&str]) -> (u64, String) {
        let new = json!({
            "Name": name, "PrimaryAuthenticationProvider": {"Id": -1, "Identity": name},
            "AdminRoles": roles,
        });
        let id = id(&self.make("Users", &new).await);
        self.put(&format!("Users/{id}/Password"), &json!(PASSWORD), 204)
            .await;
        (id, self.log_in(name).await)
    }

    /// The header of a session of a local user.
    pub(crate) async fn log_in(&self, name: &str) -> String {
        let mut wire = self.house.connect(None).await;
        let body = json!({
            "grant_type": "password", "username": name, "password": PASSWORD,
            "scope": staff::LOCAL,
        });
        let path = "/RSTS/oauth2/token";
        let answer = wire.ask("POST", path, &[], &body.to_string()).await;
        staff::bearer(&mut wire, &answer.json()).await
    }

    /// A certificate user, and its certificate.
    pub(crate) async fn program(&self, name: &str) -> (u64, certs::Identity) {
        let identity = self.house.issue(name);
        let thumbprint = Thumbprint::of(identity.certificate()).to_string();
        let new = json!({
            "Name": name,
            "PrimaryAuthenticationProvider": {"Id": -2, "Identity": thumbprint},
            "AdminRoles": ["Auditor"],
        });
        (id(&self.make("Users", &new).await), identity)
    }

    /// An asset, and an account of it with [`PASSWORD`].
    pub(crate) async fn account(&self, asset: &str, name: &str) -> (u64, u64) {
        let new = json!({
            "Name": asset, "PlatformId": 501, "NetworkAddress": "10.5.32.4",
            "AssetPartitionId": -1,
        });
        let asset = id(&self.make("Assets", &new).await);
        let new = json!({"Name": name, "Asset": {"Id": asset}});
        let account = id(&self.make("AssetAccounts", &new).await);
        let path = format!("AssetAccounts/{account}/Password");
        self.put(&path, &json!(PASSWORD), 204).await;
        (asset, account)
    }

    /// An entitlement of a user to the password of an account: nobody need approve, or the others.
    pub(crate) async fn entitle(&self, name: &str, user: u64, account: u64, approve: bool) -> u64 {
        let members = json!([{"Id": user, "PrincipalKind": "User"}]);
        let role = json!({"Name": format!("{name} role"), "Members": members});
        let role = id(&self.make("Roles", &role).await);
        let policy = json!({
            "Name": name, "RoleId": role,
            "AccessRequestProperties": {"AccessRequestType": "Password"},
            "ScopeItems": [{"Id": account, "ScopeItemType": "Account"}],
            "ApproverProperties": {"RequireApproval": approve},
        });
        id(&self.make("AccessPolicies", &policy).await)
    }
}

/// The id of something that was made.
pub(crate) fn id(made: &Value) -> u64 {
    made["Id"].as_u64().unwrap()
}
