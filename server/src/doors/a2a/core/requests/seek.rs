//! From what is asked for to the one user, asset and account that are meant: only among what the
//! user in whose name it is may see, so that nothing is said of others' things.

use crate::domain::{
    Account, AccountId, AccountName, Folded, Resource, ResourceId, SecretKind, User, UserId,
    UserKind, beside,
};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::requests::body::Body;
use crate::doors::a2a::reply::Refusal;
use crate::vault::{
    AccountRef, Caller, Filter, Keyed, Page, ResourceRef, Search, SearchColumn, SearchKind,
    VaultError,
};

/// Whoever came by a broker's key, as it asks in the name of the one user who is meant.
///
/// # Errors
/// 400 where nobody is meant, or more than one; 403 for somebody in whose name it may not.
pub(super) async fn user(body: &Body, asked: &Asked<'_>, keyed: &Keyed) -> Result<Caller, Refusal> {
    let vault = &asked.door.vault;
    let id = match (body.user.id, &body.user.name) {
        (Some(id), _) => UserId(id),
        (None, Some(name)) => {
            let users = vault.brokered_users(keyed).await;
            let users = users.map_err(|error| asked.refused(error))?;
            let meant = users
                .iter()
                .filter(|user| is_called(user, name) && is_of(user, body.provider.as_deref()));
            let meant: Vec<_> = meant.map(|user| user.id).collect();
            let told = ("ForUser", "user for whom this application may ask");
            one(meant, told, (asked, &keyed.caller)).await?
        }
        (None, None) => {
            let told = ("ForUser", "user: ForUserId or ForUser names one");
            one(Vec::new(), told, (asked, &keyed.caller)).await?
        }
    };
    let caller = vault.broker_for(keyed, id).await;
    caller.map_err(|error| asked.refused(error))
}

/// The one resource that is meant: by its id, its name, its address, or any of its texts.
///
/// # Errors
/// 400 where none is meant, or more than one.
pub(super) async fn asset(
    body: &Body,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Resource, Refusal> {
    let vault = &asked.door.vault;
    let told = ("AssetName", "asset that this user may see");
    if let Some(id) = body.asset.id {
        let found = vault
            .resource(ResourceRef::Id(ResourceId(id)), caller)
            .await;
        let found = if_any(found, asked)?.map(|view| view.resource);
        return one(found, ("AssetId", told.1), (asked, caller)).await;
    }
    let Some(name) = &body.asset.name else {
        let Some(id) = body.account.id else {
            return one(Vec::new(), told, (asked, caller)).await;
        };
        let found = if_any(vault.located(AccountId(id), caller).await, asked)?;
        let found = found.map(|(resource, _)| resource);
        return one(found, ("AccountId", told.1), (asked, caller)).await;
    };
    let found = vault.resource(ResourceRef::Named(name), caller).await;
    if let Some(view) = if_any(found, asked)? {
        return Ok(view.resource);
    }
    let (mut found, whole) = assets(name, SearchColumn::Address, asked, caller).await?;
    found.retain(|resource| Folded::new(resource.address.as_str()) == Folded::new(name));
    found = all_seen(found, whole, told.0, (asked, caller)).await?;
    if found.is_empty() {
        let (others, whole) = assets(name, SearchColumn::All, asked, caller).await?;
        found = all_seen(others, whole, told.0, (asked, caller)).await?;
    }
    one(found, told, (asked, caller)).await
}

/// The one account of a resource that is meant, or what stands beside it.
///
/// # Errors
/// 400 where none is meant, or more than one.
pub(super) async fn account(
    resource: &Resource,
    body: &Body,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Account, Refusal> {
    let told = (
        "AccountName",
        "account of this asset that this user may see",
    );
    let found = match (&body.domain, body.account.id, &body.account.name) {
        (_, Some(id), _) => by_id(resource, AccountId(id), asked, caller).await?,
        (None, None, Some(name)) => by_name(resource, (name, body.kind), asked, caller).await?,
        // No account here has a domain, and no request is for an asset as a whole.
        (Some(_), None, _) | (None, None, None) => Vec::new(),
    };
    let account = one(found, told, (asked, caller)).await?;
    let name = match body.kind {
        kind if kind == account.kind => return Ok(account),
        SecretKind::SshKey => beside::ssh_key(&account.name).ok(),
        SecretKind::ApiKey => beside::api_key(&account.name, 1).ok(),
        SecretKind::Password | SecretKind::File => None,
    };
    let found = match &name {
        Some(name) => {
            let (place, name) = (ResourceRef::Id(resource.id), name.as_str());
            let found = asked.door.vault.account(place, name, caller).await;
            if_any(found, asked)?.map(|view| view.account)
        }
        None => None,
    };
    let told = (
        "AccessRequestType",
        "secret of this type that this user may see",
    );
    one(found, told, (asked, caller)).await
}

async fn by_id(
    resource: &Resource,
    id: AccountId,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Vec<Account>, Refusal> {
    let place = ResourceRef::Id(resource.id);
    let found = asked
        .door
        .vault
        .account(place, AccountRef::Id(id), caller)
        .await;
    let found = if_any(found, asked)?;
    Ok(found.into_iter().map(|view| view.account).collect())
}

/// By its exact name, or by any of its texts. Where only what stands beside it is shared, that is
/// what is found.
async fn by_name(
    resource: &Resource,
    (name, kind): (&str, SecretKind),
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Vec<Account>, Refusal> {
    let exact = called(resource, (name, kind), asked, caller).await?;
    if exact.is_some() {
        return Ok(exact.into_iter().collect());
    }
    let search = Search {
        kind: SearchKind::Account,
        column: SearchColumn::All,
        value: name.to_owned(),
    };
    let filter = Filter::page(0, MOST_SOUGHT).searching(search);
    let place = ResourceRef::Id(resource.id);
    let page = asked.door.vault.account_page(place, &filter, caller).await;
    let Some(page) = if_any(page, asked)? else {
        return Ok(Vec::new());
    };
    let whole = is_whole(&page);
    let mut found: Vec<Account> = page.items.into_iter().map(|view| view.account).collect();
    // Of an account and what stands beside it, one is meant: the one that keeps what is wanted.
    if found.iter().any(|account| account.kind == kind) {
        found.retain(|account| account.kind == kind);
    } else {
        found.retain(|account| beside::base(&account.name).is_none());
    }
    let base = |account: &Account| beside::base(&account.name).map(str::to_owned);
    // Of several API keys, the first.
    if kind == SecretKind::ApiKey && found.iter().all(|account| base(account).is_some()) {
        found.dedup_by_key(|account| base(account));
    }
    all_seen(found, whole, "AccountName", (asked, caller)).await
}

/// The account with exactly this name, or what stands beside it and keeps what is wanted.
async fn called(
    resource: &Resource,
    (name, kind): (&str, SecretKind),
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Option<Account>, Refusal> {
    let Ok(name) = AccountName::parse(name) else {
        return Ok(None);
    };
    let mut names = vec![name.clone()];
    names.extend(beside::all(&name));
    let place = ResourceRef::Id(resource.id);
    let found = asked
        .door
        .vault
        .accounts_called(place, &names, caller)
        .await;
    let found = if_any(found, asked)?.unwrap_or_default();
    let fits = found.iter().position(|account| account.kind == kind);
    let meant = fits.or_else(|| found.iter().position(|account| account.name == name));
    Ok(meant.and_then(|place| found.into_iter().nth(place)))
}

async fn assets(
    text: &str,
    column: SearchColumn,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<(Vec<Resource>, bool), Refusal> {
    let search = Search {
        kind: SearchKind::Resource,
        column,
        value: text.to_owned(),
    };
    let filter = Filter::page(0, MOST_SOUGHT).searching(search);
    let page = asked.door.vault.resource_page(&filter, caller).await;
    let page = page.map_err(|error| asked.refused(error))?;
    let whole = is_whole(&page);
    let found = page.items.into_iter().map(|view| view.resource).collect();
    Ok((found, whole))
}

/// Whether everything in which something was looked for has been looked at.
fn is_whole<T>(page: &Page<T>) -> bool {
    page.complete && page.total <= page.items.len()
}

/// What was found, if nothing else can be meant, or several are in any case: where not everything
/// was looked at, one is not the only one, and none is not none.
async fn all_seen<T>(
    found: Vec<T>,
    whole: bool,
    member: &str,
    context: (&Asked<'_>, &Caller),
) -> Result<Vec<T>, Refusal> {
    if whole || found.len() > 1 {
        return Ok(found);
    }
    let words = format!(
        "{member} is sought among more than is looked through: name it exactly, or by its id."
    );
    Err(unclear(words, member, context).await)
}

/// The only one of these. None or several are refused, in words and on the record.
async fn one<T>(
    found: impl IntoIterator<Item = T>,
    (member, what): (&str, &str),
    (asked, caller): (&Asked<'_>, &Caller),
) -> Result<T, Refusal> {
    let mut found = found.into_iter();
    let words = match (found.next(), found.next()) {
        (Some(one), None) => return Ok(one),
        (None, _) => format!("{member} matches no {what}."),
        (Some(_), Some(_)) => format!("{member} matches more than one {what}."),
    };
    Err(unclear(words, member, (asked, caller)).await)
}

/// What is not clear, in words and on the record.
async fn unclear(words: String, member: &str, (asked, caller): (&Asked<'_>, &Caller)) -> Refusal {
    match asked.door.vault.means_nothing(&words, caller).await {
        VaultError::Invalid(words) => Refusal::field(&format!("entity.{member}"), words),
        other => asked.refused(other),
    }
}

/// What was found; nothing where there is no such thing, or none that may be seen.
fn if_any<T>(found: Result<T, VaultError>, asked: &Asked<'_>) -> Result<Option<T>, Refusal> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(VaultError::Refused) => Ok(None),
        Err(other) => Err(asked.refused(other)),
    }
}

/// Whether this is the name, or the login, of a user.
fn is_called(user: &User, name: &str) -> bool {
    let name = Folded::new(name.trim());
    user.name.folded() == name || Folded::new(&user.login()) == name
}

/// Whether a user is of the provider with this name.
fn is_of(user: &User, provider: Option<&str>) -> bool {
    let own = match user.kind {
        UserKind::Person(_) => "Local",
        UserKind::Api { .. } => "Certificate",
    };
    provider.is_none_or(|name| name.trim().eq_ignore_ascii_case(own))
}

/// As many are looked at: whoever means one thing and finds so many has not said which.
const MOST_SOUGHT: usize = 1000;
