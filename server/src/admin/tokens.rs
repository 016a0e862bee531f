//! `/v1/users/{login}/tokens`.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use zeroize::Zeroizing;

use crate::admin::asked::{Asked, Named, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::wire::{self, NewToken, Page, SecretText};
use crate::admin::{Desk, moment};
use crate::domain::{Expiry, Token, TokenId, TokenState};
use crate::vault::IssuedToken;

pub(crate) async fn list(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<Page<wire::Token>>, Refusal> {
    let tokens = desk.vault.tokens(&login, &asked.caller).await?;
    Ok(Json(Page::whole(tokens.iter().map(in_words).collect())))
}

pub(crate) async fn issue(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<NewToken>,
) -> Result<Created, Refusal> {
    let expires = expiry(&new)?;
    let issued = desk.vault.issue_token(&login, expires, &asked.caller);
    Ok(shown_once(&issued.await?))
}

pub(crate) async fn regenerate(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<NewToken>,
) -> Result<Created, Refusal> {
    let expires = expiry(&new)?;
    let issued = desk.vault.regenerate_token(&login, expires, &asked.caller);
    Ok(shown_once(&issued.await?))
}

pub(crate) async fn revoke(
    State(desk): State<Desk>,
    Named((login, token)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let id: TokenId = token
        .parse()
        .map_err(|_| Refusal::invalid("a token's id is a number, as the list of tokens has it"))?;
    desk.vault.revoke_token(&login, id, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn expiry(new: &NewToken) -> Result<Option<Expiry>, Refusal> {
    let parse = |text: &str| {
        Expiry::parse(text).map_err(|error| Refusal::invalid(format!("`expires`: {error}")))
    };
    new.expires.as_deref().map(parse).transpose()
}

fn shown_once(issued: &IssuedToken) -> Created {
    let text = Zeroizing::new(issued.text.expose().to_owned());
    let issued = wire::IssuedToken {
        secret: SecretText::new(text),
        token: in_words(&issued.token),
    };
    (StatusCode::CREATED, Json(issued))
}

type Created = (StatusCode, Json<wire::IssuedToken>);

fn in_words(token: &Token) -> wire::Token {
    let state = match token.state {
        TokenState::Live => "live",
        TokenState::Revoked => "revoked",
        TokenState::Expired => "expired",
    };
    wire::Token {
        id: token.id.to_string(),
        issued: moment::to_text(token.issued),
        expires: token.expires.end().map(moment::to_text),
        state: state.to_owned(),
    }
}
