//! `A2ARegistrations`: programs that may come with a certificate and API keys.

use http::Method;
use http::header::AUTHORIZATION;
use serde::Serialize;

use crate::domain::{ApplicationId, Lock, Thumbprint, Timestamp, UserId};
use crate::doors::a2a::Asked;
use crate::doors::a2a::core::listing::{self, list, wish};
use crate::doors::a2a::core::members::Members;
use crate::doors::a2a::core::query::{MOST_READ, Row, Table};
use crate::doors::a2a::core::{broker, nothing_there, retrievable, times};
use crate::doors::a2a::reply::{Refusal, Reply, no_content};
use crate::vault::{Caller, NewRegistration, RegistrationView};

/// A registration as it is shown.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Registration {
    id: u64,
    app_name: String,
    description: String,
    disabled: bool,
    visible_to_certificate_users: bool,
    bidirectional_enabled: bool,
    /// -1 is one that was removed.
    certificate_user_id: i64,
    #[serde(rename = "CertificateUserThumbPrint")]
    thumbprint: Option<String>,
    certificate_user: String,
    created_date: String,
    /// -1 is the operator on the machine.
    created_by_user_id: i64,
    created_by_user_display_name: String,
}

static TABLE: Table = Table {
    names: &[
        "Id",
        "AppName",
        "Description",
        "Disabled",
        "VisibleToCertificateUsers",
        "BidirectionalEnabled",
        "CertificateUserId",
        "CertificateUserThumbPrint",
        "CertificateUser",
        "CreatedDate",
        "CreatedByUserId",
        "CreatedByUserDisplayName",
    ],
    renamed: &[],
    aliases: &[],
};

/// Answers what is below `A2ARegistrations`.
pub(super) async fn answer(asked: &Asked<'_>, rest: &[&str]) -> Reply {
    let Some((first, within)) = rest.split_first() else {
        return match asked.method {
            Method::GET => all(asked).await,
            Method::POST => add(asked).await,
            _ => Err(nothing_there()),
        };
    };
    let id = ApplicationId(first.parse().map_err(|_| nothing_there())?);
    match within {
        [] => match asked.method {
            Method::GET => show(id, asked).await,
            Method::PUT => put(id, asked).await,
            Method::DELETE => remove(id, asked).await,
            _ => Err(nothing_there()),
        },
        ["retrievableaccounts", rest @ ..] => retrievable::answer(id, asked, rest).await,
        ["accessrequestbroker", rest @ ..] => broker::answer(id, asked, rest).await,
        _ => Err(nothing_there()),
    }
}

/// Whoever reads: by token, or by certificate alone, where it says `A2A` or nothing of itself.
pub(super) async fn reader(asked: &Asked<'_>) -> Result<Caller, Refusal> {
    let says = asked
        .headers
        .get(AUTHORIZATION)
        .map(http::HeaderValue::as_bytes);
    let by_token = says.is_some_and(|says| {
        says.get(..3)
            .is_none_or(|scheme| !scheme.eq_ignore_ascii_case(b"A2A"))
    });
    match by_token {
        true => asked.guest.by_bearer(asked).await,
        false => asked.guest.by_certificate(asked).await,
    }
}

async fn all(asked: &Asked<'_>) -> Reply {
    let caller = reader(asked).await?;
    let wish = wish(asked, &TABLE)?;
    let vault = &asked.door.vault;
    let views = vault.registrations(None, MOST_READ + 1, &caller).await;
    let views = views.map_err(|error| asked.refused(error))?;
    let now = vault.now();
    list(wish, views, move |view| Row::of(&in_words(view, now))).await
}

async fn show(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = reader(asked).await?;
    let view = asked.door.vault.registration(id, &caller).await;
    told(asked, &view.map_err(|error| asked.refused(error))?)
}

async fn add(asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let new = meant(&Members::read(asked)?)?;
    let view = asked.door.vault.add_registration(&new, &caller).await;
    let view = view.map_err(|error| asked.refused(error))?;
    listing::new(asked, &TABLE, &in_words(&view, asked.door.vault.now()))
}

async fn put(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let members = Members::read(asked)?;
    members.must_be(&["Id"], id.0)?;
    let (new, vault) = (meant(&members)?, &asked.door.vault);
    let view = vault.put_shown_registration(id, &new, &caller).await;
    told(asked, &view.map_err(|error| asked.refused(error))?)
}

async fn remove(id: ApplicationId, asked: &Asked<'_>) -> Reply {
    let caller = asked.guest.by_bearer(asked).await?;
    let done = asked.door.vault.remove_registration(id, &caller).await;
    done.map_err(|error| asked.refused(error))?;
    Ok(no_content())
}

fn told(asked: &Asked<'_>, view: &RegistrationView) -> Reply {
    listing::one(asked, &TABLE, &in_words(view, asked.door.vault.now()))
}

fn meant(members: &Members) -> Result<NewRegistration, Refusal> {
    let name = members.text(&["AppName"])?.unwrap_or_default();
    if name.is_empty() || name.chars().count() > LONGEST {
        let why = format!("The AppName field is required and has up to {LONGEST} characters.");
        return Err(Refusal::field("entity.AppName", why));
    }
    let description = members.text(&["Description"])?.unwrap_or_default();
    if description.chars().count() > LONGEST {
        let why = format!("A description has up to {LONGEST} characters.");
        return Err(Refusal::field("entity.Description", why));
    }
    Ok(NewRegistration {
        name,
        description,
        user: members.id(&["CertificateUserId"])?.map(UserId),
        lock: match members.truth(&["Disabled"])? {
            true => Lock::Locked,
            false => Lock::Open,
        },
        visible: members.truth(&["VisibleToCertificateUsers"])?,
        bidirectional: members.truth(&["BidirectionalEnabled"])?,
    })
}

/// Whether its user is there and may come.
fn stands(view: &RegistrationView, now: Timestamp) -> bool {
    view.user
        .as_ref()
        .is_some_and(|user| user.lock == Lock::Open && user.expires.is_none_or(|end| now < end))
}

fn in_words(view: &RegistrationView, now: Timestamp) -> Registration {
    let (application, user) = (&view.application, view.user.as_ref());
    let kept_out = application.lock == Lock::Locked || !stands(view, now);
    let author = application.author.map(|id| id.0);
    Registration {
        id: application.id.0,
        app_name: application.name.to_string(),
        description: application.description.as_str().to_owned(),
        disabled: kept_out,
        visible_to_certificate_users: application.visible,
        bidirectional_enabled: application.bidirectional,
        certificate_user_id: user
            .and_then(|user| i64::try_from(user.id.0).ok())
            .unwrap_or(-1),
        thumbprint: view.thumbprint.as_ref().map(Thumbprint::to_string),
        certificate_user: user.map_or_else(String::new, |user| user.name.to_string()),
        created_date: times::to_text(application.created),
        created_by_user_id: author.and_then(|id| i64::try_from(id).ok()).unwrap_or(-1),
        created_by_user_display_name: match (&view.author, author) {
            (Some(login), _) => login.clone(),
            (None, None) => "operator".to_owned(),
            (None, Some(_)) => String::new(),
        },
    }
}

/// Characters of a name or description.
const LONGEST: usize = 255;
