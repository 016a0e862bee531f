//! Secrets for whoever shows a certificate and the API key of an account, and new ones from them.

use axum::body::Body;
use http::header::ACCEPT;
use http::{HeaderMap, Method, Response};
use serde::Serialize;
use serde::ser::Serializer;
use zeroize::Zeroizing;

use crate::domain::{AccountId, AccountName, Material, ResourceId, SecretKind, beside};
use crate::doors::a2a::Asked;
use crate::doors::a2a::body;
use crate::doors::a2a::exchange::astray;
use crate::doors::a2a::path::Lost;
use crate::doors::a2a::private_key::{Facts, NewKey};
use crate::doors::a2a::reply::{NO_PASSWORD_SENT, Refusal, Reply, no_content, ok, plain};
use crate::vault::{
    AccountRef, Caller, KeyOf, Keyed, NewPassword, Reach, ResourceRef, VaultError, Wanted,
};

/// Answers what is below `Credentials`.
pub(super) async fn answer(asked: &Asked<'_>) -> Reply {
    let words = asked.target.lower();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match (&asked.method, words.as_slice()) {
        (&Method::GET, ["credentials"]) => retrieve(asked).await,
        (&Method::PUT, ["credentials", "password"]) => put_password(asked).await,
        (&Method::PUT, ["credentials", "sshkey"]) => put_key(asked).await,
        _ => Err(astray(Lost::Nothing)),
    }
}

/// The account that an API key is for.
struct Place {
    resource: ResourceId,
    account: AccountId,
    name: AccountName,
    kind: SecretKind,
    bidirectional: bool,
}

impl Place {
    fn of(keyed: &Keyed) -> Result<Self, Refusal> {
        match &keyed.of {
            KeyOf::Account {
                resource,
                account,
                name,
                kind,
                bidirectional,
            } => Ok(Self {
                resource: *resource,
                account: *account,
                name: name.clone(),
                kind: *kind,
                bidirectional: *bidirectional,
            }),
            KeyOf::Broker { .. } => Err(Refusal::forbidden(
                "This API key is a broker's, and for access requests alone.",
            )),
        }
    }

    /// The account itself.
    fn wanted(&self) -> Wanted<'static> {
        wanted(self.resource, AccountRef::Id(self.account))
    }

    /// The account that keeps its SSH key: itself, or the one beside it.
    fn key_name(&self) -> Option<AccountName> {
        match self.kind {
            SecretKind::SshKey => Some(self.name.clone()),
            SecretKind::Password | SecretKind::ApiKey | SecretKind::File => {
                beside::ssh_key(&self.name).ok()
            }
        }
    }
}

fn wanted(resource: ResourceId, account: AccountRef<'_>) -> Wanted<'_> {
    Wanted {
        reason: REASON,
        ..Wanted::of(ResourceRef::Id(resource), account)
    }
}

async fn retrieve(asked: &Asked<'_>) -> Reply {
    let keyed = asked.guest.by_key(asked).await?;
    let place = Place::of(&keyed)?;
    let kind = asked.target.query.get("type").unwrap_or_default();
    let is = |word: &str| kind.eq_ignore_ascii_case(word);
    if is("Password") {
        password(asked, &place, &keyed.caller).await
    } else if is("PrivateKey") {
        private_key(asked, &place, &keyed.caller).await
    } else if is("ApiKey") {
        api_keys(asked, &place, &keyed).await
    } else {
        Err(Refusal::field("type", TYPES))
    }
}

async fn password(asked: &Asked<'_>, place: &Place, caller: &Caller) -> Reply {
    let vault = &asked.door.vault;
    if place.kind != SecretKind::Password {
        let lacked = vault.lacks(&place.wanted(), caller).await;
        return Err(refused(asked, lacked, NO_PASSWORD));
    }
    let found = vault.retrieve(&place.wanted(), caller).await;
    let password = found.map_err(|error| refused(asked, error, NO_PASSWORD))?;
    Ok(said(&asked.headers, password.expose()))
}

async fn private_key(asked: &Asked<'_>, place: &Place, caller: &Caller) -> Reply {
    key_format(asked)?;
    let name = place.key_name().ok_or_else(|| Refusal::missing(NO_KEY))?;
    let wanted = wanted(place.resource, AccountRef::Named(name.as_str()));
    let found = asked.door.vault.material(&wanted, caller).await;
    let material = found.map_err(|error| refused(asked, error, NO_KEY))?;
    let Material::SshKey(key) = material else {
        return Err(Refusal::missing(NO_KEY));
    };
    Ok(said(&asked.headers, &with_crlf(key.expose())))
}

async fn api_keys(asked: &Asked<'_>, place: &Place, keyed: &Keyed) -> Reply {
    let (vault, caller) = (&asked.door.vault, &keyed.caller);
    let mut listed = match place.kind {
        SecretKind::ApiKey => vec![(1, place.account, place.name.to_string(), String::new())],
        SecretKind::Password | SecretKind::SshKey | SecretKind::File => Vec::new(),
    };
    let beside = vault.api_keys_beside(keyed).await;
    for key in beside.map_err(|error| refused(asked, error, NO_API_KEY))? {
        listed.push((key.number, key.account, key.notes, String::new()));
    }
    if listed.is_empty() {
        let lacked = vault.lacks(&place.wanted(), caller).await;
        return Err(refused(asked, lacked, NO_API_KEY));
    }
    let mut keys = Vec::with_capacity(listed.len());
    for (id, account, name, description) in listed {
        let wanted = wanted(place.resource, AccountRef::Id(account));
        let found = vault.material(&wanted, caller).await;
        keys.push(ApiKey {
            id,
            name,
            description,
            material: found.map_err(|error| refused(asked, error, NO_API_KEY))?,
        });
    }
    Ok(ok(&keys))
}

/// An API key, as it is shown.
struct ApiKey {
    id: u8,
    name: String,
    description: String,
    material: Material,
}

impl Serialize for ApiKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        #[serde(rename_all = "PascalCase")]
        struct Shown<'a> {
            id: u8,
            name: &'a str,
            description: &'a str,
            client_id: &'a str,
            client_secret: &'a str,
            client_secret_id: &'a str,
        }
        let (client_id, client_secret) = match &self.material {
            Material::ApiKey { name, secret } => (name.as_str(), secret.expose()),
            Material::SshKey(_) | Material::File { .. } => ("", ""),
        };
        let shown = Shown {
            id: self.id,
            name: &self.name,
            description: &self.description,
            client_id,
            client_secret,
            client_secret_id: "",
        };
        shown.serialize(serializer)
    }
}

async fn put_password(asked: &Asked<'_>) -> Reply {
    let keyed = asked.guest.by_key(asked).await?;
    let place = Place::of(&keyed)?;
    let new = NewPassword::parse(body::password(asked, NO_PASSWORD_SENT)?);
    let new = new.map_err(Refusal::from)?;
    let vault = &asked.door.vault;
    let done = vault
        .change(&place.wanted(), new, Reach::Local, &keyed.caller)
        .await;
    done.map_err(|error| not_changed(asked, &place, error, NO_PASSWORD))?;
    Ok(no_content())
}

async fn put_key(asked: &Asked<'_>) -> Reply {
    let keyed = asked.guest.by_key(asked).await?;
    let place = Place::of(&keyed)?;
    key_format(asked)?;
    let new: NewKey = asked.json()?;
    let (material, facts) = match place.bidirectional {
        true => new.opened(asked).await?,
        // The vault refuses it and writes that down: there is no need to read it.
        false => (new.unread()?, Facts::default()),
    };
    let name = place.key_name().ok_or_else(|| Refusal::missing(NO_KEY))?;
    let wanted = wanted(place.resource, AccountRef::Named(name.as_str()));
    let vault = &asked.door.vault;
    let done = vault
        .change_material(&wanted, material, &keyed.caller)
        .await;
    done.map_err(|error| not_changed(asked, &place, error, NO_KEY))?;
    Ok(ok(&facts))
}

/// Keys are given out as they are kept, in whatever spelling that is asked for.
fn key_format(asked: &Asked<'_>) -> Result<(), Refusal> {
    let format = asked.target.query.get("keyformat").unwrap_or("OpenSsh");
    match format.eq_ignore_ascii_case("OpenSsh") {
        true => Ok(()),
        false => Err(Refusal::field("keyFormat", FORMATS)),
    }
}

/// What the caller is told; that an account lacks what was asked for is no invalid request.
fn refused(asked: &Asked<'_>, error: VaultError, lacks: &str) -> Refusal {
    match error {
        VaultError::Refused | VaultError::Invalid(_) => Refusal::missing(lacks),
        other => asked.door.refusal(other, asked.request),
    }
}

fn not_changed(asked: &Asked<'_>, place: &Place, error: VaultError, lacks: &str) -> Refusal {
    match error {
        VaultError::NotAllowed if !place.bidirectional => Refusal::forbidden(ONE_WAY),
        VaultError::Refused => Refusal::missing(lacks),
        VaultError::Invalid(_) if place.kind != SecretKind::Password => Refusal::missing(lacks),
        other => asked.door.refusal(other, asked.request),
    }
}

/// A secret as a JSON text; as it is, where nothing but plain text is accepted.
fn said(headers: &HeaderMap, secret: &str) -> Response<Body> {
    match plain_only(headers) {
        true => plain(Zeroizing::new(secret.as_bytes().to_vec())),
        false => ok(&secret),
    }
}

fn plain_only(headers: &HeaderMap) -> bool {
    let mut kinds = headers.get_all(ACCEPT).iter();
    let (first, second) = (kinds.next(), kinds.next());
    let first = first
        .and_then(|kind| kind.to_str().ok())
        .unwrap_or_default();
    let media = first.split(';').next().unwrap_or_default().trim();
    second.is_none() && !first.contains(',') && media.eq_ignore_ascii_case("text/plain")
}

/// With the line ends of the original.
fn with_crlf(text: &str) -> Zeroizing<String> {
    let lines = text.matches('\n').count();
    let mut out = Zeroizing::new(String::with_capacity(text.len() + lines));
    for line in text.split_inclusive('\n') {
        match line.strip_suffix('\n') {
            Some(line) => {
                out.push_str(line.strip_suffix('\r').unwrap_or(line));
                out.push_str("\r\n");
            }
            None => out.push_str(line),
        }
    }
    out
}

const REASON: &str = "A2A";
const TYPES: &str = "It must be Password, PrivateKey or ApiKey.";
const FORMATS: &str = "Keys are kept and given out as OpenSsh only.";
const NO_PASSWORD: &str = "This account keeps no password.";
const NO_KEY: &str = "This account has no SSH key.";
const NO_API_KEY: &str = "This account has no API key.";
const ONE_WAY: &str = "The registration is not bidirectional: it may retrieve, and not set.";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn lines_end_as_the_originals_do_and_once_only() {
        assert_eq!(*with_crlf("a\nb\r\nc"), "a\r\nb\r\nc");
        assert_eq!(*with_crlf("a\n"), "a\r\n");
    }

    #[test]
    fn plain_text_is_for_whoever_accepts_nothing_else() {
        let accepts = |values: &[&'static str]| {
            let values = values.iter().map(|text| HeaderValue::from_static(text));
            plain_only(&values.map(|value| (ACCEPT, value)).collect())
        };

        assert!(accepts(&["text/plain"]));
        assert!(accepts(&["TEXT/plain; charset=utf-8"]));
        for others in [
            &[][..],
            &["*/*"],
            &["application/json"],
            &["text/plain, application/json"],
            &["text/plain", "application/json"],
        ] {
            assert!(!accepts(others), "{others:?}");
        }
    }
}
