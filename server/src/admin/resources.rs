//! `/v1/resources`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::asked::{Asked, Named, Plain, Searched, Sent};
use crate::admin::policies::Names;
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, Created, Part};
use crate::admin::{Desk, moment};
use crate::domain::{CustomField, ResourceId};
use crate::vault::{AccountEdit, NewPassword, NewResource, ResourceEdit, ResourceView};

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Searched>,
) -> Result<Json<Part<wire::Resource>>, Refusal> {
    let filter = asked.query.filter(&desk)?;
    let (views, counted) = match asked.query.is_counted() {
        true => {
            let page = desk.vault.resource_page(&filter, &asked.caller).await?;
            (page.items, Some((page.total, page.complete)))
        }
        false => {
            let after = filter.after.map(ResourceId);
            let listed = desk.vault.resources(after, filter.limit, &asked.caller);
            (listed.await?, None)
        }
    };
    let named = views.iter().any(|view| view.resource.policy.is_some());
    let names = Names::load_if(named, &desk, &asked.caller).await?;
    let last = views.last().map(|view| view.resource.id.0);
    let items = views.iter().map(|view| in_words(view, &names)).collect();
    Ok(Json(Part::of(items, last, (filter.limit, counted))))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewResource>,
) -> Result<(StatusCode, Json<Created>), Refusal> {
    let policy = match &new.policy {
        Some(name) => Some(Some(desk.vault.policy_id(name, &asked.caller).await?)),
        None => None,
    };
    let wire::NewResource {
        name,
        kind,
        owner,
        account,
        password,
        ..
    } = new;
    let wanted = NewResource {
        resource: &name,
        kind: &kind,
        account: &account,
        notes: "",
        owner: owner.as_deref(),
        more: ResourceEdit {
            address: new.address,
            url: new.url,
            description: new.description,
            notes: new.notes,
            department: new.department,
            location: new.location,
            fields: (!new.fields.is_empty()).then(|| pairs(new.fields)),
            policy,
            reason_demanded: new.reason_demanded.map(Some),
            ticket_demanded: new.ticket_demanded.map(Some),
            ..ResourceEdit::default()
        },
        more_of_account: AccountEdit::default(),
    };
    let generated = desk
        .vault
        .create(&wanted, chosen(password)?, &asked.caller)
        .await?
        .generated
        .is_some();
    Ok((StatusCode::CREATED, Json(Created { name, generated })))
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::Resource>, Refusal> {
    let view = desk.vault.resource(&name, &asked.caller).await?;
    let names = Names::load_if(view.resource.policy.is_some(), &desk, &asked.caller).await?;
    Ok(Json(in_words(&view, &names)))
}

pub(crate) async fn edit(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(edit): Sent<wire::ResourceEdit>,
) -> Result<StatusCode, Refusal> {
    let policy = match &edit.policy {
        Some(Some(name)) => Some(Some(desk.vault.policy_id(name, &asked.caller).await?)),
        Some(None) => Some(None),
        None => None,
    };
    let edit = ResourceEdit {
        name: edit.name,
        kind: edit.kind,
        address: edit.address,
        url: edit.url,
        description: edit.description,
        notes: edit.notes,
        department: edit.department,
        location: edit.location,
        fields: edit.fields.map(pairs),
        policy,
        reason_demanded: edit.reason_demanded,
        ticket_demanded: edit.ticket_demanded,
        owner: edit.owner,
        group: None,
    };
    desk.vault
        .edit_resource(&name, &edit, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.remove_resource(&name, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The password that was sent, or a generated one. An empty one is refused: whoever sends it has
/// lost it on the way.
///
/// # Errors
/// [`Refusal`] when it cannot be a password.
pub(crate) fn chosen(password: Option<wire::SecretText>) -> Result<NewPassword, Refusal> {
    match password {
        None => Ok(NewPassword::Generate),
        Some(text) if text.is_empty() => Err(Refusal::invalid(
            "`password` is empty: leave it out to have one generated",
        )),
        Some(text) => Ok(NewPassword::parse(text.expose())?),
    }
}

/// Fields as the vault takes them.
pub(crate) fn pairs(fields: Vec<wire::Field>) -> Vec<(String, String)> {
    fields
        .into_iter()
        .map(|field| (field.label, field.value))
        .collect()
}

/// Fields as they are shown.
pub(crate) fn fields_in_words(fields: &[CustomField]) -> Vec<wire::Field> {
    let shown = fields.iter().map(|field| wire::Field {
        label: field.label.as_str().to_owned(),
        value: field.value.as_str().to_owned(),
    });
    shown.collect()
}

fn in_words(view: &ResourceView, names: &Names) -> wire::Resource {
    let resource = &view.resource;
    wire::Resource {
        id: resource.id.to_string(),
        name: resource.name.to_string(),
        kind: resource.kind.as_str().to_owned(),
        owner: view.owner.clone(),
        address: resource.address.as_str().to_owned(),
        url: resource.url.as_str().to_owned(),
        description: resource.description.as_str().to_owned(),
        notes: resource.notes.as_str().to_owned(),
        department: resource.department.as_str().to_owned(),
        location: resource.location.as_str().to_owned(),
        fields: fields_in_words(&resource.fields),
        policy: names.of(resource.policy),
        reason_demanded: resource.reason_demanded,
        ticket_demanded: resource.ticket_demanded,
        created: moment::to_text(resource.created),
    }
}
