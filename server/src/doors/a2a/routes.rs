//! Every path of this door with its verbs: what is not in this table is nowhere.
//! `docs/openapi/a2a.json` repeats it, and a test compares.

use http::Method;

use crate::doors::a2a::exchange::astray;
use crate::doors::a2a::path::{Lost, Service, Target};
use crate::doors::a2a::reply::Refusal;

/// A path below its service and version; in braces what is no word.
struct Route(Service, &'static str, &'static [&'static str]);

/// Every path, as version 4 has it, with its verbs.
#[must_use]
pub fn routes() -> Vec<(String, &'static [&'static str])> {
    let all = ROUTES.iter();
    all.map(|Route(service, path, verbs)| (format!("{}/{path}", place(*service, path)), *verbs))
        .collect()
}

fn place(service: Service, path: &str) -> &'static str {
    match service {
        // The one path without a version.
        Service::A2a if path.starts_with("signalr") => "/service/a2a",
        Service::A2a => "/service/a2a/v4",
        Service::Core => "/service/core/v4",
        Service::Appliance => "/service/appliance/v4",
        Service::Rsts => "/RSTS",
        Service::Event => "/service/event",
    }
}

/// Whether there is such a path, and it takes that verb.
///
/// # Errors
/// 404, 405.
pub(super) fn admit(target: &Target, method: &Method) -> Result<(), Refusal> {
    let mut all = ROUTES.iter();
    let found = all.find(|Route(service, path, _)| {
        *service == target.service && leads(path, &target.segments)
    });
    let Some(Route(_, _, verbs)) = found else {
        return Err(astray(Lost::Nothing));
    };
    match verbs.contains(&method.as_str()) {
        true => Ok(()),
        false => Err(Refusal::verb(verbs)),
    }
}

fn leads(path: &str, segments: &[String]) -> bool {
    let mut words = path.split('/');
    let all = segments.iter().all(|segment| {
        let word = words.next();
        word.is_some_and(|word| word.starts_with('{') || word.eq_ignore_ascii_case(segment))
    });
    all && words.next().is_none()
}

const ALL: &[&str] = &["GET", "POST"];
const ONE: &[&str] = &["GET", "PUT", "DELETE"];
const GET: &[&str] = &["GET"];
const POST: &[&str] = &["POST"];
const PUT: &[&str] = &["PUT"];
const KEPT: &[&str] = &["GET", "DELETE"];
const TALK: &[&str] = &["GET", "POST", "DELETE"];

use Service::{A2a, Appliance, Core, Event, Rsts};

const ROUTES: &[Route] = &[
    Route(A2a, "Credentials", GET),
    Route(A2a, "Credentials/Password", PUT),
    Route(A2a, "Credentials/SshKey", PUT),
    Route(A2a, "AccessRequests", POST),
    Route(A2a, "signalr/negotiate", POST),
    Route(A2a, "signalr", TALK),
    Route(Event, "signalr/negotiate", POST),
    Route(Event, "signalr", TALK),
    Route(Rsts, "oauth2/token", POST),
    Route(Appliance, "SystemTime", GET),
    Route(Appliance, "A2AService/Status", GET),
    Route(Appliance, "A2AService/Enable", POST),
    Route(Appliance, "A2AService/Disable", POST),
    Route(Appliance, "A2AService/Config", &["GET", "PUT"]),
    Route(Core, "AuthenticationProviders", GET),
    Route(Core, "LoginMessage", GET),
    Route(Core, "Token/LoginResponse", POST),
    Route(Core, "Token/Logout", POST),
    Route(Core, "Me", GET),
    Route(Core, "A2ARegistrations", ALL),
    Route(Core, "A2ARegistrations/{id}", ONE),
    Route(Core, "A2ARegistrations/{id}/RetrievableAccounts", ALL),
    Route(
        Core,
        "A2ARegistrations/{id}/RetrievableAccounts/{accountId}",
        ONE,
    ),
    Route(
        Core,
        "A2ARegistrations/{id}/RetrievableAccounts/{accountId}/ApiKey",
        ALL,
    ),
    Route(Core, "A2ARegistrations/{id}/AccessRequestBroker", ONE),
    Route(
        Core,
        "A2ARegistrations/{id}/AccessRequestBroker/ApiKey",
        ALL,
    ),
    Route(Core, "TrustedCertificates", TALK),
    Route(Core, "TrustedCertificates/{thumbprint}", KEPT),
    Route(Core, "Users", ALL),
    Route(Core, "Users/{id}", ONE),
    Route(Core, "Users/{id}/Password", PUT),
    Route(Core, "Assets", ALL),
    Route(Core, "Assets/{id}", ONE),
    Route(Core, "AssetAccounts", ALL),
    Route(Core, "AssetAccounts/{id}", ONE),
    Route(Core, "AssetAccounts/{id}/Password", PUT),
    Route(Core, "AssetAccounts/{id}/SshKey", PUT),
    Route(Core, "AssetAccounts/{id}/ApiKeys", ALL),
    Route(Core, "AssetAccounts/{id}/ApiKeys/{number}", KEPT),
    Route(
        Core,
        "AssetAccounts/{id}/ApiKeys/{number}/ClientSecret",
        PUT,
    ),
    Route(Core, "Roles", ALL),
    Route(Core, "Roles/{id}", ONE),
    Route(Core, "AccessPolicies", ALL),
    Route(Core, "AccessPolicies/{id}", KEPT),
    Route(Core, "AccessRequests", ALL),
    Route(Core, "AccessRequests/{id}", GET),
    Route(Core, "AccessRequests/{id}/Approve", POST),
    Route(Core, "AccessRequests/{id}/Deny", POST),
    Route(Core, "AccessRequests/{id}/Cancel", POST),
    Route(Core, "AccessRequests/{id}/CheckIn", POST),
    Route(Core, "AccessRequests/{id}/Close", POST),
    Route(Core, "AccessRequests/{id}/CheckOutPassword", POST),
    Route(Core, "AccessRequests/{id}/CheckOutSshKey", POST),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn admitted(path: &str, verb: &Method) -> Result<(), (u16, String)> {
        let target = Target::read(path, None).unwrap();
        admit(&target, verb).map_err(|refusal| (refusal.status.as_u16(), refusal.message))
    }

    #[test]
    fn a_path_in_the_table_takes_its_verbs_and_no_others() {
        let users = "/SERVICE/core/v2/users//5/";
        let only = "This path takes GET, PUT and DELETE only.".to_owned();

        assert_eq!(admitted(users, &Method::PUT), Ok(()));
        assert_eq!(admitted(users, &Method::POST), Err((405, only)));
        for path in [
            "/service/core/v4/Users/5/6",
            "/service/core/v4/Credentials",
            "/service/a2a/v4",
            "/service/core/v4/{id}",
        ] {
            let refused = admitted(path, &Method::GET).unwrap_err();
            assert_eq!(refused.0, 404, "{path}");
        }
    }
}
