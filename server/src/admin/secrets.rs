//! `/v1/resources/{resource}/accounts/{account}/secret`: files and keys that accounts keep.

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use zeroize::Zeroizing;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Named, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, SecretText};
use crate::domain::{Material, MaterialError, Password, SecretBytes, SecretKind, SecretVersion};
use crate::vault::Wanted;

pub(crate) async fn retrieve(
    State(desk): State<Desk>,
    Named((resource, account)): Named<(String, String)>,
    asked: Asked<Plain>,
    Sent(why): Sent<wire::Purpose>,
) -> Result<Json<wire::Material>, Refusal> {
    let (reason, ticket) = (
        why.reason.unwrap_or_default(),
        why.ticket.unwrap_or_default(),
    );
    let wanted = Wanted::named(&resource, &account).because(&reason, &ticket);
    let material = desk.vault.material(&wanted, &asked.caller).await?;
    Ok(Json(in_words(&material)))
}

pub(crate) async fn earlier(
    State(desk): State<Desk>,
    Named((resource, account, version)): Named<(String, String, u64)>,
    asked: Asked<Plain>,
    Sent(why): Sent<wire::Purpose>,
) -> Result<Json<wire::Material>, Refusal> {
    let (reason, ticket) = (
        why.reason.unwrap_or_default(),
        why.ticket.unwrap_or_default(),
    );
    let wanted = Wanted::named(&resource, &account).because(&reason, &ticket);
    let version = SecretVersion(version);
    let password = desk.vault.earlier(&wanted, version, &asked.caller).await?;
    Ok(Json(wire::Material {
        kind: SecretKind::Password.to_string(),
        name: None,
        content: SecretText::new(Zeroizing::new(password.expose().to_owned())),
    }))
}

pub(crate) async fn change(
    State(desk): State<Desk>,
    Named((resource, account)): Named<(String, String)>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::MaterialChange>,
) -> Result<StatusCode, Refusal> {
    let material = parsed(new.secret)?;
    let (reason, ticket) = (
        new.reason.unwrap_or_default(),
        new.ticket.unwrap_or_default(),
    );
    let wanted = Wanted::named(&resource, &account).because(&reason, &ticket);
    desk.vault
        .change_material(&wanted, material, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads what an account is to keep.
///
/// # Errors
/// [`Refusal`] when it is none of what one may keep.
pub(crate) fn parsed(sent: wire::Material) -> Result<Material, Refusal> {
    let invalid = |error: MaterialError| Refusal::invalid(error.to_string());
    let kind: SecretKind = sent.kind.parse().map_err(|()| unknown())?;
    let (name, content) = (sent.name.unwrap_or_default(), sent.content.expose());
    match kind {
        SecretKind::Password => Err(unknown()),
        SecretKind::File => Material::file(&name, decoded(&content)?).map_err(invalid),
        SecretKind::SshKey => Material::ssh_key(text(content)?).map_err(invalid),
        SecretKind::ApiKey => Material::api_key(&name, text(content)?).map_err(invalid),
    }
}

fn unknown() -> Refusal {
    Refusal::invalid("`kind` is file, ssh-key or api-key")
}

fn decoded(content: &str) -> Result<SecretBytes, Refusal> {
    // Room for all at once: a vector that grew would leave copies behind.
    let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(content.len())]);
    let length = STANDARD
        .decode_slice(content, &mut bytes)
        .map_err(|_| Refusal::invalid("`content` of a file is base64"))?;
    bytes.truncate(length);
    Ok(SecretBytes::new(bytes))
}

fn text(content: Zeroizing<String>) -> Result<Password, Refusal> {
    Password::parse(content).map_err(|error| {
        let words = error.to_string().replace("password", "secret");
        Refusal::invalid(words)
    })
}

fn in_words(material: &Material) -> wire::Material {
    let bytes = material.expose();
    let content = match material.kind() {
        SecretKind::File => STANDARD.encode(bytes),
        // Texts by nature.
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    wire::Material {
        kind: material.kind().to_string(),
        name: material.name().map(ToOwned::to_owned),
        content: SecretText::new(Zeroizing::new(content)),
    }
}
