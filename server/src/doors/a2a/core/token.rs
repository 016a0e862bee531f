//! `Token`: a log-in's word for the token of its session, and the end of that.

use http::{Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::domain::ApiToken;
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::login::Hidden;
use crate::doors::a2a::core::nothing_there;
use crate::doors::a2a::reply::{INVALID, Refusal, Reply, no_content, ok};
use crate::vault::{SignedIn, VaultError};

/// What a log-in is exchanged by. There is no `Debug`: it holds a secret.
#[derive(Deserialize)]
struct Exchange {
    #[serde(rename = "StsAccessToken", alias = "stsAccessToken")]
    word: Option<Hidden>,
}

/// What a log-in ends with. Clients look for a comma behind the token.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LoginResponse<'a> {
    status: &'static str,
    user_token: &'a str,
    primary_provider_id: Option<&'a str>,
    secondary_provider_id: Option<&'a str>,
    /// Minutes.
    web_client_inactivity_timeout: i64,
    desktop_client_inactivity_timeout: i64,
}

/// Answers what is below `Token`.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    match (rest, &asked.method) {
        (["loginresponse"], &Method::POST) => exchange(asked).await,
        (["logout"], &Method::POST) => log_out(asked).await,
        _ => Err(nothing_there()),
    }
}

async fn exchange(asked: &Asked<'_>) -> Reply {
    let shown = asked.json::<Exchange>()?.word;
    let token = shown.and_then(|word| ApiToken::parse(word.expose().trim()).ok());
    let found = token.and_then(|token| asked.door.vault.fetch(&token));
    let Some(signed_in) = found else {
        return Err(unknown(asked).await);
    };
    let left = minutes_left(&signed_in, asked);
    Ok(ok(&LoginResponse {
        status: "Success",
        user_token: signed_in.token.expose(),
        primary_provider_id: None,
        secondary_provider_id: None,
        web_client_inactivity_timeout: left,
        desktop_client_inactivity_timeout: left,
    }))
}

fn minutes_left(signed_in: &SignedIn, asked: &Asked<'_>) -> i64 {
    let now = asked.door.vault.now();
    signed_in.until.0.saturating_sub(now.0) / 60_000
}

/// Writes down that somebody showed a word that leads nowhere.
async fn unknown(asked: &Asked<'_>) -> Refusal {
    let address = asked.guest.address();
    if asked.door.strangers.too_many(address) {
        return Refusal::crowd();
    }
    asked.door.strangers.count(address);
    let origin = asked.guest.origin(asked);
    let told = asked
        .door
        .vault
        .turn_away_untold("(STS access token)", &origin)
        .await;
    match told {
        VaultError::Unidentified(_) => Refusal::new(StatusCode::BAD_REQUEST, INVALID, UNKNOWN),
        other => asked.refused(other),
    }
}

async fn log_out(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let done = asked.door.vault.sign_out(&caller).await;
    done.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

const UNKNOWN: &str = "The StsAccessToken is unknown, has been used, or has run out: log in again.";
