//! From a token to who shows it: looked up once, and again whenever anything has changed.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use http::HeaderMap;
use input_data::form::Form;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::{ApiToken, Door, RequestId};
use crate::doors::Peer;
use crate::doors::refusal::ResultCode;
use crate::doors::rest::Rest;
use crate::doors::rest::answer::{Code, Refusal};
use crate::doors::rest::token::{Untold, token};
use crate::vault::{Caller, Credential, Origin, VaultError};

/// What is remembered of a peer for as long as its connection stands.
#[derive(Debug)]
pub struct Guest {
    address: IpAddr,
    known: Mutex<Option<Known>>,
}

/// Who was let in by which token: by its hash, so that the token itself is not kept.
#[derive(Clone, Debug)]
struct Known {
    proof: [u8; 32],
    caller: Caller,
}

impl Guest {
    /// A peer of whom nothing is known yet.
    pub(super) fn new(peer: &Peer) -> Self {
        Self {
            address: peer.address(),
            known: Mutex::default(),
        }
    }

    /// From where it comes, whatever its headers say.
    pub(super) fn address(&self) -> IpAddr {
        self.address
    }

    fn known_by(&self, proof: &[u8; 32]) -> Option<Caller> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = known.as_ref()?;
        bool::from(known.proof.ct_eq(proof)).then(|| known.caller.clone())
    }

    fn remember(&self, known: Option<Known>) {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = known;
    }
}

impl Rest {
    /// Who asks, in the organisation that it names, if it names one.
    pub(super) async fn admit(
        &self,
        guest: &Guest,
        (headers, query): (&HeaderMap, &Form),
        id: RequestId,
    ) -> Result<Caller, Refusal> {
        let shown = token(headers, query, self.settings.token_in_url);
        let caller = match shown {
            Ok(token) => self.recognise(guest, token, id).await?,
            Err(untold) => return Err(self.turn_away(guest, untold, id).await),
        };
        let organisation = match headers.get(ORGANISATION) {
            None => return Ok(caller),
            Some(name) => String::from_utf8_lossy(name.as_bytes()),
        };
        match self.vault.confine(&caller, &organisation).await {
            Ok(()) => Ok(caller),
            Err(error) => Err(self.refusal(error, id)),
        }
    }

    async fn recognise(
        &self,
        guest: &Guest,
        token: ApiToken,
        id: RequestId,
    ) -> Result<Caller, Refusal> {
        let proof = Sha256::digest(token.expose().as_bytes()).into();
        if let Some(caller) = guest.known_by(&proof)
            && self.vault.holds(&caller)
        {
            return Ok(caller.again(id));
        }
        guest.remember(None);
        if self.strangers.too_many(guest.address) && !self.is_somebodys(&token, id).await? {
            return Err(too_many());
        }
        let credential = Credential::Token(token);
        let found = self
            .vault
            .identify_now(&credential, &origin(guest, id))
            .await;
        let caller = found.map_err(|error| self.turned_away(guest, error, id))?;
        let known = Known {
            proof,
            caller: caller.clone(),
        };
        guest.remember(Some(known));
        Ok(caller)
    }

    async fn is_somebodys(&self, token: &ApiToken, id: RequestId) -> Result<bool, Refusal> {
        let found = self.vault.is_live(token).await;
        found.map_err(|error| self.refusal(error, id))
    }

    async fn turn_away(&self, guest: &Guest, untold: Untold, id: RequestId) -> Refusal {
        if self.strangers.too_many(guest.address) {
            return too_many();
        }
        let origin = origin(guest, id);
        let turned = self.vault.turn_away_untold(untold.stranger(), &origin);
        let refusal = self.turned_away(guest, turned.await, id);
        match untold {
            Untold::InUrl if refusal.code == Code::Of(ResultCode::Unidentified) => {
                Refusal::new(Code::Of(ResultCode::Unidentified), IN_URL)
            }
            Untold::Missing | Untold::Several | Untold::InUrl | Untold::Malformed => refusal,
        }
    }

    fn turned_away(&self, guest: &Guest, error: VaultError, id: RequestId) -> Refusal {
        self.strangers.count(guest.address);
        self.refusal(error, id)
    }
}

fn origin(guest: &Guest, request: RequestId) -> Origin {
    Origin {
        door: Door::Rest,
        peer: Some(guest.address),
        request,
    }
}

fn too_many() -> Refusal {
    Refusal::new(
        Code::TooMany,
        "Too many requests from this address have shown no token that counts. Try again in a minute.",
    )
}

const ORGANISATION: &str = "orgname";
const IN_URL: &str = "A token in the URL is not accepted here: send it in the header AUTHTOKEN.";
