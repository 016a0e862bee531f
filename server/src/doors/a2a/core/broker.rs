//! `A2ARegistrations/{id}/AccessRequestBroker`: in whose names a program may request.

use http::Method;
use serde::Serialize;

use crate::domain::{ApiKey, ApplicationId, Group, GroupId, Lock, User, UserId, UserKind};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::nothing_there;
use crate::doors::a2a::core::registrations::reader;
use crate::doors::a2a::reply::{Reply, no_content, ok};
use crate::vault::{BrokerView, NewBroker};

/// Whom a registration speaks for, as it is shown; before anybody has said, nobody, and no key.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Broker<'a> {
    api_key: Option<&'a str>,
    ip_restrictions: Option<Vec<String>>,
    users: Vec<BrokerUser<'a>>,
    groups: Vec<BrokerGroup<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BrokerUser<'a> {
    user_id: u64,
    user_name: &'a str,
    display_name: &'a str,
    provider_name: &'static str,
    domain_name: Option<&'a str>,
    disabled: bool,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct BrokerGroup<'a> {
    group_id: u64,
    name: &'a str,
}

/// Answers what is below `AccessRequestBroker` of a registration.
pub(super) async fn answer(id: ApplicationId, asked: &Asked<'_>, rest: &[&str]) -> Reply {
    match (rest, &asked.method) {
        ([], &Method::GET) => show(id, asked).await,
        ([], &Method::PUT) => put(id, asked).await,
        ([], &Method::DELETE) => remove(id, asked).await,
        (["apikey"], &Method::GET) => key(id, asked).await,
        (["apikey"], &Method::POST) => renew(id, asked).await,
        _ => Err(nothing_there()),
    }
}

async fn show(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = reader(asked).await?;
    let view = asked.door.vault.broker(id, &caller).await;
    let view = view.map_err(|error| asked.refused(error))?;
    Ok(ok(&in_words(view.as_ref())))
}

async fn put(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    let users = members.ids(&["Users"], &["UserId", "Id"])?;
    let groups = members.ids(&["Groups"], &["GroupId", "Id"])?;
    let new = NewBroker {
        users: users.into_iter().map(UserId).collect(),
        groups: groups.into_iter().map(GroupId).collect(),
        from: members.texts(&["IpRestrictions"])?,
    };
    let view = asked.door.vault.put_broker(id, &new, &caller).await;
    let view = view.map_err(|error| asked.refused(error))?;
    Ok(ok(&in_words(Some(&view))))
}

async fn remove(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let done = asked.door.vault.remove_broker(id, &caller).await;
    done.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

async fn key(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = reader(asked).await?;
    let key = asked.door.vault.broker_key(id, &caller).await;
    let key = key.map_err(|error| asked.refused(error))?;
    Ok(ok(&key.expose()))
}

async fn renew(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let key = asked.door.vault.renew_broker_key(id, &caller).await;
    let key = key.map_err(|error| asked.refused(error))?;
    Ok(ok(&key.expose()))
}

fn in_words(view: Option<&BrokerView>) -> Broker<'_> {
    let Some(view) = view else {
        return Broker {
            api_key: None,
            ip_restrictions: None,
            users: Vec::new(),
            groups: Vec::new(),
        };
    };
    let from = view.from.iter().map(ToString::to_string);
    Broker {
        api_key: view.key.as_ref().map(ApiKey::expose),
        ip_restrictions: (!view.from.is_empty()).then(|| from.collect()),
        users: view.users.iter().map(user).collect(),
        groups: view.groups.iter().map(group).collect(),
    }
}

fn user(user: &User) -> BrokerUser<'_> {
    BrokerUser {
        user_id: user.id.0,
        user_name: user.name.as_str(),
        display_name: user.full_name.as_str(),
        provider_name: match user.kind {
            UserKind::Person(_) => "Local",
            UserKind::Api { .. } => "Certificate",
        },
        domain_name: None,
        disabled: user.lock == Lock::Locked,
    }
}

fn group(group: &Group) -> BrokerGroup<'_> {
    BrokerGroup {
        group_id: group.id.0,
        name: group.name.as_str(),
    }
}
