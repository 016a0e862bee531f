//! `/v1/resources/{resource}/accounts`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::asked::{Asked, Named, Plain, Searched, Sent};
use crate::admin::policies::Names;
use crate::admin::problem::Refusal;
use crate::admin::resources::{chosen, fields_in_words, pairs};
use crate::admin::wire::{self, Created, Page, Part, PasswordChange};
use crate::admin::{Desk, moment, secrets};
use crate::vault::{AccountEdit, AccountView, NewAccount, ResourceRef};

pub(crate) async fn list(
    State(desk): State<Desk>,
    Named(resource): Named<String>,
    asked: Asked<Searched>,
) -> Result<Json<Part<wire::Account>>, Refusal> {
    let filter = asked.query.filter_accounts(&desk)?;
    let page = desk
        .vault
        .account_page(&resource, &filter, &asked.caller)
        .await?;
    let counted = Some((page.total, page.complete)).filter(|_| asked.query.is_counted());
    let views = page.items;
    let named = views.iter().any(|view| view.account.policy.is_some());
    let names = Names::load_if(named, &desk, &asked.caller).await?;
    let last = views.last().map(|view| view.account.id.0);
    let items = views.iter().map(|view| in_words(view, &names)).collect();
    Ok(Json(Part::of(items, last, (filter.limit, counted))))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    Named(resource): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewAccount>,
) -> Result<(StatusCode, Json<Created>), Refusal> {
    let policy = match &new.policy {
        Some(name) => Some(Some(desk.vault.policy_id(name, &asked.caller).await?)),
        None => None,
    };
    let wire::NewAccount {
        name,
        password,
        secret,
        ..
    } = new;
    let wanted = NewAccount {
        resource: ResourceRef::Named(&resource),
        account: &name,
        more: AccountEdit {
            notes: new.notes,
            fields: (!new.fields.is_empty()).then(|| pairs(new.fields)),
            policy,
            reason_demanded: new.reason_demanded.map(Some),
            ticket_demanded: new.ticket_demanded.map(Some),
            ..AccountEdit::default()
        },
    };
    if let Some(secret) = secret {
        if password.is_some() {
            return Err(Refusal::invalid("either `password` or `secret` is given"));
        }
        let material = secrets::parsed(secret)?;
        desk.vault
            .add_account_with(&wanted, material, &asked.caller)
            .await?;
        let generated = false;
        return Ok((StatusCode::CREATED, Json(Created { name, generated })));
    }
    let password = chosen(password)?;
    let generated = desk
        .vault
        .add_account(&wanted, password, &asked.caller)
        .await?
        .generated
        .is_some();
    Ok((StatusCode::CREATED, Json(Created { name, generated })))
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named((resource, account)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<Json<wire::Account>, Refusal> {
    let view = desk
        .vault
        .account(&resource, &account, &asked.caller)
        .await?;
    let names = Names::load_if(view.account.policy.is_some(), &desk, &asked.caller).await?;
    Ok(Json(in_words(&view, &names)))
}

pub(crate) async fn edit(
    State(desk): State<Desk>,
    Named((resource, account)): Named<(String, String)>,
    asked: Asked<Plain>,
    Sent(edit): Sent<wire::AccountEdit>,
) -> Result<StatusCode, Refusal> {
    let policy = match &edit.policy {
        Some(Some(name)) => Some(Some(desk.vault.policy_id(name, &asked.caller).await?)),
        Some(None) => Some(None),
        None => None,
    };
    let edit = AccountEdit {
        name: edit.name,
        notes: edit.notes,
        fields: edit.fields.map(pairs),
        policy,
        reason_demanded: edit.reason_demanded,
        ticket_demanded: edit.ticket_demanded,
    };
    desk.vault
        .edit_account(&resource, &account, &edit, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named((resource, account)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .remove_account(&resource, &account, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn history(
    State(desk): State<Desk>,
    Named((resource, account)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<Json<Page<PasswordChange>>, Refusal> {
    let changes = desk
        .vault
        .history(&resource, &account, &asked.caller)
        .await?;
    let shown = changes.into_iter().map(|(change, by)| PasswordChange {
        version: change.version.0,
        at: moment::to_text(change.at),
        by,
        generated: change.generated,
    });
    Ok(Json(Page::whole(shown.collect())))
}

fn in_words(view: &AccountView, names: &Names) -> wire::Account {
    let account = &view.account;
    wire::Account {
        id: account.id.to_string(),
        name: account.name.to_string(),
        kind: account.kind.to_string(),
        notes: account.notes.as_str().to_owned(),
        fields: fields_in_words(&account.fields),
        policy: names.of(account.policy),
        reason_demanded: account.reason_demanded,
        ticket_demanded: account.ticket_demanded,
        status: view.status.to_string(),
        version: account.secret.0,
        created: moment::to_text(account.created),
        changed: moment::to_text(account.changed),
        accessed: view.accessed.map(moment::to_text),
        unclear_since: view.unclear_since.map(moment::to_text),
    }
}
