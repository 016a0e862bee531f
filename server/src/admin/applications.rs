//! `/v1/applications`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::asked::{Asked, Named, Paged, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::trusted::{self, Shown};
use crate::admin::users::fingerprint_from;
use crate::admin::wire::{self, ApplicationNow, Page};
use crate::admin::{Desk, moment};
use crate::domain::{Allowed, ApplicationId, Fingerprint, Lock, Permit, Platform};
use crate::vault::{ApplicationEdit, ApplicationView, NewApplication};

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Paged>,
) -> Result<Json<Page<wire::Application>>, Refusal> {
    let limit = asked.query.limit(&desk);
    let after = asked.query.after()?.map(ApplicationId);
    let applications = desk.vault.applications(after, limit, &asked.caller).await?;
    let last = applications.last().map(|view| view.application.id.0);
    Ok(Json(Page::of(
        applications.iter().map(in_words).collect(),
        last,
        limit,
    )))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewApplication>,
) -> Result<(StatusCode, Json<ApplicationNow>), Refusal> {
    let shown = shown(&new.certificates)?;
    let new = NewApplication {
        platform: platform(&new.kind)?,
        allowed: allowed(&new.allow)?,
        name: new.name,
        host: new.host,
        inherits: new.inherit,
        certificates: prints(&shown),
    };
    let made = desk.vault.add_application(&new, &asked.caller).await?;
    let now = ApplicationNow {
        application: in_words(&made),
        warnings: trusted::trust_warnings(&shown, &desk, &asked.caller).await?,
    };
    Ok((StatusCode::CREATED, Json(now)))
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::Application>, Refusal> {
    let view = desk.vault.application(&name, &asked.caller).await?;
    Ok(Json(in_words(&view)))
}

pub(crate) async fn edit(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
    Sent(wish): Sent<wire::ApplicationEdit>,
) -> Result<Json<ApplicationNow>, Refusal> {
    let shown = shown(&wish.add_certificates)?;
    let unbind = wish.remove_certificates.iter();
    let lock = |locked| if locked { Lock::Locked } else { Lock::Open };
    let edit = ApplicationEdit {
        platform: wish.kind.as_deref().map(platform).transpose()?,
        allowed: wish.allow.as_deref().map(allowed).transpose()?,
        lock: wish.locked.map(lock),
        bind: prints(&shown),
        unbind: unbind
            .map(|text| fingerprint_from(text))
            .collect::<Result<_, _>>()?,
        host: wish.host,
        inherits: wish.inherit,
    };
    let view = desk.vault.edit_application(&name, &edit, &asked.caller);
    let application = in_words(&view.await?);
    let warnings = trusted::trust_warnings(&shown, &desk, &asked.caller).await?;
    Ok(Json(ApplicationNow {
        application,
        warnings,
    }))
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(name): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.remove_application(&name, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn shown(certificates: &[String]) -> Result<Vec<Shown>, Refusal> {
    certificates.iter().map(|pem| Shown::read(pem)).collect()
}

fn prints(shown: &[Shown]) -> Vec<Fingerprint> {
    shown.iter().map(|one| one.fingerprint).collect()
}

fn platform(word: &str) -> Result<Platform, Refusal> {
    word.parse()
        .map_err(|()| Refusal::invalid("`type` is Linux or Windows"))
}

fn allowed(words: &[String]) -> Result<Allowed, Refusal> {
    let permits = words.iter().map(|word| word.parse::<Permit>());
    let permits: Vec<Permit> = permits
        .collect::<Result<_, _>>()
        .map_err(|()| Refusal::invalid("`allow` lists retrieve, reset and create"))?;
    Ok(Allowed::of(&permits))
}

fn in_words(view: &ApplicationView) -> wire::Application {
    let application = &view.application;
    let permits = application.allowed.permits();
    wire::Application {
        id: application.id.to_string(),
        name: application.name.to_string(),
        host: application.host.to_string(),
        kind: application.platform.as_str().to_owned(),
        allow: permits.map(|permit| permit.as_str().to_owned()).collect(),
        inherit: view.inherits.clone(),
        locked: application.lock == Lock::Locked,
        created: moment::to_text(application.created),
        certificates: application
            .certificates
            .iter()
            .map(ToString::to_string)
            .collect(),
    }
}
