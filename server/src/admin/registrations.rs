//! `/v1/registrations`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::asked::{Asked, Named, Paged, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, ApiKeyText, Page};
use crate::admin::{Desk, moment};
use crate::domain::{AccountId, ApplicationId, Lock, User, UserId};
use crate::vault::{
    BrokerView, Caller, NewBroker, NewRegistration, RegistrationView, RetrievableView, VaultError,
};

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Paged>,
) -> Result<Json<Page<wire::Registration>>, Refusal> {
    let limit = asked.query.limit(&desk);
    let after = asked.query.after()?.map(ApplicationId);
    let views = desk
        .vault
        .registrations(after, limit, &asked.caller)
        .await?;
    let last = views.last().map(|view| view.application.id.0);
    Ok(Json(Page::of(
        views.iter().map(in_words).collect(),
        last,
        limit,
    )))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewRegistration>,
) -> Result<(StatusCode, Json<wire::Registration>), Refusal> {
    let new = NewRegistration {
        user: Some(user(&desk, &new.user, &asked.caller).await?),
        name: new.name,
        description: new.description,
        lock: Lock::Open,
        visible: new.visible,
        bidirectional: new.bidirectional,
    };
    let made = desk.vault.add_registration(&new, &asked.caller).await?;
    Ok((StatusCode::CREATED, Json(in_words(&made))))
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::Registration>, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let view = desk.vault.registration(id, &asked.caller).await?;
    Ok(Json(in_words(&view)))
}

pub(crate) async fn edit(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(wish): Sent<wire::RegistrationEdit>,
) -> Result<Json<wire::Registration>, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let before = desk.vault.registration(id, &asked.caller).await?;
    let lock = |disabled| if disabled { Lock::Locked } else { Lock::Open };
    let application = before.application;
    let named = match &wish.user {
        Some(login) => user(&desk, login, &asked.caller).await?,
        None => application.inherits,
    };
    let new = NewRegistration {
        user: Some(named),
        name: wish.name.unwrap_or_else(|| application.name.to_string()),
        description: wish
            .description
            .unwrap_or_else(|| application.description.as_str().to_owned()),
        lock: wish.disabled.map_or(application.lock, lock),
        visible: wish.visible.unwrap_or(application.visible),
        bidirectional: wish.bidirectional.unwrap_or(application.bidirectional),
    };
    let view = desk.vault.put_registration(id, &new, &asked.caller).await?;
    Ok(Json(in_words(&view)))
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    desk.vault.remove_registration(id, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn accounts(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Paged>,
) -> Result<Json<Page<wire::Retrievable>>, Refusal> {
    let limit = asked.query.limit(&desk);
    let after = asked.query.after()?.map(AccountId);
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let views = desk.vault.retrievables(id, after, limit, &asked.caller);
    let views = views.await?;
    let last = views.last().map(|view| view.account.id.0);
    Ok(Json(Page::of(
        views.iter().map(account_in_words).collect(),
        last,
        limit,
    )))
}

pub(crate) async fn add_account(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewRetrievable>,
) -> Result<(StatusCode, Json<wire::Retrievable>), Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let account = account(&desk, (&new.resource, &new.account), &asked.caller).await?;
    let made = desk
        .vault
        .add_retrievable(id, account, &new.from, &asked.caller);
    Ok((StatusCode::CREATED, Json(account_in_words(&made.await?))))
}

pub(crate) async fn remove_account(
    State(desk): State<Desk>,
    Named((name, resource, account_name)): Named<(String, String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let account = account(&desk, (&resource, &account_name), &asked.caller).await?;
    let removed = desk.vault.remove_retrievable(id, account, &asked.caller);
    removed.await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn key(
    State(desk): State<Desk>,
    Named((name, resource, account_name)): Named<(String, String, String)>,
    asked: Asked<Plain>,
) -> Result<Json<ApiKeyText>, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let account = account(&desk, (&resource, &account_name), &asked.caller).await?;
    let vault = &desk.vault;
    let key = vault.retrievable_key(id, account, &asked.caller).await?;
    Ok(Json(ApiKeyText::of(&key)))
}

pub(crate) async fn renew_key(
    State(desk): State<Desk>,
    Named((name, resource, account_name)): Named<(String, String, String)>,
    asked: Asked<Plain>,
) -> Result<Json<ApiKeyText>, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let account = account(&desk, (&resource, &account_name), &asked.caller).await?;
    let key = desk.vault.renew_key(id, account, &asked.caller).await?;
    Ok(Json(ApiKeyText::of(&key)))
}

pub(crate) async fn broker(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::Broker>, Refusal> {
    let view = broker_of(&desk, &name, &asked.caller).await?;
    Ok(Json(broker_in_words(&view)))
}

pub(crate) async fn put_broker(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(wish): Sent<wire::NewBroker>,
) -> Result<Json<wire::Broker>, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let mut new = NewBroker {
        from: wish.from,
        ..NewBroker::default()
    };
    for login in &wish.users {
        new.users.push(user(&desk, login, &asked.caller).await?);
    }
    for group in &wish.groups {
        new.groups
            .push(desk.vault.group(group, &asked.caller).await?.id);
    }
    let view = desk.vault.put_broker(id, &new, &asked.caller).await?;
    Ok(Json(broker_in_words(&view)))
}

pub(crate) async fn remove_broker(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    desk.vault.remove_broker(id, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn broker_key(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<ApiKeyText>, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let key = desk.vault.broker_key(id, &asked.caller).await?;
    Ok(Json(ApiKeyText::of(&key)))
}

pub(crate) async fn renew_broker_key(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<ApiKeyText>, Refusal> {
    let id = desk.vault.registration_called(&name, &asked.caller).await?;
    let key = desk.vault.renew_broker_key(id, &asked.caller).await?;
    Ok(Json(ApiKeyText::of(&key)))
}

async fn broker_of(desk: &Desk, name: &str, caller: &Caller) -> Result<BrokerView, VaultError> {
    let id = desk.vault.registration_called(name, caller).await?;
    let view = desk.vault.broker(id, caller).await?;
    view.ok_or(VaultError::NotFound("access request broker"))
}

async fn user(desk: &Desk, login: &str, caller: &Caller) -> Result<UserId, VaultError> {
    Ok(desk.vault.user(login, caller).await?.id)
}

async fn account(
    desk: &Desk,
    (resource, account): (&str, &str),
    caller: &Caller,
) -> Result<AccountId, VaultError> {
    let view = desk.vault.account(resource, account, caller).await?;
    Ok(view.account.id)
}

fn in_words(view: &RegistrationView) -> wire::Registration {
    let application = &view.application;
    wire::Registration {
        id: application.id.to_string(),
        name: application.name.to_string(),
        description: application.description.as_str().to_owned(),
        user: view.user.as_ref().map(User::login),
        thumbprint: view.thumbprint.map(|print| print.to_string()),
        disabled: application.lock == Lock::Locked,
        visible: application.visible,
        bidirectional: application.bidirectional,
        created: moment::to_text(application.created),
        author: view.author.clone(),
    }
}

fn account_in_words(view: &RetrievableView) -> wire::Retrievable {
    wire::Retrievable {
        resource: view.resource.name.to_string(),
        account: view.account.name.to_string(),
        account_id: view.account.id.to_string(),
        from: view.from.iter().map(ToString::to_string).collect(),
    }
}

fn broker_in_words(view: &BrokerView) -> wire::Broker {
    wire::Broker {
        users: view.users.iter().map(|user| user.login()).collect(),
        groups: view.groups.iter().map(|it| it.name.to_string()).collect(),
        from: view.from.iter().map(ToString::to_string).collect(),
    }
}
