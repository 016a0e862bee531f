//! `/v1/users/{login}/ssh-keys`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::asked::{Asked, Named, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, NewSshKeys, Page};
use crate::admin::{Desk, moment};
use crate::domain::{RegisteredSshKey, SshFingerprint, SshKey};

pub(crate) async fn list(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::SshKey>>, Refusal> {
    let keys = desk.vault.ssh_keys(&login, &asked.caller).await?;
    Ok(Json(Page::whole(keys.iter().map(in_words).collect())))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<NewSshKeys>,
) -> Result<(StatusCode, Json<Page<wire::SshKey>>), Refusal> {
    let keys: Result<Vec<_>, _> = new.keys.iter().map(|line| SshKey::parse(line)).collect();
    let keys = keys.map_err(|error| Refusal::invalid(error.to_string()))?;
    let added = desk.vault.add_ssh_keys(&login, keys, &asked.caller).await?;
    let added = Page::whole(added.iter().map(in_words).collect());
    Ok((StatusCode::CREATED, Json(added)))
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named((login, fingerprint)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let print: SshFingerprint = fingerprint
        .parse()
        .map_err(|()| Refusal::invalid("a fingerprint is SHA256: and 43 characters of base64"))?;
    desk.vault
        .remove_ssh_key(&login, print, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn in_words(registered: &RegisteredSshKey) -> wire::SshKey {
    let key = &registered.key;
    wire::SshKey {
        fingerprint: key.fingerprint().to_string(),
        kind: key.kind().to_owned(),
        comment: key.comment().as_str().to_owned(),
        added: moment::to_text(registered.added),
    }
}
