//! `Users`: people who sign in with a password, and programs that come with a certificate.

use std::sync::Arc;

use http::Method;
use serde::Serialize;

use crate::domain::{CertBinding, Lock, Password, Role, Scope, Thumbprint, User, UserId, UserKind};
use crate::doors::a2a::Asked;
use crate::doors::a2a::body::password;
use crate::doors::a2a::core::listing::{self, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::query::{MOST_READ, Row, Table};
use crate::doors::a2a::core::{admin_roles, nothing_there, times};
use crate::doors::a2a::reply::{NO_OWN_PASSWORD_SENT, Refusal, Reply, no_content, ok};
use crate::vault::{Caller, NewPerson, NewUser, UserEdit, UserNames, UserRef};

/// A user as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    id: u64,
    name: String,
    display_name: String,
    first_name: String,
    last_name: String,
    email_address: String,
    disabled: bool,
    admin_roles: &'static [&'static str],
    created_date: String,
    identity_provider: Provider,
    primary_authentication_provider: Provider,
}

#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Provider {
    id: i64,
    name: &'static str,
    type_reference_name: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    identity: Option<String>,
}

static TABLE: Table = Table {
    names: &[
        "Id",
        "Name",
        "DisplayName",
        "FirstName",
        "LastName",
        "EmailAddress",
        "Disabled",
        "AdminRoles",
        "CreatedDate",
        "IdentityProvider.Id",
        "IdentityProvider.Name",
        "IdentityProvider.TypeReferenceName",
        "PrimaryAuthenticationProvider.Id",
        "PrimaryAuthenticationProvider.Name",
        "PrimaryAuthenticationProvider.TypeReferenceName",
        "PrimaryAuthenticationProvider.Identity",
    ],
    renamed: &[("Name", "UserName")],
    aliases: &[
        ("IdentityProvider.Id", "IdentityProviderId"),
        ("IdentityProvider.Name", "IdentityProviderName"),
        (
            "PrimaryAuthenticationProvider.Id",
            "PrimaryAuthenticationProviderId",
        ),
        (
            "PrimaryAuthenticationProvider.Name",
            "PrimaryAuthenticationProviderName",
        ),
        (
            "PrimaryAuthenticationProvider.Identity",
            "PrimaryAuthenticationIdentity",
        ),
    ],
};

/// Answers what is below `Users`.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let Some((first, within)) = rest.split_first() else {
        return match asked.method {
            Method::GET => all(asked).await,
            Method::POST => add(asked).await,
            _ => Err(nothing_there()),
        };
    };
    let id = UserId(first.parse().map_err(|_| nothing_there())?);
    match (within, &asked.method) {
        ([], &Method::GET) => show(id, asked).await,
        ([], &Method::PUT) => put(id, asked).await,
        ([], &Method::DELETE) => remove(id, asked).await,
        (["password"], &Method::PUT) => set_password(id, asked).await,
        _ => Err(nothing_there()),
    }
}

/// Whoever asks.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Me<'a> {
    id: i64,
    name: &'a str,
    admin_roles: &'static [&'static str],
}

/// Answers `Me`.
pub(super) async fn me(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let id = caller.user().and_then(|id| i64::try_from(id.0).ok());
    Ok(ok(&Me {
        id: id.unwrap_or(-1),
        name: caller.login(),
        admin_roles: admin_roles::of(caller.role(), caller.scope()),
    }))
}

async fn all(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let mut gathered = wish(asked, &TABLE)?.gather();
    let users = asked.door.vault.users(None, MOST_READ + 1, &caller).await;
    for user in users.map_err(|error| asked.refused(error))? {
        if !gathered.take(Row::of(&shown(&user, asked).await?)) {
            break;
        }
    }
    listing::told(gathered).await
}

async fn show(id: UserId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let user = asked.door.vault.user(UserRef::Id(id), &caller).await;
    told(&user.map_err(|error| asked.refused(error))?, asked).await
}

async fn add(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    let user = match meant(&members)? {
        Proof::Password => add_person(&members, asked, &caller).await?,
        Proof::Certificate(thumbprint) => add_program(&members, thumbprint, asked, &caller).await?,
    };
    listing::new(asked, &TABLE, &shown(&user, asked).await?)
}

/// Makes a person. Its password is one that nobody knows until another is set.
async fn add_person(
    members: &Members,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<User, Refusal> {
    let (role, scope) = rights(members)?;
    let text = |name| Ok::<_, Refusal>(members.text(&[name])?.unwrap_or_default());
    let password = asked.door.vault.generate(None, caller).await;
    let new = NewPerson {
        name: named(members)?,
        role,
        scope,
        first: text("FirstName")?,
        last: text("LastName")?,
        email: text("EmailAddress")?,
        full_name: members.text(&["DisplayName"])?,
        department: String::new(),
        location: String::new(),
        expires: None,
        second_factor: false,
        password: Arc::new(password.map_err(|error| asked.refused(error))?),
    };
    let lock = kept_out(members)?;
    let made = asked.door.vault.add_person_with(&new, lock, caller).await;
    made.map_err(|error| asked.refused(error))
}

/// Makes a certificate user: a program that may come from anywhere, at this door alone.
async fn add_program(
    members: &Members,
    thumbprint: Thumbprint,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<User, Refusal> {
    let name = named(members)?;
    let (role, scope) = rights(members)?;
    let new = NewUser {
        login: format!("{name}@{HERE}"),
        // A program reads no audit trail.
        role: match role {
            Role::PasswordAuditor => Role::PasswordUser,
            other => other,
        },
        scope,
        full_name: members.text(&["DisplayName"])?.or(Some(name)),
        any_host: true,
        certificates: vec![CertBinding::Thumbprint {
            thumbprint,
            seen: None,
        }],
        department: String::new(),
        location: String::new(),
        expires: None,
    };
    let lock = kept_out(members)?;
    let vault = &asked.door.vault;
    let made = vault.add_user_with(&new, (lock, &[]), caller).await;
    made.map_err(|error| asked.refused(error))
}

/// Changes whether a user is kept out, and what it is called; what else it is stays as it was made.
async fn put(id: UserId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    members.must_be(&["Id"], id.0)?;
    let user = asked.door.vault.user(UserRef::Id(id), &caller).await;
    let user = user.map_err(|error| asked.refused(error))?;
    stays(&members, &user, asked).await?;
    let edits = edits(&members, &user)?;
    if edits.is_empty() {
        return told(&user, asked).await;
    }
    let vault = &asked.door.vault;
    let user = vault.edit_user_with(UserRef::Id(id), &edits, &caller).await;
    told(&user.map_err(|error| asked.refused(error))?, asked).await
}

/// What is to change about a user: nothing that is not said, so that nobody is let in again by
/// whoever says nothing of it.
fn edits(members: &Members, user: &User) -> Result<Vec<UserEdit>, Refusal> {
    let mut edits = Vec::new();
    let names = UserNames {
        full_name: members
            .text(&["DisplayName"])?
            .filter(|name| !name.is_empty()),
        first: members.text(&["FirstName"])?,
        last: members.text(&["LastName"])?,
        email: members.text(&["EmailAddress"])?,
    };
    let is = |said: &Option<String>, known: &str| said.as_deref().is_none_or(|said| said == known);
    let (first, last, email) = match &user.kind {
        UserKind::Person(person) => (
            person.first.as_str(),
            person.last.as_str(),
            person.email.as_str(),
        ),
        UserKind::Api { .. } => Default::default(),
    };
    let same = is(&names.full_name, user.full_name.as_str())
        && is(&names.first, first)
        && is(&names.last, last)
        && is(&names.email, email);
    if !same {
        edits.push(UserEdit::Names(names));
    }
    if members.has(&["Disabled"]) && kept_out(members)? != user.lock {
        edits.push(UserEdit::Lock(kept_out(members)?));
    }
    Ok(edits)
}

/// Refuses what would change of a user and cannot.
async fn stays(members: &Members, user: &User, asked: &Asked<'_>) -> Result<(), Refusal> {
    if named(members)? != user.name.as_str() {
        return Err(Refusal::field("entity.Name", FIXED));
    }
    let kept = match (said(members)?, &user.kind) {
        // Whoever says nothing of the certificates means those that there are, known here or not.
        ((None | Some(CERTIFICATE), None), UserKind::Api { .. }) => true,
        _ => match meant(members)? {
            Proof::Password => matches!(user.kind, UserKind::Person(_)),
            Proof::Certificate(thumbprint) => {
                let known = asked.door.vault.thumbprint_of(user).await;
                known.map_err(|error| asked.refused(error))? == Some(thumbprint)
            }
        },
    };
    if !kept {
        return Err(Refusal::field(
            "entity.PrimaryAuthenticationProvider",
            FIXED,
        ));
    }
    let (role, scope) = rights(members)?;
    let same = admin_roles::of(role, scope) == admin_roles::of(user.role, user.scope);
    if members.has(&["AdminRoles"]) && !same {
        return Err(Refusal::field("entity.AdminRoles", FIXED));
    }
    Ok(())
}

fn kept_out(members: &Members) -> Result<Lock, Refusal> {
    Ok(match members.truth(&["Disabled"])? {
        true => Lock::Locked,
        false => Lock::Open,
    })
}

async fn remove(id: UserId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let done = asked.door.vault.remove_user(UserRef::Id(id), &caller).await;
    done.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

async fn set_password(id: UserId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let password = Password::parse(password(asked, NO_OWN_PASSWORD_SENT)?);
    let password = password.map_err(|error| Refusal::invalid(format!("{error}.")))?;
    let password = Arc::new(password);
    let done = asked
        .door
        .vault
        .set_password(UserRef::Id(id), &password, &caller);
    done.await.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

/// How a user proves itself.
#[derive(Clone, Copy)]
enum Proof {
    Password,
    Certificate(Thumbprint),
}

/// What is said of how a user proves itself, the provider and the identity: within its own object, or
/// beside the name as versions 2 and 3 have it.
fn said(members: &Members) -> Result<(Option<i64>, Option<String>), Refusal> {
    let within = members.object(&["PrimaryAuthenticationProvider"])?;
    let (id, identity) = match &within {
        Some(within) => (within.number(&["Id"])?, within.text(&["Identity"])?),
        None => (
            members.number(&["PrimaryAuthenticationProviderId"])?,
            members.text(&["PrimaryAuthenticationIdentity"])?,
        ),
    };
    Ok((id, identity.filter(|identity| !identity.is_empty())))
}

/// By which of the two a user proves itself.
fn meant(members: &Members) -> Result<Proof, Refusal> {
    let (id, identity) = said(members)?;
    match id {
        None | Some(LOCAL) => Ok(Proof::Password),
        Some(CERTIFICATE) => {
            let thumbprint = identity.unwrap_or_default().parse();
            let thumbprint = thumbprint.map_err(|_| {
                Refusal::field("entity.PrimaryAuthenticationProvider.Identity", THUMBPRINT)
            })?;
            Ok(Proof::Certificate(thumbprint))
        }
        Some(_) => {
            let name = "entity.PrimaryAuthenticationProvider.Id";
            Err(Refusal::field(name, PROVIDERS))
        }
    }
}

fn named(members: &Members) -> Result<String, Refusal> {
    let name = members.text(&["Name", "UserName"])?;
    name.filter(|name| !name.is_empty())
        .ok_or_else(|| Refusal::field("entity.Name", "The Name field is required."))
}

/// What a user may do and how far that reaches, by the roles that are asked for.
fn rights(members: &Members) -> Result<(Role, Scope), Refusal> {
    admin_roles::rights(&members.texts(&["AdminRoles"])?)
}

async fn told(user: &User, asked: &Asked<'_>) -> Reply {
    listing::one(asked, &TABLE, &shown(user, asked).await?)
}

async fn shown(user: &User, asked: &Asked<'_>) -> Result<Shown, Refusal> {
    let known = asked.door.vault.thumbprint_of(user).await;
    let identity = known
        .map_err(|error| asked.refused(error))?
        .map(|thumbprint| thumbprint.to_string());
    let local = provider(LOCAL, "Local", None);
    let (primary, person) = match &user.kind {
        UserKind::Person(person) => (local.clone(), person.clone()),
        UserKind::Api { .. } => (
            provider(CERTIFICATE, "Certificate", identity),
            Default::default(),
        ),
    };
    Ok(Shown {
        id: user.id.0,
        name: user.name.to_string(),
        display_name: user.full_name.as_str().to_owned(),
        first_name: person.first.as_str().to_owned(),
        last_name: person.last.as_str().to_owned(),
        email_address: person.email.as_str().to_owned(),
        disabled: user.lock == Lock::Locked,
        admin_roles: admin_roles::of(user.role, user.scope),
        created_date: times::to_text(user.created),
        identity_provider: local,
        primary_authentication_provider: primary,
    })
}

fn provider(id: i64, name: &'static str, identity: Option<String>) -> Provider {
    Provider {
        id,
        name,
        type_reference_name: name,
        identity,
    }
}

/// What stands behind the `@` of a certificate user's login: it has no host of its own.
const HERE: &str = "a2a";
const LOCAL: i64 = -1;
const CERTIFICATE: i64 = -2;
const PROVIDERS: &str = "Users are known by -1 (Local, a password) or -2 (Certificate).";
const THUMBPRINT: &str = "A certificate user is known by the SHA-1 thumbprint of its certificate: 40 \
                          hexadecimal digits.";
const FIXED: &str = "It does not change: delete the user and make another.";
