//! Asking a certificate's responder about it (RFC 6960, RFC 5019).

mod certificate;
mod exchange;
mod failure;
mod memory;
mod settings;
mod signer;
mod status;
mod verdict;
mod wire;

pub use failure::OcspFailure;
pub use settings::{HttpProxy, NonceUse, OcspMode, OcspSettings, ProxyError};
pub use status::{Decision, OcspStatus, RevocationReason};

use std::time::Duration;

use rustls_pki_types::CertificateDer;
use tokio::time::{Instant, timeout_at};

use certificate::{Question, Responder};
use exchange::{post, share};
use memory::{Key, Memory};
use verdict::{Verdict, judge};

/// Asks the responders that certificates name, and remembers what they answer for as long as it
/// counts.
///
/// One for a server: share it. Callers that ask about one certificate at the same time share one
/// query. Dropping a call half-way harms nobody: another caller goes on with it.
#[derive(Debug)]
pub struct OcspChecker {
    settings: OcspSettings,
    memory: Memory,
}

impl OcspChecker {
    /// A checker that remembers nothing yet.
    #[must_use]
    pub fn new(settings: OcspSettings) -> Self {
        Self {
            memory: Memory::new(&settings),
            settings,
        }
    }

    /// What the settings make a check mean: for [`OcspStatus::decision`].
    #[must_use]
    pub fn mode(&self) -> OcspMode {
        self.settings.mode
    }

    /// Learns the status of `leaf`, which `issuer` has issued; that it has must have been verified
    /// before, since `leaf` names the host that is asked. `now_unix` is the time in seconds since
    /// 1970. Returns within the configured time, at once when an answer is remembered.
    ///
    /// A pinned certificate can be asked about only when a trusted root has issued it; any other has
    /// no issuer that could take it back, and is unpinned instead.
    pub async fn check(
        &self,
        leaf: &CertificateDer<'_>,
        issuer: &CertificateDer<'_>,
        now_unix: i64,
    ) -> OcspStatus {
        if self.settings.mode == OcspMode::Off {
            return OcspStatus::Off;
        }
        let key = Key::of(leaf, issuer);
        if let Some(known) = self.memory.recall(&key, now_unix) {
            return known;
        }
        match Question::about(leaf, issuer, self.settings.max_responders) {
            Ok(Some(question)) => self.shared(key, &question, now_unix).await,
            Ok(None) => OcspStatus::NoResponder,
            Err(why) => OcspStatus::Unknown(why),
        }
    }

    /// Forgets every answer, so that the next check of each certificate asks again.
    pub fn forget(&self) {
        self.memory.forget();
    }

    /// Joins the running check of this certificate, or runs it.
    async fn shared(&self, key: Key, question: &Question, now_unix: i64) -> OcspStatus {
        let deadline = Instant::now() + self.settings.timeout;
        let check = self.memory.join(key);
        let run = check.cell.get_or_init(|| async {
            // Somebody may have finished between our look and our joining.
            if let Some(known) = self.memory.recall(&key, now_unix) {
                return known;
            }
            let brought = self.ask(question, now_unix, deadline).await;
            self.memory.keep(key, brought, now_unix)
        });
        // The query ends by itself at the deadline of whoever began it, earlier than ours; should
        // that caller be neither polled nor dropped, ours ends here.
        match timeout_at(deadline + GRACE, run).await {
            Ok(status) => status.clone(),
            Err(_) => OcspStatus::Unknown(OcspFailure::TimedOut),
        }
    }

    /// Asks one responder after the other until one gives a right answer.
    async fn ask(
        &self,
        question: &Question,
        now_unix: i64,
        deadline: Instant,
    ) -> Result<Verdict, OcspFailure> {
        let mut last = OcspFailure::TimedOut;
        for (tried, responder) in question.responders.iter().enumerate() {
            let until = share(deadline, question.responders.len() - tried);
            let brought = match responder {
                Ok(responder) => self.ask_one(responder, question, now_unix, until).await,
                Err(why) => Err(why.clone()),
            };
            match brought {
                Ok(verdict) => return Ok(verdict),
                Err(why) => {
                    tracing::debug!(reason = %why, "no OCSP answer");
                    last = why;
                }
            }
        }
        Err(last)
    }

    async fn ask_one(
        &self,
        responder: &Responder,
        question: &Question,
        now_unix: i64,
        deadline: Instant,
    ) -> Result<Verdict, OcspFailure> {
        let settings = &self.settings;
        if !responder.is_allowed(settings.allowed_hosts.as_deref()) {
            let host = responder.host.clone();
            return Err(OcspFailure::HostNotAllowed { host });
        }
        let url = responder.url.to_string();
        if self.memory.is_resting(&url, now_unix) {
            return Err(OcspFailure::Resting { url });
        }
        let nonce = self.nonce()?;
        let nonce = nonce.as_ref().map(<[u8; 32]>::as_slice);
        let request = wire::request(&question.id, nonce).map_err(|_| OcspFailure::Certificate {
            which: "the certificate",
        })?;
        let limit = settings.max_answer_bytes;
        let answer = post(responder, settings.proxy.as_ref(), request, limit, deadline).await;
        if answer.as_ref().is_err_and(OcspFailure::is_transport) {
            self.memory.rest(url, now_unix);
        }
        judge(&answer?, question, nonce, now_unix, settings)
    }

    /// 32 bytes of chance, as RFC 9654 §2.1 recommends.
    fn nonce(&self) -> Result<Option<[u8; 32]>, OcspFailure> {
        if self.settings.nonce == NonceUse::Never {
            return Ok(None);
        }
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).map_err(|_| OcspFailure::Random)?;
        Ok(Some(nonce))
    }
}

/// How much longer than its time-out a caller waits for a query that another one runs.
const GRACE: Duration = Duration::from_millis(100);
