//! Logging in: by name and password, or by certificate, as OAuth 2.0 writes it (RFC 6749).

use std::sync::Arc;

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{Method, Response, StatusCode};
use serde::{Deserialize, Deserializer, Serialize};
use zeroize::Zeroizing;

use crate::domain::{OneTimeCode, Password};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::listing::{list, wish};
use crate::doors::a2a::core::nothing_there;
use crate::doors::a2a::core::query::{Row, Table};
use crate::doors::a2a::path::Query;
use crate::doors::a2a::reply::{Refusal, Reply, json, ok, sentence};
use crate::vault::{PasswordCredential, SignedIn, VaultError};

/// A way to log in.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Provider {
    id: i64,
    name: &'static str,
    type_reference_name: &'static str,
    rsts_provider_id: &'static str,
    rsts_provider_scope: &'static str,
}

const LOCAL: Provider = Provider {
    id: -1,
    name: "Local",
    type_reference_name: "Local",
    rsts_provider_id: "local",
    rsts_provider_scope: "rsts:sts:primaryproviderid:local",
};
const CERTIFICATE: Provider = Provider {
    id: -2,
    name: "Certificate",
    type_reference_name: "Certificate",
    rsts_provider_id: "certificate",
    rsts_provider_scope: "rsts:sts:primaryproviderid:certificate",
};

static TABLE: Table = Table {
    names: &[
        "Id",
        "Name",
        "TypeReferenceName",
        "RstsProviderId",
        "RstsProviderScope",
    ],
    renamed: &[],
    aliases: &[],
};

/// What somebody logs in with. There is no `Debug`: it holds a password.
#[derive(Deserialize)]
struct Grant {
    grant_type: String,
    #[serde(default)]
    scope: Option<String>,
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    password: Option<Hidden>,
    /// The code of a second factor: an addition of our own.
    #[serde(default)]
    code: Option<Hidden>,
}

/// A secret in a body: wiped on drop.
pub(super) struct Hidden(Zeroizing<String>);

impl Hidden {
    pub(super) fn expose(&self) -> &str {
        &self.0
    }
}

impl<'de> Deserialize<'de> for Hidden {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// What the token service answers. Clients look for a comma behind the token.
#[derive(Serialize)]
struct Granted<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: i64,
    scope: &'static str,
}

/// Why it gives no token (RFC 6749 §5.2).
#[derive(Debug, Serialize)]
struct Denied {
    error: &'static str,
    error_description: String,
}

/// A log-in that fails: as OAuth has it, or as every other request.
enum No {
    Denied(StatusCode, Denied),
    Refused(Refusal),
}

impl No {
    fn invalid(error: &'static str, description: impl Into<String>) -> Self {
        let error_description = description.into();
        let denied = Denied {
            error,
            error_description,
        };
        Self::Denied(StatusCode::BAD_REQUEST, denied)
    }
}

impl From<Refusal> for No {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Lists the ways to log in, to anybody.
pub(super) async fn providers(asked: &Asked<'_>) -> Reply {
    match asked.method {
        Method::GET => {
            let providers = vec![LOCAL, CERTIFICATE];
            list(wish(asked, &TABLE)?, providers, Row::of).await
        }
        _ => Err(nothing_there()),
    }
}

/// Answers what is below `/RSTS`.
pub(in crate::doors::a2a) async fn answer(asked: &Asked<'_>) -> Reply {
    let path = asked.target.lower();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (path.as_slice(), &asked.method) {
        (["oauth2", "token"], &Method::POST) => match log_in(asked).await {
            Ok(response) => Ok(response),
            Err(No::Denied(status, denied)) => Ok(json(status, &denied)),
            Err(No::Refused(refusal)) => in_words_of_oauth(refusal),
        },
        _ => Err(nothing_there()),
    }
}

/// A body that cannot be read, or a certificate that does not count, as OAuth says it; other
/// refusals have no word there.
fn in_words_of_oauth(refusal: Refusal) -> Reply {
    let error = match refusal.status.as_u16() {
        400 | 415 => "invalid_request",
        401 => "invalid_client",
        _ => return Err(refusal),
    };
    let denied = Denied {
        error,
        error_description: refusal.message,
    };
    Ok(json(refusal.status, &denied))
}

async fn log_in(asked: &Asked<'_>) -> Result<Response<Body>, No> {
    let grant = read(asked)?;
    let provider = match grant.grant_type.as_str() {
        "password" => LOCAL,
        "client_credentials" => CERTIFICATE,
        _ => return Err(No::invalid("unsupported_grant_type", GRANTS)),
    };
    let scope = grant
        .scope
        .as_deref()
        .map(str::trim)
        .filter(|scope| !scope.is_empty());
    if scope.is_some_and(|scope| !scope.eq_ignore_ascii_case(provider.rsts_provider_scope)) {
        let only = format!(
            "The scope for this grant is {}.",
            provider.rsts_provider_scope
        );
        return Err(No::invalid("invalid_scope", only));
    }
    let signed_in = match provider.id == LOCAL.id {
        true => by_password(grant, asked).await?,
        false => by_certificate(asked).await?,
    };
    let vault = &asked.door.vault;
    let waiting = vault.set_aside(signed_in);
    let waiting = waiting.map_err(|error| asked.refused(error))?;
    let left = waiting.until.0.saturating_sub(vault.now().0) / 1000;
    Ok(ok(&Granted {
        access_token: waiting.token.expose(),
        token_type: "Bearer",
        expires_in: left,
        scope: provider.rsts_provider_scope,
    }))
}

/// What came along, as JSON or as OAuth's own form.
fn read(asked: &Asked<'_>) -> Result<Grant, No> {
    let kind = asked
        .headers
        .get(CONTENT_TYPE)
        .map(http::HeaderValue::as_bytes);
    let form = kind.is_some_and(|kind| {
        let begin = kind.get(..FORM.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(FORM))
    });
    if !form {
        return Ok(asked.json()?);
    }
    let text = std::str::from_utf8(&asked.body).ok();
    let form = text.and_then(Query::read);
    let form = form.ok_or_else(|| No::invalid("invalid_request", "The form cannot be read."))?;
    let owned = |name| form.get(name).map(str::to_owned);
    let hidden = |name| {
        form.get(name)
            .map(|text| Hidden(Zeroizing::new(text.to_owned())))
    };
    Ok(Grant {
        grant_type: owned("grant_type").unwrap_or_default(),
        scope: owned("scope"),
        username: owned("username"),
        password: hidden("password"),
        code: hidden("code"),
    })
}

async fn by_password(grant: Grant, asked: &Asked<'_>) -> Result<SignedIn, No> {
    let address = asked.guest.address();
    if asked.door.strangers.too_many_near(address) {
        return Err(Refusal::crowd().into());
    }
    let shown = credential(grant)?;
    let origin = asked.guest.origin(asked);
    match asked.door.vault.sign_in(shown, &origin).await {
        Ok(signed_in) => Ok(signed_in),
        Err(VaultError::Unidentified(words)) => {
            asked.door.strangers.count(address);
            Err(No::invalid("invalid_grant", sentence(&words)))
        }
        Err(other) => Err(asked.refused(other).into()),
    }
}

fn credential(grant: Grant) -> Result<PasswordCredential, No> {
    let (Some(name), Some(password)) = (grant.username, grant.password) else {
        let words = "This grant needs `username` and `password`.";
        return Err(No::invalid("invalid_request", words));
    };
    let password = Password::parse(password.0)
        .map_err(|error| No::invalid("invalid_request", sentence(&error.to_string())))?;
    let code = grant.code.map(|code| {
        let code = OneTimeCode::parse(code.expose());
        code.map_err(|error| No::invalid("invalid_request", sentence(&error.to_string())))
    });
    let (organisation, name) = match name.split_once('/') {
        Some((organisation, name)) => (Some(organisation.to_owned()), name.to_owned()),
        None => (None, name),
    };
    Ok(PasswordCredential {
        organisation,
        name,
        password: Arc::new(password),
        code: code.transpose()?.map(Arc::new),
    })
}

async fn by_certificate(asked: &Asked<'_>) -> Result<SignedIn, No> {
    let Some(shown) = asked.guest.credential(asked).await? else {
        let denied = Denied {
            error: "invalid_client",
            error_description: NO_CERTIFICATE.to_owned(),
        };
        return Err(No::Denied(StatusCode::UNAUTHORIZED, denied));
    };
    // A certificate that is trusted and nobody's is a stranger's, too.
    if asked.door.strangers.too_many_near(asked.guest.address()) {
        return Err(Refusal::crowd().into());
    }
    let origin = asked.guest.origin(asked);
    match asked
        .door
        .vault
        .sign_in_with_certificate(&shown, &origin)
        .await
    {
        Ok(signed_in) => Ok(signed_in),
        Err(VaultError::Unidentified(words)) => {
            asked.door.strangers.count(asked.guest.address());
            let error_description = sentence(&words);
            let denied = Denied {
                error: "invalid_client",
                error_description,
            };
            Err(No::Denied(StatusCode::UNAUTHORIZED, denied))
        }
        Err(other) => Err(asked.refused(other).into()),
    }
}

const FORM: &[u8] = b"application/x-www-form-urlencoded";
const GRANTS: &str = "The grants are `password` and `client_credentials`.";
const NO_CERTIFICATE: &str = "This grant needs a client certificate on the connection.";
