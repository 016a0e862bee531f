//! From a verb and a path to what is asked for. What is not here is nowhere: a path is cut at its
//! slashes first and decoded after that, once, so that no spelling reaches another route.

use http::Method;

use crate::domain::{AccountId, ResourceGroupId, ResourceId, UserId};
use crate::doors::percent;

/// What is asked for, with the ids and names of its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Endpoint {
    Resources,
    CreateResource,
    EditResource(ResourceId),
    DeleteResource(ResourceId),
    ResourceTypes,
    ResourceNamed(String),
    /// Resource and account by names in the path.
    IdsNamed(String, String),
    /// The same by names in the query.
    Ids,
    /// Both in full, by ids in the query.
    AccountInFull,
    ShareResource(ResourceId),
    Accounts(ResourceId),
    AddAccounts(ResourceId),
    Account(Place),
    EditAccount(Place),
    DeleteAccount(Place),
    ShareAccount(Place),
    Password(Place),
    ChangePassword(Place),
    DownloadFile(Place),
    PasswordRequests,
    RequestPassword(Place),
    CheckOut(Place),
    CheckIn(Place),
    Approve(Place, UserId),
    Reject(Place, UserId),
    CheckInFor(Place, UserId),
    CreateUser,
    UserId,
    LockUser,
    UnlockUser,
    DeleteUser(UserId),
    RegenerateToken,
    GeneratePassword,
    Audits,
    ResourceGroups,
    Associate(ResourceGroupId),
    AssociatedGroups(ResourceId),
    /// Whether the server is ready: for anybody.
    Ping,
    /// One of the others, named by the parameter OPERATION_NAME.
    Named,
}

/// Where an account is; without its resource it is found by its own id alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) resource: Option<ResourceId>,
    pub(super) account: AccountId,
}

/// Why a request leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lost {
    /// There is nothing at that path.
    NoSuchPath,
    /// What is there takes these verbs.
    Verb(&'static str),
}

impl Endpoint {
    /// Every name that an answer may have.
    pub(super) const OPERATIONS: [&'static str; 41] = [
        "GET RESOURCES",
        "CREATE RESOURCE",
        "EDIT RESOURCE",
        "DELETE RESOURCE",
        "GET RESOURCE TYPES",
        "GET_RESOURCEID",
        "GET_RESOURCEACCOUNTNAME",
        "GET_RESOURCEACCOUNTID",
        "GET_RESOURCEACCOUNTDETAILS",
        "SHARE RESOURCE",
        "GET RESOURCE ACCOUNTLIST",
        "ADD ACCOUNTS",
        "GET RESOURCE ACCOUNT DETAILS",
        "EDIT ACCOUNT",
        "DELETE ACCOUNT",
        "SHARE ACCOUNT",
        "GET PASSWORD",
        "CHANGE PASSWORD",
        "DOWNLOAD FILE",
        "GET_PASSWORDREQUEST",
        "REQUEST_PASSWORD",
        "REQUEST_CHECKOUT",
        "REQUEST_CHECKIN",
        "ADMIN_REQUEST_APPROVE",
        "ADMIN_REQUEST_REJECT",
        "ADMIN_REQUEST_CHECKIN",
        "CREATE_USER",
        "GET_USERID",
        "LOCK_USER",
        "UNLOCK_USER",
        "DELETE_USER",
        "REGENERATE_AUTHTOKEN",
        "GENERATE_PASSWORD",
        "GET_AUDIT",
        "GET RESOURCE GROUPS",
        "ASSOCIATE RESOURCES",
        "GET ASSOCIATED GROUPS",
        "PING",
        "REQUEST",
        AUTHENTICATION,
        TRANSPORT,
    ];

    /// The name of its answers.
    pub(super) fn operation(&self) -> &'static str {
        match self {
            Self::Resources => "GET RESOURCES",
            Self::CreateResource => "CREATE RESOURCE",
            Self::EditResource(_) => "EDIT RESOURCE",
            Self::DeleteResource(_) => "DELETE RESOURCE",
            Self::ResourceTypes => "GET RESOURCE TYPES",
            Self::ResourceNamed(_) => "GET_RESOURCEID",
            Self::IdsNamed(_, _) => "GET_RESOURCEACCOUNTNAME",
            Self::Ids => "GET_RESOURCEACCOUNTID",
            Self::AccountInFull => "GET_RESOURCEACCOUNTDETAILS",
            Self::ShareResource(_) => "SHARE RESOURCE",
            Self::Accounts(_) => "GET RESOURCE ACCOUNTLIST",
            Self::AddAccounts(_) => "ADD ACCOUNTS",
            Self::Account(_) => "GET RESOURCE ACCOUNT DETAILS",
            Self::EditAccount(_) => "EDIT ACCOUNT",
            Self::DeleteAccount(_) => "DELETE ACCOUNT",
            Self::ShareAccount(_) => "SHARE ACCOUNT",
            Self::Password(_) => "GET PASSWORD",
            Self::ChangePassword(_) => "CHANGE PASSWORD",
            Self::DownloadFile(_) => "DOWNLOAD FILE",
            Self::PasswordRequests => "GET_PASSWORDREQUEST",
            Self::RequestPassword(_) => "REQUEST_PASSWORD",
            Self::CheckOut(_) => "REQUEST_CHECKOUT",
            Self::CheckIn(_) => "REQUEST_CHECKIN",
            Self::Approve(_, _) => "ADMIN_REQUEST_APPROVE",
            Self::Reject(_, _) => "ADMIN_REQUEST_REJECT",
            Self::CheckInFor(_, _) => "ADMIN_REQUEST_CHECKIN",
            Self::CreateUser => "CREATE_USER",
            Self::UserId => "GET_USERID",
            Self::LockUser => "LOCK_USER",
            Self::UnlockUser => "UNLOCK_USER",
            Self::DeleteUser(_) => "DELETE_USER",
            Self::RegenerateToken => "REGENERATE_AUTHTOKEN",
            Self::GeneratePassword => "GENERATE_PASSWORD",
            Self::Audits => "GET_AUDIT",
            Self::ResourceGroups => "GET RESOURCE GROUPS",
            Self::Associate(_) => "ASSOCIATE RESOURCES",
            Self::AssociatedGroups(_) => "GET ASSOCIATED GROUPS",
            Self::Ping => "PING",
            Self::Named => "REQUEST",
        }
    }
}

/// The name of an answer to somebody who is nobody.
pub(super) const AUTHENTICATION: &str = "Authentication";
/// The name of an answer to what never was a request of this API.
pub(super) const TRANSPORT: &str = "HTTP";

/// Finds what `method` and `path` ask for.
pub(super) fn route(method: &Method, path: &str) -> Result<Endpoint, Lost> {
    if path == NAMED {
        return verb(method, "POST", [(Method::POST, Endpoint::Named)]);
    }
    let below = path.strip_prefix(BASE).ok_or(Lost::NoSuchPath)?;
    let segments: Option<Vec<String>> = below.split('/').map(segment).collect();
    let segments = segments.ok_or(Lost::NoSuchPath)?;
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        ["resources", rest @ ..] => resources(method, rest),
        ["accounts", rest @ ..] => accounts(method, rest),
        ["user", rest @ ..] => users(method, rest),
        ["passwords", "generate"] => get(method, Endpoint::GeneratePassword),
        ["audit"] => get(method, Endpoint::Audits),
        ["resourcegroup"] => get(method, Endpoint::ResourceGroups),
        ["resourcegroup", group, "associateResources"] => {
            let endpoint = Endpoint::Associate(ResourceGroupId(id(group)?));
            verb(method, "POST", [(Method::POST, endpoint)])
        }
        ["ping"] => get(method, Endpoint::Ping),
        _ => Err(Lost::NoSuchPath),
    }
}

const BASE: &str = "/restapi/json/v1/";
const NAMED: &str = "/api/json/request";

fn resources(method: &Method, rest: &[&str]) -> Result<Endpoint, Lost> {
    let listed = [
        (Method::GET, Endpoint::Resources),
        (Method::POST, Endpoint::CreateResource),
    ];
    match rest {
        [] => verb(method, "GET, POST", listed),
        ["resourcetypes"] => get(method, Endpoint::ResourceTypes),
        ["getResourceIdAccountId"] => get(method, Endpoint::Ids),
        ["getResourceAccountDetails"] => get(method, Endpoint::AccountInFull),
        ["resourcename", name] => get(method, Endpoint::ResourceNamed((*name).to_owned())),
        ["resourcename", resource, "accounts", "accountname", account] => get(
            method,
            Endpoint::IdsNamed((*resource).to_owned(), (*account).to_owned()),
        ),
        [resource, rest @ ..] => within(method, ResourceId(id(resource)?), rest),
    }
}

/// What is below one resource.
fn within(method: &Method, resource: ResourceId, rest: &[&str]) -> Result<Endpoint, Lost> {
    let place = |account: &str| {
        Ok(Place {
            resource: Some(resource),
            account: AccountId(id(account)?),
        })
    };
    match rest {
        [] => verb(
            method,
            "DELETE, POST, PUT",
            [
                (Method::DELETE, Endpoint::DeleteResource(resource)),
                // The original's manual says DELETE, and shows a curl line with -X POST: that is
                // taken for it where nothing comes with it.
                (Method::POST, Endpoint::DeleteResource(resource)),
                (Method::PUT, Endpoint::EditResource(resource)),
            ],
        ),
        ["share"] => put(method, Endpoint::ShareResource(resource)),
        ["associatedGroups"] => get(method, Endpoint::AssociatedGroups(resource)),
        ["accounts"] => verb(
            method,
            "GET, POST",
            [
                (Method::GET, Endpoint::Accounts(resource)),
                (Method::POST, Endpoint::AddAccounts(resource)),
            ],
        ),
        ["accounts", account] => {
            let place = place(account)?;
            verb(
                method,
                "DELETE, GET, PUT",
                [
                    (Method::DELETE, Endpoint::DeleteAccount(place)),
                    (Method::GET, Endpoint::Account(place)),
                    (Method::PUT, Endpoint::EditAccount(place)),
                ],
            )
        }
        ["accounts", account, "password"] => {
            let place = place(account)?;
            verb(
                method,
                "GET, PUT",
                [
                    (Method::GET, Endpoint::Password(place)),
                    (Method::PUT, Endpoint::ChangePassword(place)),
                ],
            )
        }
        ["accounts", account, "downloadfile"] => {
            get(method, Endpoint::DownloadFile(place(account)?))
        }
        ["accounts", account, "share"] => put(method, Endpoint::ShareAccount(place(account)?)),
        _ => Err(Lost::NoSuchPath),
    }
}

fn accounts(method: &Method, rest: &[&str]) -> Result<Endpoint, Lost> {
    if let ["passwordaccessrequests"] = rest {
        return get(method, Endpoint::PasswordRequests);
    }
    let [account, rest @ ..] = rest else {
        return Err(Lost::NoSuchPath);
    };
    let place = Place {
        resource: None,
        account: AccountId(id(account)?),
    };
    let endpoint = match rest {
        ["requestpassword"] => Endpoint::RequestPassword(place),
        ["checkout"] => Endpoint::CheckOut(place),
        ["checkin"] => Endpoint::CheckIn(place),
        ["requester", user, "approve"] => Endpoint::Approve(place, UserId(id(user)?)),
        ["requester", user, "reject"] => Endpoint::Reject(place, UserId(id(user)?)),
        ["requester", user, "checkin"] => Endpoint::CheckInFor(place, UserId(id(user)?)),
        _ => return Err(Lost::NoSuchPath),
    };
    verb(method, "POST", [(Method::POST, endpoint)])
}

fn users(method: &Method, rest: &[&str]) -> Result<Endpoint, Lost> {
    match rest {
        [] => verb(method, "POST", [(Method::POST, Endpoint::CreateUser)]),
        ["getUserId"] => get(method, Endpoint::UserId),
        ["lock"] => put(method, Endpoint::LockUser),
        ["unlock"] => put(method, Endpoint::UnlockUser),
        ["regenerateAuthtoken"] => put(method, Endpoint::RegenerateToken),
        [user] => {
            let endpoint = Endpoint::DeleteUser(UserId(id(user)?));
            verb(method, "DELETE", [(Method::DELETE, endpoint)])
        }
        _ => Err(Lost::NoSuchPath),
    }
}

fn get(method: &Method, endpoint: Endpoint) -> Result<Endpoint, Lost> {
    verb(method, "GET", [(Method::GET, endpoint)])
}

fn put(method: &Method, endpoint: Endpoint) -> Result<Endpoint, Lost> {
    verb(method, "PUT", [(Method::PUT, endpoint)])
}

fn verb<const N: usize>(
    method: &Method,
    allowed: &'static str,
    endpoints: [(Method, Endpoint); N],
) -> Result<Endpoint, Lost> {
    let mut endpoints = endpoints.into_iter();
    let found = endpoints.find(|(verb, _)| verb == method);
    found.map(|(_, it)| it).ok_or(Lost::Verb(allowed))
}

/// Digits only, without a sign or blanks, and not too many.
fn id(segment: &str) -> Result<u64, Lost> {
    number(segment).ok_or(Lost::NoSuchPath)
}

/// An id as it stands in a path or a field.
pub(super) fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// One segment of a path, decoded. None is empty, none steps aside or up, and none hides a control
/// character.
fn segment(raw: &str) -> Option<String> {
    let text = percent::decoded(raw)?;
    let stays = !text.is_empty() && text != "." && text != "..";
    (stays && !text.chars().any(char::is_control)).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(verb: &str, path: &str) -> Result<Endpoint, Lost> {
        route(&verb.parse().unwrap(), &format!("/restapi/json/v1{path}"))
    }

    const fn place(resource: u64, account: u64) -> Place {
        Place {
            resource: Some(ResourceId(resource)),
            account: AccountId(account),
        }
    }

    const fn alone(account: u64) -> Place {
        Place {
            resource: None,
            account: AccountId(account),
        }
    }

    #[test]
    fn the_sixteen_of_the_manual_are_found() {
        let user = UserId(34);
        let table = [
            ("GET", "/resources", Endpoint::Resources),
            (
                "GET",
                "/resources/303/accounts",
                Endpoint::Accounts(ResourceId(303)),
            ),
            (
                "GET",
                "/resources/303/accounts/307",
                Endpoint::Account(place(303, 307)),
            ),
            (
                "GET",
                "/resources/303/accounts/307/password",
                Endpoint::Password(place(303, 307)),
            ),
            (
                "PUT",
                "/resources/303/accounts/307/password",
                Endpoint::ChangePassword(place(303, 307)),
            ),
            ("POST", "/resources", Endpoint::CreateResource),
            (
                "GET",
                "/resources/resourcename/MSSQLServer/accounts/accountname/system",
                Endpoint::IdsNamed("MSSQLServer".to_owned(), "system".to_owned()),
            ),
            (
                "DELETE",
                "/resources/307",
                Endpoint::DeleteResource(ResourceId(307)),
            ),
            (
                "POST",
                "/resources/307",
                Endpoint::DeleteResource(ResourceId(307)),
            ),
            (
                "GET",
                "/accounts/passwordaccessrequests",
                Endpoint::PasswordRequests,
            ),
            (
                "POST",
                "/accounts/7/requestpassword",
                Endpoint::RequestPassword(alone(7)),
            ),
            (
                "POST",
                "/accounts/7/requester/34/reject",
                Endpoint::Reject(alone(7), user),
            ),
            (
                "POST",
                "/accounts/7/requester/34/approve",
                Endpoint::Approve(alone(7), user),
            ),
            (
                "POST",
                "/accounts/7/requester/34/checkin",
                Endpoint::CheckInFor(alone(7), user),
            ),
            ("POST", "/accounts/7/checkout", Endpoint::CheckOut(alone(7))),
            ("POST", "/accounts/7/checkin", Endpoint::CheckIn(alone(7))),
            ("POST", "/user", Endpoint::CreateUser),
        ];

        for (verb, path, endpoint) in table {
            assert_eq!(found(verb, path), Ok(endpoint), "{verb} {path}");
        }
        let named = route(&Method::POST, "/api/json/request");
        assert_eq!(named, Ok(Endpoint::Named));
    }

    #[test]
    fn what_is_not_in_the_table_is_nowhere() {
        for path in [
            "",
            "/",
            "/resources/",
            "//resources",
            "/resources//303",
            "/Resources",
            "/resources/x",
            "/resources/-1",
            "/resources/+1",
            "/resources/1.0",
            "/resources/99999999999999999999",
            "/resources/303/accounts/",
            "/resources/303/accounts/307/",
            "/resources/303/../303",
            "/resources/303/accounts/307/password/",
            "/resources/303/accounts/307/PASSWORD",
            "/resources/303%2faccounts",
            "/resources/303%2Faccounts/307",
            "/%2e%2e/v1/resources",
            "/resources/./303",
            "/resources/%2e/303",
            "/resources/resourcename/..",
            "/resources/%",
            "/resources/resourcename/%00",
            "/resources/resourcename/%ff",
            "/resources/resourcename/%2e%2e",
            "/accounts",
            "/accounts/7",
            "/accounts/7/requester/34",
            "/accounts/7/requester/x/approve",
            "/user/x",
            "/user/1/lock",
            "/audit/",
            "/passwords",
            "/nothing",
        ] {
            assert_eq!(found("GET", path), Err(Lost::NoSuchPath), "{path}");
        }
        for path in [
            "/restapi/json/v2/resources",
            "/restapi/json/v1",
            "/api/json/request/",
            "/",
        ] {
            assert_eq!(route(&Method::GET, path), Err(Lost::NoSuchPath), "{path}");
        }
    }

    #[test]
    fn a_segment_is_decoded_once_and_stays_one() {
        let named = |path: &str| found("GET", &format!("/resources/resourcename/{path}"));
        let name = |text: &str| Ok(Endpoint::ResourceNamed(text.to_owned()));

        assert_eq!(named("Windows%20Server"), name("Windows Server"));
        assert_eq!(named("a%2Fb"), name("a/b"));
        assert_eq!(named("a%252fb"), name("a%2fb"));
        assert_eq!(named("a+b"), name("a+b"));
        assert_eq!(named("M%C3%BCller"), name("Müller"));
    }

    #[test]
    fn another_verb_is_told_which_there_are() {
        let table = [
            ("DELETE", "/resources", "GET, POST"),
            ("GET", "/resources/303", "DELETE, POST, PUT"),
            ("PATCH", "/resources/303/accounts/307", "DELETE, GET, PUT"),
            ("POST", "/resources/303/accounts/307/password", "GET, PUT"),
            ("DELETE", "/resources/303/accounts/307/password", "GET, PUT"),
            ("HEAD", "/resources", "GET, POST"),
            ("GET", "/accounts/7/checkout", "POST"),
            ("GET", "/accounts/7/requester/34/approve", "POST"),
            ("POST", "/accounts/passwordaccessrequests", "GET"),
            ("GET", "/user", "POST"),
            ("POST", "/user/7", "DELETE"),
        ];

        for (verb, path, allowed) in table {
            assert_eq!(found(verb, path), Err(Lost::Verb(allowed)), "{verb} {path}");
        }
        let get = route(&Method::GET, "/api/json/request");
        assert_eq!(get, Err(Lost::Verb("POST")));
    }
}
