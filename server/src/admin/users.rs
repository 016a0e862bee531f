//! `/v1/users`.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use http::StatusCode;

use crate::admin::asked::{Asked, Named, Paged, Plain, Sent};
use crate::admin::problem::Refusal;
use crate::admin::trusted::{self, Shown};
use crate::admin::wire::{self, BoundCertificate, CreatedUser, NewCertificate, Page};
use crate::admin::{Desk, moment};
use crate::domain::{
    CertBinding, Fingerprint, Lock, Password, Person, Role, Scope, Timestamp, User, UserId,
    UserKind,
};
use crate::vault::{NewPerson, NewUser, UserEdit};

pub(crate) async fn list(
    State(desk): State<Desk>,
    asked: Asked<Paged>,
) -> Result<Json<Page<wire::User>>, Refusal> {
    let limit = asked.query.limit(&desk);
    let after = asked.query.after()?.map(UserId);
    let users = desk.vault.users(after, limit, &asked.caller).await?;
    let last = users.last().map(|user| user.id.0);
    Ok(Json(Page::of(
        users.iter().map(in_words).collect(),
        last,
        limit,
    )))
}

pub(crate) async fn add(
    State(desk): State<Desk>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewUser>,
) -> Result<(StatusCode, Json<CreatedUser>), Refusal> {
    if new.person {
        let user = desk.vault.add_person(&person(new)?, &asked.caller).await?;
        let (user, warnings) = (in_words(&user), Vec::new());
        return Ok((StatusCode::CREATED, Json(CreatedUser { user, warnings })));
    }
    let shown = new
        .certificates
        .iter()
        .map(|pem| Shown::read(pem))
        .collect::<Result<Vec<_>, _>>()?;
    let called: Vec<_> = shown.iter().map(Shown::called).collect();
    let (parsed, start) = (parsed(&new, &shown)?, (Lock::Open, called.as_slice()));
    let made = desk.vault.add_user_with(&parsed, start, &asked.caller);
    let user = made.await?;
    let warnings = trusted::warnings(&shown, user.name.as_str(), &desk, &asked.caller).await?;
    Ok((
        StatusCode::CREATED,
        Json(CreatedUser {
            user: in_words(&user),
            warnings,
        }),
    ))
}

pub(crate) async fn show(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<Json<wire::User>, Refusal> {
    Ok(Json(in_words(
        &desk.vault.user(&login, &asked.caller).await?,
    )))
}

pub(crate) async fn remove(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault.remove_user(&login, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn lock(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .edit_user(&login, &UserEdit::Lock(Lock::Locked), &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn unlock(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    desk.vault
        .edit_user(&login, &UserEdit::Lock(Lock::Open), &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn bind(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<NewCertificate>,
) -> Result<(StatusCode, Json<BoundCertificate>), Refusal> {
    let shown = Shown::read(&new.pem)?;
    let issuer = new.ca == Some(true);
    let print = shown.fingerprint;
    let edits = if issuer {
        vec![UserEdit::Bind(CertBinding::IssuedBy(print))]
    } else {
        let (print, thumbprint) = shown.called();
        let binding = CertBinding::Exactly(print);
        vec![UserEdit::Bind(binding), UserEdit::Note(print, thumbprint)]
    };
    desk.vault
        .edit_user_with(&login, &edits, &asked.caller)
        .await?;
    let warnings = if issuer {
        trusted::root_warnings(&shown, &desk, &asked.caller).await?
    } else {
        let name = User::parse_login(&login).map(|(name, _)| name.to_string());
        let name = name.unwrap_or_default();
        trusted::warnings(std::slice::from_ref(&shown), &name, &desk, &asked.caller).await?
    };
    let certificate = wire::UserCertificate {
        fingerprint: print.to_string(),
        issuer,
    };
    Ok((
        StatusCode::CREATED,
        Json(BoundCertificate {
            certificate,
            warnings,
        }),
    ))
}

pub(crate) async fn unbind(
    State(desk): State<Desk>,
    Named((login, fingerprint)): Named<(String, String)>,
    asked: Asked<Plain>,
) -> Result<StatusCode, Refusal> {
    let thumbprint = fingerprint.trim_start_matches("SHA-1 ").parse();
    let edit = match thumbprint {
        Ok(thumbprint) => UserEdit::UnbindThumbprint(thumbprint),
        Err(()) => UserEdit::Unbind(fingerprint_from(&fingerprint)?),
    };
    desk.vault.edit_user(&login, &edit, &asked.caller).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reads a fingerprint from a path.
///
/// # Errors
/// [`Refusal`] when it is none.
pub(crate) fn fingerprint_from(text: &str) -> Result<Fingerprint, Refusal> {
    text.parse().map_err(|()| {
        Refusal::invalid("a fingerprint is 64 hexadecimal digits, the SHA-256 of a certificate")
    })
}

pub(crate) async fn set_password(
    State(desk): State<Desk>,
    Named(login): Named<String>,
    asked: Asked<Plain>,
    Sent(new): Sent<wire::NewPassword>,
) -> Result<StatusCode, Refusal> {
    let password = Arc::new(password(new.password)?);
    desk.vault
        .set_password(&login, &password, &asked.caller)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

fn password(text: wire::SecretText) -> Result<Password, Refusal> {
    Password::parse(text.expose()).map_err(|error| Refusal::invalid(error.to_string()))
}

/// How far it may go, and until when.
fn reach(new: &wire::NewUser) -> Result<(Role, Scope, Option<Timestamp>), Refusal> {
    let role: Role = new.role.parse().map_err(|()| {
        Refusal::invalid(
            "`role` is administrator, password-administrator, password-auditor or password-user",
        )
    })?;
    let scope = match new.scope.as_deref() {
        None => Scope::Owned,
        Some(word) => word
            .parse()
            .map_err(|()| Refusal::invalid("`scope` is owned or all"))?,
    };
    let expires = match new.expires.as_deref() {
        None => None,
        Some(text) => Some(moment::parse(text).ok_or_else(|| {
            Refusal::invalid("`expires` is a time with its zone, like 2027-01-31T12:00:00Z")
        })?),
    };
    Ok((role, scope, expires))
}

fn person(new: wire::NewUser) -> Result<NewPerson, Refusal> {
    let (role, scope, expires) = reach(&new)?;
    if new.any_host || !new.certificates.is_empty() {
        return Err(Refusal::invalid(
            "`any_host` and `certificates` are for programs: a person signs in",
        ));
    }
    let given = new
        .password
        .ok_or_else(|| Refusal::invalid("a person needs a `password` to sign in with"))?;
    Ok(NewPerson {
        name: new.login,
        role,
        scope,
        first: new.first_name.unwrap_or_default(),
        last: new.last_name.unwrap_or_default(),
        email: new.email.unwrap_or_default(),
        full_name: new.full_name,
        department: new.department.unwrap_or_default(),
        location: new.location.unwrap_or_default(),
        expires,
        second_factor: new.second_factor,
        password: Arc::new(password(given)?),
    })
}

fn parsed(new: &wire::NewUser, shown: &[Shown]) -> Result<NewUser, Refusal> {
    let (role, scope, expires) = reach(new)?;
    let personal = [&new.first_name, &new.last_name, &new.email];
    if new.password.is_some() || personal.iter().any(|member| member.is_some()) {
        return Err(Refusal::invalid(
            "`password`, `first_name`, `last_name` and `email` are for persons",
        ));
    }
    Ok(NewUser {
        login: new.login.clone(),
        role,
        scope,
        full_name: new.full_name.clone(),
        any_host: new.any_host,
        certificates: shown
            .iter()
            .map(|one| CertBinding::Exactly(one.fingerprint))
            .collect(),
        department: new.department.clone().unwrap_or_default(),
        location: new.location.clone().unwrap_or_default(),
        expires,
    })
}

/// A user as the API shows it.
pub(crate) fn in_words(user: &User) -> wire::User {
    let (api, any_host, certificates) = match &user.kind {
        UserKind::Api {
            any_host,
            certificates,
            ..
        } => (true, *any_host, certificates.as_slice()),
        UserKind::Person(_) => (false, true, [].as_slice()),
    };
    let person = match &user.kind {
        UserKind::Api { .. } => Person::default(),
        UserKind::Person(person) => person.clone(),
    };
    wire::User {
        id: user.id.to_string(),
        login: user.login(),
        api,
        any_host,
        full_name: user.full_name.as_str().to_owned(),
        first_name: person.first.as_str().to_owned(),
        last_name: person.last.as_str().to_owned(),
        email: person.email.as_str().to_owned(),
        role: user.role.to_string(),
        scope: user.scope.as_str().to_owned(),
        department: user.department.as_str().to_owned(),
        location: user.location.as_str().to_owned(),
        locked: user.lock == Lock::Locked,
        expires: user.expires.map(moment::to_text),
        created: moment::to_text(user.created),
        certificates: certificates.iter().map(binding_in_words).collect(),
    }
}

fn binding_in_words(binding: &CertBinding) -> wire::UserCertificate {
    let (fingerprint, issuer) = match binding {
        CertBinding::Exactly(print) => (print.to_string(), false),
        CertBinding::IssuedBy(print) => (print.to_string(), true),
        CertBinding::Thumbprint { thumbprint, seen } => match seen {
            Some(print) => (print.to_string(), false),
            None => (format!("SHA-1 {thumbprint}"), false),
        },
    };
    wire::UserCertificate {
        fingerprint,
        issuer,
    }
}
