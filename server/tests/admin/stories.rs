//! What the stories share.

use serde_json::json;

use crate::server::Server;

/// A password that must come out nowhere but in an export.
pub(crate) const CANARY: &str = "Canary-7f3a-hunter2";

pub(crate) fn add_resource(server: &Server, name: &str) {
    let new = json!({"name": name, "type": "Linux", "account": "root", "password": CANARY});
    server.send("POST", "/v1/resources", new).with(201);
}

pub(crate) fn add_user(server: &Server, login: &str) {
    let new = json!({"login": login, "role": "password-user"});
    server.send("POST", "/v1/users", new).with(201);
}
