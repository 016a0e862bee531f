//! Who asks: by certificate and API key, by a token, or by certificate alone. Looked up once a
//! connection, and again whenever anything has changed.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::{ApiKey, ApiKeyError, ApiToken, Door};
use crate::doors::Peer;
use crate::doors::a2a::reply::Refusal;
use crate::doors::a2a::signalr::Listener;
use crate::doors::a2a::{A2a, Asked};
use crate::doors::gate::{Proved, Visitor};
use crate::vault::{Caller, CertificateCredential, Credential, Keyed, Origin, VaultError};

/// What is remembered of a peer for as long as its connection stands.
#[derive(Debug)]
pub struct Guest {
    visitor: Visitor,
    proved: Mutex<Option<Proved>>,
    /// Who was let in by which key: by its hash, so that itself it is not kept.
    keyed: Mutex<HashMap<[u8; 32], Keyed>>,
    bearer: Mutex<Option<Known>>,
    /// Who is to listen over this connection once it speaks no HTTP any more; it has a guest of its
    /// own, so it is boxed.
    listener: Mutex<Option<Box<Listener>>>,
}

/// Who was let in by which token: by its hash, too.
#[derive(Clone, Debug)]
struct Known {
    proof: [u8; 32],
    caller: Caller,
}

impl Guest {
    /// A peer of whom nothing is known yet.
    pub(super) fn new(peer: Peer) -> Self {
        Self {
            visitor: Visitor::new(peer),
            proved: Mutex::default(),
            keyed: Mutex::default(),
            bearer: Mutex::default(),
            listener: Mutex::default(),
        }
    }

    /// The other end of the connection.
    pub(super) fn peer(&self) -> &Peer {
        self.visitor.peer()
    }

    /// Keeps `listener` until the connection speaks its protocol.
    pub(super) fn listens(&self, listener: Listener) {
        *lock(&self.listener) = Some(Box::new(listener));
    }

    /// Whoever is to listen over this connection.
    pub(super) fn take_listener(&self) -> Option<Box<Listener>> {
        lock(&self.listener).take()
    }

    /// From where it comes, whatever its headers say.
    pub(super) fn address(&self) -> IpAddr {
        self.visitor.peer().address()
    }

    /// Whoever shows a certificate and one API key, `Authorization: A2A KEY`.
    ///
    /// # Errors
    /// 401 for no certificate, one that does not count, or no key; 403 for whatever else is wrong,
    /// in one and the same words.
    pub(super) async fn by_key(&self, asked: &Asked<'_>) -> Result<Keyed, Refusal> {
        match keys(&asked.headers) {
            Some(shown) => self.by_one(shown, asked).await,
            None => Err(self.no_key(asked).await),
        }
    }

    async fn by_one(&self, shown: &[u8], asked: &Asked<'_>) -> Result<Keyed, Refusal> {
        let proof = Sha256::digest(shown).into();
        if let Some(keyed) = self.keyed_by(&proof)
            && self.is_proved(asked)
            && asked.door.vault.holds(&keyed.caller)
        {
            let caller = keyed.caller.again(asked.request);
            return Ok(Keyed { caller, ..keyed });
        }
        lock(&self.keyed).remove(&proof);
        let keyed = self.find_by_key(shown, asked).await?;
        let mut known = lock(&self.keyed);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(proof, keyed.clone());
        Ok(keyed)
    }

    fn keyed_by(&self, proof: &[u8; 32]) -> Option<Keyed> {
        lock(&self.keyed).get(proof).cloned()
    }

    /// Whoever shows a certificate and one or more API keys, with spaces between them: each of
    /// them must count, and counts once.
    ///
    /// # Errors
    /// As for [`Self::by_key`]; 400 for too many keys.
    pub(super) async fn by_keys(&self, asked: &Asked<'_>) -> Result<Vec<Keyed>, Refusal> {
        let shown = keys(&asked.headers).unwrap_or_default();
        let most = asked.door.settings.keys;
        let mut each: Vec<&[u8]> = words(shown).take(most.saturating_add(1)).collect();
        if each.len() > most {
            let message = format!("One request may show {most} API keys.");
            return Err(Refusal::invalid(message));
        }
        each.sort_unstable();
        each.dedup();
        if each.is_empty() {
            return Err(self.no_key(asked).await);
        }
        let mut found = Vec::with_capacity(each.len());
        for key in each {
            found.push(self.by_one(key, asked).await?);
        }
        Ok(found)
    }

    async fn find_by_key(&self, shown: &[u8], asked: &Asked<'_>) -> Result<Keyed, Refusal> {
        let Some(credential) = self.credential(asked).await? else {
            return Err(self.no_certificate(asked).await);
        };
        let key = std::str::from_utf8(shown).map_or(Err(ApiKeyError), ApiKey::parse);
        let Ok(key) = key else {
            let refusal = self.untold("(no well-formed API key)", asked).await;
            return Err(told_as_unknown(refusal));
        };
        self.look_up(&key, &credential, asked).await
    }

    /// For what a key counts that comes with this certificate; whoever tries too many that do not
    /// count is looked up no more.
    ///
    /// # Errors
    /// 403 for one that does not count; 429 for a crowd.
    pub(super) async fn look_up(
        &self,
        key: &ApiKey,
        credential: &CertificateCredential,
        asked: &Asked<'_>,
    ) -> Result<Keyed, Refusal> {
        let (door, origin) = (asked.door, self.origin(asked));
        if door.strangers.too_many(self.address()) {
            let known = door.vault.is_api_key(key).await;
            if !known.map_err(|error| door.refusal(error, asked.request))? {
                return Err(Refusal::crowd());
            }
        }
        let found = door.vault.by_key(credential, key, &origin).await;
        found.map_err(|error| match error {
            VaultError::NotAllowed => {
                door.strangers.count(self.address());
                Refusal::forbidden(ONE_ANSWER)
            }
            other => door.refusal(other, asked.request),
        })
    }

    /// Whoever shows no key is told first whether its certificate counts.
    async fn no_key(&self, asked: &Asked<'_>) -> Refusal {
        match self.credential(asked).await {
            Ok(Some(_)) => told_how(self.untold("(no API key)", asked).await, HOW_BY_KEY),
            Ok(None) => self.no_certificate(asked).await,
            Err(refusal) => refusal,
        }
    }

    /// Whoever shows the token of a session, or one of its own, `Authorization: Bearer TOKEN`.
    ///
    /// # Errors
    /// 401.
    pub(super) async fn by_bearer(&self, asked: &Asked<'_>) -> Result<Caller, Refusal> {
        let Some(token) = bearer(&asked.headers) else {
            let refusal = self.untold("(no token)", asked).await;
            return Err(told_how(refusal, HOW_BY_BEARER));
        };
        self.by_token(token, asked).await
    }

    /// Whoever shows this token.
    ///
    /// # Errors
    /// 401.
    pub(super) async fn by_token(
        &self,
        token: ApiToken,
        asked: &Asked<'_>,
    ) -> Result<Caller, Refusal> {
        // Never remembered here: a session may end at any moment, by another connection, too.
        let session = asked
            .door
            .vault
            .by_session(&token, &self.origin(asked))
            .await;
        if let Some(caller) = session.map_err(|error| self.turned_away(error, asked))? {
            return Ok(caller);
        }
        let proof = Sha256::digest(token.expose().as_bytes()).into();
        if let Some(caller) = self.known_by(&proof)
            && asked.door.vault.holds(&caller)
        {
            return Ok(caller.again(asked.request));
        }
        *lock(&self.bearer) = None;
        let caller = self.find_by_token(token, asked).await?;
        *lock(&self.bearer) = Some(Known {
            proof,
            caller: caller.clone(),
        });
        Ok(caller)
    }

    fn known_by(&self, proof: &[u8; 32]) -> Option<Caller> {
        let known = lock(&self.bearer);
        let known = known.as_ref()?;
        bool::from(known.proof.ct_eq(proof)).then(|| known.caller.clone())
    }

    async fn find_by_token(&self, token: ApiToken, asked: &Asked<'_>) -> Result<Caller, Refusal> {
        let (door, origin) = (asked.door, self.origin(asked));
        if door.strangers.too_many(self.address()) {
            let live = door.vault.is_live(&token).await;
            if !live.map_err(|error| door.refusal(error, asked.request))? {
                return Err(Refusal::crowd());
            }
        }
        let credential = Credential::Token(token);
        let found = door.vault.identify_now(&credential, &origin).await;
        found.map_err(|error| told_how(self.turned_away(error, asked), HOW_BY_BEARER))
    }

    /// Whoever shows a certificate, whatever else comes along.
    ///
    /// # Errors
    /// 401.
    pub(super) async fn by_certificate(&self, asked: &Asked<'_>) -> Result<Caller, Refusal> {
        match self.credential(asked).await? {
            Some(_) if asked.door.strangers.too_many(self.address()) => Err(Refusal::crowd()),
            Some(credential) => {
                let (vault, origin) = (&asked.door.vault, self.origin(asked));
                let found = vault.by_certificate_alone(&credential, &origin).await;
                found.map_err(|error| self.turned_away(error, asked))
            }
            None => Err(self.no_certificate(asked).await),
        }
    }

    /// What the certificate proves that was shown; nothing where none was.
    ///
    /// # Errors
    /// 401 for one that does not count.
    pub(super) async fn credential(
        &self,
        asked: &Asked<'_>,
    ) -> Result<Option<CertificateCredential>, Refusal> {
        if self.visitor.peer().chain().is_empty() {
            return Ok(None);
        }
        if let Some(proved) = self.still_proved(asked) {
            return Ok(Some(proved.credential().clone()));
        }
        let gate = &asked.door.gate;
        if asked.door.strangers.too_many(self.address()) && !gate.trusts(&self.visitor) {
            return Err(Refusal::crowd());
        }
        let proved = gate.prove(&self.visitor, asked.request).await;
        let proved = proved.map_err(|error| self.turned_away(error, asked))?;
        let credential = proved.credential().clone();
        *lock(&self.proved) = Some(proved);
        Ok(Some(credential))
    }

    fn still_proved(&self, asked: &Asked<'_>) -> Option<Proved> {
        let proved = lock(&self.proved).clone();
        proved.filter(|proved| asked.door.gate.still_counts(proved))
    }

    /// The same, without a copy of it.
    fn is_proved(&self, asked: &Asked<'_>) -> bool {
        self.is_still_proved(asked.door)
    }

    /// Whether a certificate was found to count, and nothing has changed since.
    pub(super) fn is_still_proved(&self, door: &A2a) -> bool {
        let proved = lock(&self.proved);
        let gate = &door.gate;
        proved
            .as_ref()
            .is_some_and(|proved| gate.still_counts(proved))
    }

    /// From where the request comes.
    pub(super) fn origin(&self, asked: &Asked<'_>) -> Origin {
        Origin {
            door: Door::A2a,
            peer: Some(self.address()),
            request: asked.request,
        }
    }

    async fn no_certificate(&self, asked: &Asked<'_>) -> Refusal {
        told_how(self.untold("(no certificate)", asked).await, HOW_BY_KEY)
    }

    /// Writes down that nothing was shown that could be looked up.
    pub(super) async fn untold(&self, stranger: &str, asked: &Asked<'_>) -> Refusal {
        if asked.door.strangers.too_many(self.address()) {
            return Refusal::crowd();
        }
        let origin = self.origin(asked);
        let turned = asked.door.vault.turn_away_untold(stranger, &origin);
        self.turned_away(turned.await, asked)
    }

    pub(super) fn turned_away(&self, error: VaultError, asked: &Asked<'_>) -> Refusal {
        if !matches!(error, VaultError::Unavailable(_)) {
            asked.door.strangers.count(self.address());
        }
        asked.door.refusal(error, asked.request)
    }
}

/// A key that cannot be one is as unknown as any other.
fn told_as_unknown(refusal: Refusal) -> Refusal {
    match refusal.status {
        http::StatusCode::UNAUTHORIZED => Refusal::forbidden(ONE_ANSWER),
        _ => refusal,
    }
}

/// The same refusal, with words that help in place of those that name nobody.
fn told_how(refusal: Refusal, how: &str) -> Refusal {
    match refusal.status {
        http::StatusCode::UNAUTHORIZED => Refusal::unknown(how),
        _ => refusal,
    }
}

fn lock<T>(slot: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What stands behind `scheme` in the one `Authorization` header; nothing where there are several.
fn authorization<'a>(headers: &'a HeaderMap, scheme: &[u8]) -> Option<&'a [u8]> {
    let mut shown = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (shown.next()?, shown.next());
    let (begin, rest) = first.as_bytes().split_at_checked(scheme.len())?;
    let rest = rest.strip_prefix(b" ")?.trim_ascii();
    let fits = second.is_none() && begin.eq_ignore_ascii_case(scheme) && !rest.is_empty();
    fits.then_some(rest)
}

/// The API keys of a request; nothing where it shows none, or says so.
fn keys(headers: &HeaderMap) -> Option<&[u8]> {
    let keys = authorization(headers, b"A2A")?;
    (!keys.eq_ignore_ascii_case(b"NONE")).then_some(keys)
}

fn words(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = text.split(|byte| *byte == b' ');
    words.filter(|word| !word.is_empty())
}

/// The token of a request.
pub(super) fn bearer(headers: &HeaderMap) -> Option<ApiToken> {
    let token = authorization(headers, b"Bearer")?;
    ApiToken::parse(std::str::from_utf8(token).ok()?).ok()
}

/// How many keys a connection remembers: a program that has more is looked up again.
const REMEMBERED: usize = 64;
/// For an unknown key, another's certificate, a wrong address, a registration or user that is kept
/// out: whoever asks must not learn which it was. The audit trail says it.
const ONE_ANSWER: &str = "The API key is unknown, or this certificate or address may not use it, \
                          or its registration is disabled; the server's audit trail says which.";
const HOW_BY_KEY: &str =
    "Show a client certificate, and one API key in the header `Authorization: A2A KEY`.";
const HOW_BY_BEARER: &str = "Log in, and send the token as `Authorization: Bearer TOKEN`.";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers(values: &[&str]) -> HeaderMap {
        let values = values
            .iter()
            .map(|text| HeaderValue::from_str(text).unwrap());
        values.map(|value| (AUTHORIZATION, value)).collect()
    }

    #[test]
    fn keys_come_in_one_header_behind_their_scheme() {
        let all = headers(&["a2a  k1 k2  k3"]);
        let read: Vec<&[u8]> = words(keys(&all).unwrap()).collect();
        assert_eq!(read, [b"k1", b"k2", b"k3"]);

        for wrong in [
            &[][..],
            &["A2A"],
            &["A2A "],
            &["A2Ak"],
            &["Bearer k"],
            &["A2A NONE"],
        ] {
            assert_eq!(keys(&headers(wrong)), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_second_authorization_makes_both_none() {
        let token = "Bearer B9A1809A-5BF7-4459-9ED2-8D4F499CB902";

        assert!(bearer(&headers(&[token])).is_some());
        assert!(bearer(&headers(&[token, token])).is_none());
        assert_eq!(keys(&headers(&["A2A k", "A2A k"])), None);
    }
}
