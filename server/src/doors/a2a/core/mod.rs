//! The service in which programs, their users and what they may retrieve are registered.
//!
//! `login` and `token` let people and programs in, `registrations`, `retrievable` and `broker` say
//! which programs there are and what their keys are for, `trusted` which certificates count and
//! `appliance` whether the service runs at all. `users`, `assets` and `accounts`
//! are what a set-up script makes first, `roles` and `policies` say who may request what, `requests` is
//! asking for it. `query` is what may be said about every list.

mod accounts;
mod admin_roles;
mod appliance;
mod assets;
mod broker;
mod listing;
pub(super) mod login;
mod members;
mod platforms;
mod policies;
mod query;
mod registrations;
mod request_types;
pub(super) mod requests;
mod retrievable;
mod roles;
mod times;
mod token;
mod trusted;
mod users;

use crate::doors::a2a::Asked;
use crate::doors::a2a::exchange::astray;
use crate::doors::a2a::path::{Lost, Service};
use crate::doors::a2a::reply::{Refusal, Reply};
use crate::vault::VaultError;

/// Answers what is below `/service/core` and `/service/appliance`.
pub(super) async fn answer(asked: &Asked<'_>) -> Reply {
    let path = asked.target.lower();
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    match (asked.target.service, path.as_slice()) {
        (Service::Appliance, rest) => appliance::answer(asked, rest).await,
        (_, ["authenticationproviders"]) => login::providers(asked).await,
        (_, ["loginmessage"]) => appliance::message(asked).await,
        (_, ["token", rest @ ..]) => token::answer(asked, rest).await,
        (_, ["a2aregistrations", rest @ ..]) => registrations::answer(asked, rest).await,
        (_, ["trustedcertificates", rest @ ..]) => trusted::answer(asked, rest).await,
        (_, ["me"]) => users::me(asked).await,
        (_, ["users", rest @ ..]) => users::answer(asked, rest).await,
        (_, ["assets", rest @ ..]) => assets::answer(asked, rest).await,
        (_, ["assetaccounts", rest @ ..]) => accounts::answer(asked, rest).await,
        (_, ["roles", rest @ ..]) => roles::answer(asked, rest).await,
        (_, ["accesspolicies", rest @ ..]) => policies::answer(asked, rest).await,
        (_, ["accessrequests", rest @ ..]) => requests::answer(asked, rest).await,
        _ => Err(nothing_there()),
    }
}

impl Asked<'_> {
    /// What the caller is told of what the vault refuses.
    fn refused(&self, error: VaultError) -> Refusal {
        self.door.refusal(error, self.request)
    }
}

fn nothing_there() -> Refusal {
    astray(Lost::Nothing)
}
