//! `/v1/session`: signing in, looking who one is, signing out.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use zeroize::Zeroizing;

use crate::admin::asked::{Asked, Plain, Sent, Whence};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, NewSession, SecretText};
use crate::admin::{Desk, moment};
use crate::domain::{OneTimeCode, Password};
use crate::vault::{Caller, PasswordCredential, VaultError};

pub(crate) async fn open(
    State(desk): State<Desk>,
    Whence(origin): Whence,
    Sent(new): Sent<NewSession>,
) -> Result<(StatusCode, Json<wire::Session>), Refusal> {
    let shown = credential(new)?;
    let signed_in = match desk.vault.sign_in(shown, &origin).await {
        Ok(signed_in) => signed_in,
        Err(VaultError::Unidentified(words)) => return Err(Refusal::unknown(words)),
        Err(other) => return Err(other.into()),
    };
    let text = Zeroizing::new(signed_in.token.expose().to_owned());
    let session = wire::Session {
        token: SecretText::new(text),
        expires: moment::to_text(signed_in.until),
        who: in_words(&signed_in.caller),
    };
    Ok((StatusCode::CREATED, Json(session)))
}

pub(crate) async fn show(asked: Asked<Plain>) -> Json<wire::SignedIn> {
    Json(in_words(&asked.caller))
}

pub(crate) async fn close(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.sign_out(&asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn credential(new: NewSession) -> Result<PasswordCredential, Refusal> {
    let password = Password::parse(new.password.expose())
        .map_err(|error| Refusal::invalid(format!("`password`: {error}")))?;
    let code = new.code.map(|code| {
        let code = OneTimeCode::parse(&code.expose());
        code.map_err(|error| Refusal::invalid(format!("`code`: {error}")))
    });
    Ok(PasswordCredential {
        organisation: new.organisation,
        name: new.name,
        password: Arc::new(password),
        code: code.transpose()?.map(Arc::new),
    })
}

fn in_words(caller: &Caller) -> wire::SignedIn {
    wire::SignedIn {
        login: caller.login().to_owned(),
        role: caller.role().to_string(),
        organisation: caller.organisation().to_owned(),
    }
}
