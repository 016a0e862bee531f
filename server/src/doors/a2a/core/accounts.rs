//! `AssetAccounts`: accounts, and the SSH keys and API keys that stand beside them.

use http::Method;
use serde::{Deserialize, Serialize};

use crate::domain::{
    Account, AccountId, AccountName, Material, Resource, ResourceId, SecretKind, beside,
};
use crate::doors::a2a::Asked;
use crate::doors::a2a::body::{Secret, password};
use crate::doors::a2a::core::listing::{self, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::query::{Row, Table};
use crate::doors::a2a::core::{assets, nothing_there, times};
use crate::doors::a2a::private_key::NewKey;
use crate::doors::a2a::reply::{NO_PASSWORD_SENT, Refusal, Reply, created, no_content, ok};
use crate::vault::{
    AccountEdit, AccountRef, Caller, Located, NewAccount, NewPassword, Reach, ResourceRef,
    VaultError, Wanted,
};

/// An account as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    id: u64,
    name: String,
    description: String,
    asset: Asset,
    disabled: bool,
    has_password: bool,
    created_date: String,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Asset {
    id: u64,
    name: String,
    network_address: String,
    asset_partition_id: i64,
    asset_partition_name: &'static str,
}

/// An API key as it is shown: never its secret.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct ApiKey {
    id: u8,
    name: String,
    description: &'static str,
}

/// What an API key is to be.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct NewSecret {
    client_id: String,
    client_secret: Secret,
}

static TABLE: Table = Table {
    names: &[
        "Id",
        "Name",
        "Description",
        "Asset.Id",
        "Asset.Name",
        "Asset.NetworkAddress",
        "Asset.AssetPartitionId",
        "Asset.AssetPartitionName",
        "Disabled",
        "HasPassword",
        "CreatedDate",
    ],
    renamed: &[],
    aliases: &[
        ("Asset.Id", "AssetId"),
        ("Asset.Id", "SystemId"),
        ("Asset.Name", "AssetName"),
        ("Asset.Name", "SystemName"),
    ],
};

/// Answers what is below `AssetAccounts`.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let Some((first, within)) = rest.split_first() else {
        return match asked.method {
            Method::GET => all(asked).await,
            Method::POST => add(asked).await,
            _ => Err(nothing_there()),
        };
    };
    let id = AccountId(first.parse().map_err(|_| nothing_there())?);
    match (within, &asked.method) {
        ([], &Method::GET) => show(id, asked).await,
        ([], &Method::PUT) => put(id, asked).await,
        ([], &Method::DELETE) => remove(id, asked).await,
        (["password"], &Method::PUT) => put_password(id, asked).await,
        (["sshkey"], &Method::PUT) => put_key(id, asked).await,
        (["apikeys", rest @ ..], _) => api_keys(id, asked, rest).await,
        _ => Err(nothing_there()),
    }
}

async fn all(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let mut gathered = wish(asked, &TABLE)?.gather();
    let take = |it: &Located| {
        // What stands beside an account is not one here, and counts as none.
        beside::base(&it.1.name).is_some() || gathered.take(Row::of(&in_words(it)))
    };
    let done = asked.door.vault.inventory(take, &caller).await;
    done.map_err(|error| asked.refused(error))?;
    listing::told(gathered).await
}

async fn show(id: AccountId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let found = located(id, asked, &caller).await?;
    listing::one(asked, &TABLE, &in_words(&found))
}

/// Makes an account. An account always has a password here: until one is set, it is a generated
/// one.
async fn add(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    let (name, more) = meant(&members)?;
    let asset = match members.object(&["Asset"])? {
        Some(asset) => asset.id(&["Id"])?,
        None => members.id(&["AssetId", "SystemId"])?,
    };
    let asset =
        asset.ok_or_else(|| Refusal::field("entity.Asset", "The Asset field is required."))?;
    let new = NewAccount {
        resource: ResourceRef::Id(ResourceId(asset)),
        account: name.as_str(),
        more,
    };
    let vault = &asked.door.vault;
    let made = vault
        .add_account(&new, NewPassword::Generate, &caller)
        .await;
    let made = made.map_err(|error| asked.refused(error))?;
    let found = located(made.account, asked, &caller).await?;
    listing::new(asked, &TABLE, &in_words(&found))
}

async fn put(id: AccountId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    members.must_be(&["Id"], id.0)?;
    let (name, more) = meant(&members)?;
    let (resource, before) = located(id, asked, &caller).await?;
    if name != before.name
        && !keys_beside(&resource, &before.name, asked, &caller)
            .await?
            .is_empty()
    {
        let why = "An account with an SSH key or API keys keeps its name.";
        return Err(Refusal::field("entity.Name", why));
    }
    let edit = AccountEdit {
        name: (name != before.name).then(|| name.to_string()),
        ..more
    };
    let place = ResourceRef::Id(resource.id);
    let done = asked.door.vault.edit_account(place, id, &edit, &caller);
    let account = done.await.map_err(|error| asked.refused(error))?;
    listing::one(asked, &TABLE, &in_words(&(resource, account)))
}

/// Removes an account, and what stands beside it first.
async fn remove(id: AccountId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let (resource, account) = located(id, asked, &caller).await?;
    let beside = keys_beside(&resource, &account.name, asked, &caller).await?;
    let ids = beside.iter().map(|account| account.id).chain([id]);
    for id in ids {
        let place = ResourceRef::Id(resource.id);
        let done = asked.door.vault.remove_account(place, id, &caller).await;
        done.map_err(|error| asked.refused(error))?;
    }
    Ok(no_content())
}

async fn put_password(id: AccountId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let new = NewPassword::parse(password(asked, NO_PASSWORD_SENT)?)
        .map_err(|error| asked.refused(error))?;
    let wanted = Wanted::of(ResourceRef::OfAccount, AccountRef::Id(id)).because(REASON, "");
    let done = asked.door.vault.change(&wanted, new, Reach::Local, &caller);
    done.await.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

/// Keeps an SSH key beside the account: the one that is sent, or a new one.
async fn put_key(id: AccountId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let (resource, account) = located(id, asked, &caller).await?;
    let name = match account.kind {
        SecretKind::SshKey => account.name,
        SecretKind::Password | SecretKind::ApiKey | SecretKind::File => {
            beside::ssh_key(&account.name).map_err(|error| too_long(&error))?
        }
    };
    // Opening a key takes long, and two are opened at a time: not for whoever may not keep it.
    let may = asked.door.vault.may_keep((resource.id, &name), &caller);
    may.await.map_err(|error| asked.refused(error))?;
    let sent = asked.json_if_any::<NewKey>()?.filter(NewKey::is_sent);
    let (material, facts) = match sent {
        Some(key) => key.opened(asked).await?,
        None => {
            let seed = asked.door.vault.draw_seed();
            NewKey::made(&seed.map_err(|error| asked.refused(error))?)?
        }
    };
    keep(&resource, (&name, ""), material, (asked, &caller)).await?;
    Ok(ok(&facts))
}

async fn api_keys(id: AccountId, asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let (resource, account) = located(id, asked, &caller).await?;
    let place = (&resource, &account.name);
    match (rest, &asked.method) {
        ([], &Method::GET) => {
            let keys = keys_beside(place.0, place.1, asked, &caller).await?;
            let keys: Vec<_> = keys.iter().filter_map(shown_key).collect();
            Ok(ok(&keys))
        }
        ([], &Method::POST) => add_api_key(place, asked, &caller).await,
        ([number], &Method::DELETE) => {
            let key = api_key(place, number, asked, &caller).await?;
            let place = ResourceRef::Id(resource.id);
            let done = asked.door.vault.remove_account(place, key.id, &caller);
            done.await.map_err(|error| asked.refused(error))?;
            Ok(no_content())
        }
        ([number], &Method::GET) => {
            let key = api_key(place, number, asked, &caller).await?;
            Ok(ok(&shown_key(&key)))
        }
        ([number, "clientsecret"], &Method::PUT) => {
            let key = api_key(place, number, asked, &caller).await?;
            put_secret(&resource, &key, asked, &caller).await
        }
        _ => Err(nothing_there()),
    }
}

/// Makes an API key. Until its secret is set, it is a generated one.
async fn add_api_key(
    (resource, account): (&Resource, &AccountName),
    asked: &Asked<'_>,
    caller: &Caller,
) -> Reply {
    let name = Members::read(asked)?.text(&["Name"])?.unwrap_or_default();
    if name.is_empty() {
        return Err(Refusal::field("entity.Name", "The Name field is required."));
    }
    let there = keys_beside(resource, account, asked, caller).await?;
    let taken: Vec<u8> = there
        .iter()
        .filter_map(shown_key)
        .map(|key| key.id)
        .collect();
    let free = (1..=beside::MOST_API_KEYS).find(|number| !taken.contains(number));
    let number = free.ok_or_else(|| {
        let most = beside::MOST_API_KEYS;
        Refusal::invalid(format!("An account has {most} API keys at most."))
    })?;
    let secret = asked.door.vault.generate(None, caller).await;
    let secret = secret.map_err(|error| asked.refused(error))?;
    let material = Material::api_key(&name, secret).map_err(|error| unfit(&error))?;
    let called = beside::api_key(account, number).map_err(|error| too_long(&error))?;
    keep(resource, (&called, &name), material, (asked, caller)).await?;
    Ok(created(&ApiKey {
        id: number,
        name,
        description: "",
    }))
}

async fn put_secret(
    resource: &Resource,
    key: &Account,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Reply {
    let new: NewSecret = asked.json()?;
    let secret = crate::domain::Password::parse(new.client_secret.into_inner());
    let secret =
        secret.map_err(|error| Refusal::field("entity.ClientSecret", error.to_string()))?;
    let material = Material::api_key(&new.client_id, secret).map_err(|error| unfit(&error))?;
    let wanted = Wanted::of(ResourceRef::Id(resource.id), key.id).because(REASON, "");
    let done = asked.door.vault.change_material(&wanted, material, caller);
    done.await.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

/// Keeps something in the account with that name, which is made where it is not there yet.
async fn keep(
    resource: &Resource,
    (name, notes): (&AccountName, &str),
    material: Material,
    (asked, caller): (&Asked<'_>, &Caller),
) -> Result<(), Refusal> {
    let (vault, place) = (&asked.door.vault, ResourceRef::Id(resource.id));
    let there = called(resource, std::slice::from_ref(name), asked, caller).await?;
    if !there.is_empty() {
        let wanted = Wanted::of(place, name.as_str()).because(REASON, "");
        let done = vault.change_material(&wanted, material, caller).await;
        return done.map_err(|error| asked.refused(error));
    }
    let new = NewAccount {
        resource: place,
        account: name.as_str(),
        more: AccountEdit {
            notes: Some(notes.to_owned()),
            ..AccountEdit::default()
        },
    };
    let done = vault.add_account_with(&new, material, caller).await;
    done.map(drop).map_err(|error| asked.refused(error))
}

async fn located(id: AccountId, asked: &Asked<'_>, caller: &Caller) -> Result<Located, Refusal> {
    let found = asked.door.vault.located(id, caller).await;
    found.map_err(|error| asked.refused(error))
}

/// The API key of an account that has this number.
async fn api_key(
    (resource, account): (&Resource, &AccountName),
    number: &str,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Account, Refusal> {
    let number: u8 = number.parse().map_err(|_| nothing_there())?;
    let keys = keys_beside(resource, account, asked, caller).await?;
    let is_it = |key: &Account| shown_key(key).is_some_and(|shown| shown.id == number);
    let found = keys.into_iter().find(is_it);
    found.ok_or_else(|| asked.refused(VaultError::NotFound("API key")))
}

/// What stands beside an account.
async fn keys_beside(
    resource: &Resource,
    account: &AccountName,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Vec<Account>, Refusal> {
    let names: Vec<_> = beside::all(account).collect();
    called(resource, &names, asked, caller).await
}

/// Those of the accounts with these names that are there.
async fn called(
    resource: &Resource,
    names: &[AccountName],
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Vec<Account>, Refusal> {
    let (vault, place) = (&asked.door.vault, ResourceRef::Id(resource.id));
    let found = vault.accounts_called(place, names, caller).await;
    found.map_err(|error| asked.refused(error))
}

/// An API key, if that is what an account keeps beside another.
fn shown_key(account: &Account) -> Option<ApiKey> {
    let base = beside::base(&account.name)?;
    let number = account.name.as_str().get(base.len()..)?;
    let number = number.trim_end_matches(']').rsplit(' ').next()?;
    Some(ApiKey {
        id: number.parse().ok()?,
        name: account.notes.as_str().to_owned(),
        description: "",
    })
}

/// The name, and what else is said of an account.
fn meant(members: &Members) -> Result<(AccountName, AccountEdit), Refusal> {
    let name = members.text(&["Name"])?.unwrap_or_default();
    let name = AccountName::parse(&name);
    let name = name.map_err(|error| Refusal::field("entity.Name", error.to_string()))?;
    if beside::base(&name).is_some() {
        let why = "So an SSH key or API key beside an account is called.";
        return Err(Refusal::field("entity.Name", why));
    }
    if members.truth(&["Disabled"])? {
        let why = "An account is not disabled: take its shares back, or delete it.";
        return Err(Refusal::field("entity.Disabled", why));
    }
    let edit = AccountEdit {
        notes: members.text(&["Description"])?,
        ..AccountEdit::default()
    };
    Ok((name, edit))
}

fn in_words((resource, account): &Located) -> Shown {
    Shown {
        id: account.id.0,
        name: account.name.to_string(),
        description: account.notes.as_str().to_owned(),
        asset: Asset {
            id: resource.id.0,
            name: resource.name.to_string(),
            network_address: resource.address.as_str().to_owned(),
            asset_partition_id: assets::PARTITION,
            asset_partition_name: assets::PARTITION_NAME,
        },
        disabled: false,
        has_password: account.kind == SecretKind::Password,
        created_date: times::to_text(account.created),
    }
}

fn too_long(error: &crate::domain::NameError) -> Refusal {
    Refusal::invalid(format!("With what stands beside it, {error}."))
}

fn unfit(error: &crate::domain::MaterialError) -> Refusal {
    Refusal::field("entity", error.to_string())
}

/// What the trail says where a reason is demanded: these requests have no place for one.
const REASON: &str = "set through the A2A door's Core service";
