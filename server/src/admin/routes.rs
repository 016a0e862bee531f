//! Every path and method of the API: the one table, which `docs/openapi/admin.json` repeats.

use axum::Router;
use axum::handler::Handler;
use axum::routing::{MethodFilter, on};
use http::Method;

use crate::admin::problem::Refusal;
use crate::admin::{
    Desk, access_controls, accounts, applications, audit, backups, certificates, exports, groups,
    health, imports, keys, organisations, policies, registrations, requests, resets,
    resource_groups, resources, rotations, second_factors, secrets, sessions, settings, shares,
    ssh_keys, tokens, users,
};

/// Every method and path of the API.
#[must_use]
pub fn routes() -> Vec<(Method, &'static str)> {
    let mut listed = table().listed;
    listed.extend([(Method::GET, "/health"), (Method::GET, "/metrics")]);
    listed
}

/// The router over all of them.
pub(crate) fn router(desk: Desk) -> Router {
    let watched = desk.house.watched();
    table()
        .router
        .fallback(async || Refusal::no_such_path())
        .method_not_allowed_fallback(async || Refusal::no_such_method())
        .with_state(desk)
        .merge(watched)
}

fn table() -> Table {
    let get = Method::GET;
    let post = Method::POST;
    let table = with_registrations(with_resource_groups(Table::default()));
    with_workflow(with_people(table))
        .at(&get, "/v1/status", health::status)
        .at(&get, "/v1/users", users::list)
        .at(&post, "/v1/users", users::add)
        .at(&get, "/v1/users/{login}", users::show)
        .at(&Method::DELETE, "/v1/users/{login}", users::remove)
        .at(&post, "/v1/users/{login}/lock", users::lock)
        .at(&post, "/v1/users/{login}/unlock", users::unlock)
        .at(&post, "/v1/users/{login}/certificates", users::bind)
        .at(
            &Method::DELETE,
            "/v1/users/{login}/certificates/{fingerprint}",
            users::unbind,
        )
        .at(
            &Method::PUT,
            "/v1/users/{login}/password",
            users::set_password,
        )
        .at(&get, TOKENS, tokens::list)
        .at(&post, TOKENS, tokens::issue)
        .at(
            &post,
            "/v1/users/{login}/tokens/regenerate",
            tokens::regenerate,
        )
        .at(
            &Method::DELETE,
            "/v1/users/{login}/tokens/{token}",
            tokens::revoke,
        )
        .at(&get, "/v1/resources", resources::list)
        .at(&post, "/v1/resources", resources::add)
        .at(&get, "/v1/resources/{resource}", resources::show)
        .at(&Method::PATCH, "/v1/resources/{resource}", resources::edit)
        .at(
            &Method::DELETE,
            "/v1/resources/{resource}",
            resources::remove,
        )
        .at(&get, ACCOUNTS, accounts::list)
        .at(&post, ACCOUNTS, accounts::add)
        .at(&get, ACCOUNT, accounts::show)
        .at(&Method::PATCH, ACCOUNT, accounts::edit)
        .at(&Method::DELETE, ACCOUNT, accounts::remove)
        .at(&get, HISTORY, accounts::history)
        .at(&get, "/v1/shares", shares::list)
        .at(&Method::PUT, "/v1/shares", shares::give)
        .at(&Method::DELETE, "/v1/shares", shares::take)
        .at(&get, "/v1/policies", policies::list)
        .at(&post, "/v1/policies", policies::add)
        .at(&get, "/v1/policies/{policy}", policies::show)
        .at(&Method::PATCH, "/v1/policies/{policy}", policies::edit)
        .at(&Method::DELETE, "/v1/policies/{policy}", policies::remove)
        .at(&get, "/v1/settings", settings::list)
        .at(&Method::PUT, "/v1/settings/{setting}", settings::set)
        .at(&get, "/v1/organisations", organisations::list)
        .at(&post, "/v1/organisations", organisations::add)
        .at(&get, "/v1/certificates", certificates::list)
        .at(&post, "/v1/certificates", certificates::import)
        .at(
            &Method::DELETE,
            "/v1/certificates/{fingerprint}",
            certificates::remove,
        )
        .at(&post, "/v1/certificates/issue", certificates::issue)
        .at(&post, "/v1/imports", imports::import)
        .at(&get, "/v1/exports", exports::export)
        .at(&get, "/v1/audit", audit::page)
        .at(&get, "/v1/audit/follow", audit::follow)
        .at(&get, "/v1/audit/export", audit::export)
        .at(&post, "/v1/audit/verify", audit::verify)
        .at(&post, "/v1/audit/resume", audit::resume)
        .at(&post, "/v1/keys/rotate", keys::rotate)
        .at(&post, "/v1/backups", backups::make)
}

fn with_registrations(table: Table) -> Table {
    let get = Method::GET;
    let post = Method::POST;
    table
        .at(&get, "/v1/registrations", registrations::list)
        .at(&post, "/v1/registrations", registrations::add)
        .at(&get, REGISTRATION, registrations::show)
        .at(&Method::PATCH, REGISTRATION, registrations::edit)
        .at(&Method::DELETE, REGISTRATION, registrations::remove)
        .at(
            &get,
            "/v1/registrations/{registration}/accounts",
            registrations::accounts,
        )
        .at(
            &post,
            "/v1/registrations/{registration}/accounts",
            registrations::add_account,
        )
        .at(
            &Method::DELETE,
            "/v1/registrations/{registration}/accounts/{resource}/{account}",
            registrations::remove_account,
        )
        .at(&get, RETRIEVABLE_KEY, registrations::key)
        .at(&post, RETRIEVABLE_KEY, registrations::renew_key)
        .at(&get, BROKER, registrations::broker)
        .at(&Method::PUT, BROKER, registrations::put_broker)
        .at(&Method::DELETE, BROKER, registrations::remove_broker)
        .at(&get, BROKER_KEY, registrations::broker_key)
        .at(&post, BROKER_KEY, registrations::renew_broker_key)
}

fn with_people(table: Table) -> Table {
    let get = Method::GET;
    let post = Method::POST;
    table
        .at(&get, "/v1/applications", applications::list)
        .at(&post, "/v1/applications", applications::add)
        .at(&get, APPLICATION, applications::show)
        .at(&Method::PATCH, APPLICATION, applications::edit)
        .at(&Method::DELETE, APPLICATION, applications::remove)
        .at(&get, SESSION, sessions::show)
        .at(&post, SESSION, sessions::open)
        .at(&Method::DELETE, SESSION, sessions::close)
        .at(&get, "/v1/groups", groups::list)
        .at(&post, "/v1/groups", groups::add)
        .at(&get, "/v1/groups/{group}", groups::show)
        .at(&Method::PATCH, "/v1/groups/{group}", groups::edit)
        .at(&Method::DELETE, "/v1/groups/{group}", groups::remove)
        .at(&get, "/v1/groups/{group}/members", groups::members)
        .at(&Method::PUT, MEMBER, groups::add_member)
        .at(&Method::DELETE, MEMBER, groups::remove_member)
        .at(&get, "/v1/users/{login}/groups", groups::with_user)
        .at(&get, SSH_KEYS, ssh_keys::list)
        .at(&post, SSH_KEYS, ssh_keys::add)
        .at(
            &Method::DELETE,
            "/v1/users/{login}/ssh-keys/{fingerprint}",
            ssh_keys::remove,
        )
        .at(&get, TOTP, second_factors::show)
        .at(&post, TOTP, second_factors::enrol)
        .at(&Method::PUT, TOTP, second_factors::demand)
        .at(&Method::DELETE, TOTP, second_factors::remove)
        .at(
            &post,
            "/v1/users/{login}/totp/confirm",
            second_factors::confirm,
        )
}

fn with_resource_groups(table: Table) -> Table {
    let (get, put, delete) = (Method::GET, Method::PUT, Method::DELETE);
    table
        .at(&get, "/v1/resource-groups", resource_groups::list)
        .at(&Method::POST, "/v1/resource-groups", resource_groups::add)
        .at(&get, SET, resource_groups::show)
        .at(&Method::PATCH, SET, resource_groups::edit)
        .at(&delete, SET, resource_groups::remove)
        .at(
            &get,
            "/v1/resource-groups/{group}/resources",
            resource_groups::resources,
        )
        .at(&put, IN_SET, resource_groups::associate)
        .at(&delete, IN_SET, resource_groups::dissociate)
        .at(&get, SET_SHARES, resource_groups::shares)
        .at(&put, SET_SHARES, resource_groups::share)
        .at(&delete, SET_SHARES, resource_groups::unshare)
}

fn with_workflow(table: Table) -> Table {
    let get = Method::GET;
    let post = Method::POST;
    with_resets(table)
        .at(&Method::PUT, SECRET, secrets::change)
        .at(&post, RETRIEVE, secrets::retrieve)
        .at(&post, EARLIER, secrets::earlier)
        .at(&get, CONTROLS, access_controls::list)
        .at(&Method::PUT, CONTROLS, access_controls::set)
        .at(&Method::DELETE, CONTROLS, access_controls::remove)
        .at(&get, "/v1/requests", requests::list)
        .at(&post, "/v1/requests", requests::raise)
        .at(&post, "/v1/requests/approve", requests::approve)
        .at(&post, "/v1/requests/reject", requests::reject)
        .at(&post, "/v1/requests/checkout", requests::check_out)
        .at(&post, "/v1/requests/checkin", requests::check_in)
}

fn with_resets(table: Table) -> Table {
    let (get, post, put) = (Method::GET, Method::POST, Method::PUT);
    table
        .at(&get, TARGET, resets::show)
        .at(&put, TARGET, resets::set)
        .at(&Method::DELETE, TARGET, resets::remove)
        .at(&post, "/v1/resources/{resource}/target/test", resets::test)
        .at(&post, RESET, resets::reset)
        .at(&post, SETTLE, resets::settle)
        .at(&get, "/v1/resets", resets::pending)
        .at(&post, "/v1/resets/resume", resets::resume)
        .at(&get, "/v1/rotations", rotations::list)
        .at(&put, "/v1/rotations", rotations::set)
        .at(&Method::DELETE, "/v1/rotations", rotations::remove)
        .at(&get, "/v1/rotations/due", rotations::due)
        .at(&post, "/v1/rotations/run", rotations::run)
}

const REGISTRATION: &str = "/v1/registrations/{registration}";
const RETRIEVABLE_KEY: &str = "/v1/registrations/{registration}/accounts/{resource}/{account}/key";
const BROKER: &str = "/v1/registrations/{registration}/broker";
const BROKER_KEY: &str = "/v1/registrations/{registration}/broker/key";
const APPLICATION: &str = "/v1/applications/{application}";
/// Where one signs in.
pub(crate) const SESSION: &str = "/v1/session";
const TARGET: &str = "/v1/resources/{resource}/target";
const SETTLE: &str = "/v1/resources/{resource}/accounts/{account}/reset/settle";
const RESET: &str = "/v1/resources/{resource}/accounts/{account}/reset";
const MEMBER: &str = "/v1/groups/{group}/members/{login}";
const SSH_KEYS: &str = "/v1/users/{login}/ssh-keys";
const TOTP: &str = "/v1/users/{login}/totp";
const TOKENS: &str = "/v1/users/{login}/tokens";
const SET: &str = "/v1/resource-groups/{group}";
const IN_SET: &str = "/v1/resource-groups/{group}/resources/{resource}";
const SET_SHARES: &str = "/v1/resource-groups/{group}/shares";
const CONTROLS: &str = "/v1/access-controls";
const ACCOUNTS: &str = "/v1/resources/{resource}/accounts";
const ACCOUNT: &str = "/v1/resources/{resource}/accounts/{account}";
const SECRET: &str = "/v1/resources/{resource}/accounts/{account}/secret";
const RETRIEVE: &str = "/v1/resources/{resource}/accounts/{account}/secret/retrieve";
const HISTORY: &str = "/v1/resources/{resource}/accounts/{account}/history";
const EARLIER: &str = "/v1/resources/{resource}/accounts/{account}/history/{version}/retrieve";

/// The router and the list, made by the same calls.
#[derive(Default)]
struct Table {
    router: Router<Desk>,
    listed: Vec<(Method, &'static str)>,
}

impl Table {
    fn at<H, T>(mut self, method: &Method, path: &'static str, handler: H) -> Self
    where
        H: Handler<T, Desk>,
        T: 'static,
    {
        // A method that axum has no filter for would be a slip of ours: GET stands in, and the
        // test that compares this table with the documentation fails.
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        self.router = self.router.route(path, on(filter, handler));
        self.listed.push((method.clone(), path));
        self
    }
}
