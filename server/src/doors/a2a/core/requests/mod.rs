//! `AccessRequests`: asked for, decided about, checked out and in; by whoever wants it, and by a
//! broker in its name.
//!
//! `body` reads what is asked for, `seek` finds the one user, asset and account that are meant,
//! `shown` is the form of a request.

mod body;
mod seek;
mod shown;

use http::{Method, StatusCode};
use serde::Serialize;

use crate::domain::{SecretKind, State};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::listing::{self, list, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::nothing_there;
use crate::doors::a2a::core::query::{MOST_READ, Row};
use crate::doors::a2a::core::requests::body::Body;
use crate::doors::a2a::core::requests::seek::{account, asset, user};
use crate::doors::a2a::core::requests::shown::{Shown, TABLE};
use crate::doors::a2a::reply::{OVERLAP, Refusal, Reply, ok, sentence};
use crate::vault::{
    AccountRef, Caller, Keyed, REQUESTED, RequestPlace, RequestView, ResourceRef, UserRef,
    VaultError, Wanted,
};

/// Answers what is below `AccessRequests` of the Core service.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let Some((first, within)) = rest.split_first() else {
        return match asked.method {
            Method::GET => all(asked, &caller).await,
            Method::POST => {
                let body = Body::of(&Members::read(asked)?)?;
                let view = raise(&body, asked, &caller).await?;
                told(view, None, (asked, &caller)).await
            }
            _ => Err(nothing_there()),
        };
    };
    let place = first.parse().map_err(|()| nothing_there())?;
    match (within, &asked.method) {
        ([], &Method::GET) => {
            let view = seen(place, asked, &caller).await?;
            told(view, None, (asked, &caller)).await
        }
        ([step], &Method::POST) => act(place, step, asked, &caller).await,
        _ => Err(nothing_there()),
    }
}

/// Raises a request in somebody else's name, for whoever came by a broker's key.
///
/// # Errors
/// 400 where the user, the asset or the account is none, or not just one; 403 for a user in whose
/// name it may not.
pub(in crate::doors::a2a) async fn for_another(asked: &Asked<'_>, keyed: &Keyed) -> Reply {
    let body = Body::of(&Members::read(asked)?)?;
    let caller = user(&body, asked, keyed).await?;
    let view = raise(&body, asked, &caller).await?;
    let mut response = told(view, None, (asked, &caller)).await?;
    *response.status_mut() = StatusCode::CREATED;
    Ok(response)
}

async fn all(asked: &Asked<'_>, caller: &Caller) -> Reply {
    let wish = wish(asked, &TABLE)?;
    let views = asked
        .door
        .vault
        .requests_seen(None, MOST_READ + 1, caller)
        .await;
    let views = views.map_err(|error| asked.refused(error))?;
    list(wish, shown(&views, asked, caller).await?, Row::of).await
}

async fn raise(body: &Body, asked: &Asked<'_>, caller: &Caller) -> Result<RequestView, Refusal> {
    let resource = asset(body, asked, caller).await?;
    let account = account(&resource, body, asked, caller).await?;
    let wanted = Wanted::of(ResourceRef::Id(resource.id), AccountRef::Id(account.id))
        .because(&body.reason, &body.ticket);
    let vault = &asked.door.vault;
    let longest = vault.longest_hold(resource.id, account.id).await;
    let longest = longest.map_err(|error| asked.refused(error))?;
    let window = body.window(vault.now(), longest)?;
    let raised = vault.request_within(&wanted, (None, window), caller);
    raised.await.map_err(|error| overlaps(error, asked))?;
    let user = caller.user().ok_or_else(nothing_there)?;
    seen(RequestPlace(resource.id, account.id, user), asked, caller).await
}

/// What whoever asks for the same again is told.
fn overlaps(error: VaultError, asked: &Asked<'_>) -> Refusal {
    match error {
        VaultError::Invalid(why) if why == REQUESTED => {
            Refusal::new(StatusCode::CONFLICT, OVERLAP, sentence(&why))
        }
        other => asked.refused(other),
    }
}

/// What is somebody else's to do, refused on the record.
async fn others(asked: &Asked<'_>, caller: &Caller) -> Refusal {
    let vault = &asked.door.vault;
    match vault.means_nothing("somebody else's request", caller).await {
        VaultError::Invalid(_) => Refusal::forbidden("It is somebody else's request."),
        other => asked.refused(other),
    }
}

/// One step of a request.
async fn act(place: RequestPlace, step: &str, asked: &Asked<'_>, caller: &Caller) -> Reply {
    let comment = asked.json_if_any::<Option<String>>()?.flatten();
    let comment = comment.unwrap_or_default();
    let view = seen(place, asked, caller).await?;
    let own = caller.user() == Some(place.2);
    let held = matches!(view.request.state, State::CheckedOut { .. });
    let RequestPlace(resource, account, user) = place;
    let wanted = Wanted::of(ResourceRef::Id(resource), AccountRef::Id(account));
    let wanted = wanted.because(&comment, "");
    let (vault, user) = (&asked.door.vault, UserRef::Id(user));
    let ended = match step {
        "approve" => {
            let done = vault.approve(&wanted, user, caller).await;
            done.map_err(|error| asked.refused(error))?;
            return told(seen(place, asked, caller).await?, None, (asked, caller)).await;
        }
        "deny" => (vault.reject(&wanted, user, caller).await, "Denied"),
        "cancel" | "close" if own && !held => (vault.withdraw(&wanted, caller).await, "Canceled"),
        "checkin" | "close" if own => {
            let done = vault.check_in(&wanted, caller).await;
            (done.map(drop), "RequestCheckedIn")
        }
        "close" if !held => (vault.reject(&wanted, user, caller).await, "Closed"),
        "checkin" | "close" => (vault.check_in_for(&wanted, user, caller).await, "Closed"),
        "cancel" | "checkoutpassword" | "checkoutsshkey" if !own => {
            return Err(others(asked, caller).await);
        }
        "cancel" => (Err(VaultError::Held), ""),
        "checkoutpassword" => {
            return check_out(&view, SecretKind::Password, asked, caller).await;
        }
        "checkoutsshkey" => {
            return check_out(&view, SecretKind::SshKey, asked, caller).await;
        }
        _ => return Err(nothing_there()),
    };
    ended.0.map_err(|error| asked.refused(error))?;
    told(view, Some(ended.1), (asked, caller)).await
}

/// An SSH key as it is given out.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Key<'a> {
    private_key: &'a str,
    passphrase: &'a str,
}

/// The secret of an approved request, which is held from then on; again where it is held already.
async fn check_out(
    view: &RequestView,
    kind: SecretKind,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Reply {
    if view.kind != kind {
        return Err(Refusal::invalid(
            "The request is for another type of secret.",
        ));
    }
    let request = &view.request;
    let (resource, account) = (ResourceRef::Id(request.resource), request.account);
    let wanted = Wanted::of(resource, account).because(&request.reason, &request.ticket);
    let vault = &asked.door.vault;
    match vault.check_out(&wanted, None, caller).await {
        Ok(_) | Err(VaultError::Held) => {}
        Err(error) => return Err(asked.refused(error)),
    }
    let secret = vault.retrieve(&wanted, caller).await;
    let secret = secret.map_err(|error| asked.refused(error))?;
    Ok(match kind {
        SecretKind::SshKey => ok(&Key {
            private_key: secret.expose(),
            passphrase: "",
        }),
        SecretKind::Password | SecretKind::ApiKey | SecretKind::File => ok(&secret.expose()),
    })
}

async fn seen(
    place: RequestPlace,
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<RequestView, Refusal> {
    let view = asked.door.vault.request_at(place, caller).await;
    view.map_err(|error| asked.refused(error))
}

/// A request, in the state that it has or, where it is over, that it ended in.
async fn told(
    view: RequestView,
    ended: Option<&'static str>,
    (asked, caller): (&Asked<'_>, &Caller),
) -> Reply {
    let mut rows = shown(&[view], asked, caller).await?;
    let mut row = rows.pop().ok_or_else(nothing_there)?;
    if let Some(ended) = ended {
        row.end(ended);
    }
    listing::one(asked, &TABLE, &row)
}

async fn shown(
    views: &[RequestView],
    asked: &Asked<'_>,
    caller: &Caller,
) -> Result<Vec<Shown>, Refusal> {
    let vault = &asked.door.vault;
    let accounts: Vec<_> = views.iter().map(|view| view.request.account).collect();
    let policies = vault.policies_over(&accounts, caller).await;
    let policies = policies.map_err(|error| asked.refused(error))?;
    let now = vault.now();
    let one = |view: &RequestView| Shown::of(view, policies.get(&view.request.account), now);
    Ok(views.iter().map(one).collect())
}
