//! From a key to who holds it: found out at the log-in, and again whenever anything has changed.

use std::sync::Arc;
use std::time::Duration;

use russh::keys::Algorithm;
use russh::keys::PublicKey;
use tokio::time::sleep;
use tracing::error;

use crate::domain::{Door, FreeText, RequestId, SshKey};
use crate::doors::ssh::Ssh;
use crate::doors::ssh::guest::{Guest, Known};
use crate::vault::{Caller, Credential, Origin, Outage, SshCredential, VaultError};

/// The blob of a key that may prove somebody: no SHA-1, no DSA, no security keys, no length that
/// only costs time to verify. Whether it is anybody's is not told before it is proved.
pub(super) fn acceptable(key: &PublicKey, algorithm: &Algorithm) -> Option<Vec<u8>> {
    let fits = match algorithm {
        Algorithm::Ed25519 | Algorithm::Ecdsa { .. } => true,
        Algorithm::Rsa { hash } => hash.is_some(),
        _ => false,
    };
    let blob = key.to_bytes().ok().filter(|_| fits)?;
    let key = SshKey::of(blob, FreeText::default()).ok()?;
    Some(key.blob().to_vec())
}

impl Ssh {
    /// Whether `guest` comes in as `login` with a key that it has proved to hold.
    pub(super) async fn let_in(&self, guest: &Guest, login: &str, blob: Vec<u8>) -> bool {
        let id = self.vault.next_request();
        let shown = SshCredential {
            login: login.to_owned(),
            blob,
        };
        match self.one_too_many(guest, &shown, id).await {
            Ok(false) => {}
            Ok(true) => {
                guest.is_written();
                self.unwritten.count(login, guest.address());
                return false;
            }
            Err(error) => return self.log_outage(&error, id),
        }
        let credential = Arc::new(Credential::SshKey(shown));
        match self.find_out(guest, credential, id).await {
            Ok(known) => {
                guest.remember(known);
                true
            }
            Err(error) => {
                guest.is_written();
                self.strangers.count(guest.address());
                self.log_outage(&error, id)
            }
        }
    }

    /// Who asks, for its next request.
    pub(super) async fn caller(
        &self,
        guest: &Guest,
        request: RequestId,
    ) -> Result<Caller, VaultError> {
        let Some(known) = guest.known() else {
            return Err(VaultError::Unidentified("nobody has logged in".to_owned()));
        };
        if self.vault.holds(&known.caller) {
            return Ok(known.caller.again(request));
        }
        match self.find_out(guest, known.credential, request).await {
            Ok(known) => {
                let caller = known.caller.clone();
                guest.remember(known);
                Ok(caller)
            }
            Err(error) => {
                self.strangers.count(guest.address());
                Err(error)
            }
        }
    }

    /// Writes down that somebody who gave a name has gone without proving anything.
    pub(super) async fn write_down(&self, guest: &Guest) {
        let Some(tried) = guest.unwritten() else {
            return;
        };
        let too_many = self.strangers.too_many(guest.address());
        self.strangers.count(guest.address());
        if too_many {
            return self.unwritten.count(&tried.login, guest.address());
        }
        let id = self.vault.next_request();
        let origin = guest.origin(id);
        let error = self
            .vault
            .turn_away_unproved(&tried.login, tried.names, &origin)
            .await;
        self.log_outage(&error, id);
    }

    /// Writes down, once in a while, how many were refused and not written down one by one.
    pub(super) async fn sum_up_each_minute(&self) {
        loop {
            sleep(MINUTE).await;
            self.sum_up().await;
        }
    }

    /// Writes that down now.
    pub(super) async fn sum_up(&self) {
        let Some(sum) = self.unwritten.untold() else {
            return;
        };
        let request = self.vault.next_request();
        let origin = Origin {
            door: Door::Ssh,
            peer: Some(sum.address),
            request,
        };
        let told = self.vault.turn_away_many(&sum.login, sum.count, &origin);
        match told.await {
            error @ VaultError::Unavailable(_) => {
                self.log_outage(&error, request);
            }
            _ => self.unwritten.told(sum.count),
        }
    }

    /// The log is told what lies behind an outage.
    pub(super) fn log_outage(&self, error: &VaultError, id: RequestId) -> bool {
        if let VaultError::Unavailable(outage) = error
            && let Some(unsaid) = self.outages.now()
        {
            error!(%id, outage = outage.in_full(), unsaid, "unavailable");
        }
        false
    }

    /// Whether it comes from where too many were refused, and would be refused, too, whoever's
    /// its key is.
    async fn one_too_many(
        &self,
        guest: &Guest,
        shown: &SshCredential,
        request: RequestId,
    ) -> Result<bool, VaultError> {
        if !self.strangers.too_many(guest.address()) {
            return Ok(false);
        }
        let origin = guest.origin(request);
        Ok(!self.vault.admits_ssh_key(shown, &origin).await?)
    }

    async fn find_out(
        &self,
        guest: &Guest,
        credential: Arc<Credential>,
        request: RequestId,
    ) -> Result<Known, VaultError> {
        let origin = guest.origin(request);
        for _ in 0..TRIES {
            let before = self.vault.generation();
            let caller = self.vault.identify(&credential, &origin).await?;
            // A name server may take seconds: what was taken back meanwhile must not come in.
            if self.vault.generation() == before {
                return Ok(Known { credential, caller });
            }
        }
        let unsettled = "who may come in changes faster than it can be checked";
        Err(VaultError::Unavailable(Outage::Part(unsettled)))
    }
}

const MINUTE: Duration = Duration::from_secs(60);
/// How often it is found out who calls, while that changes.
const TRIES: usize = 4;
