//! The client: its servers in their order, and what is done when one fails.

use std::{fmt, path::Path, sync::Arc, time::Instant};

use bytes::Bytes;
use xmlrpc_codec::{Call, Value, encode_call};
use zeroize::{Zeroize, Zeroizing};

use crate::{
    Builder, ChangePassword, CreateResource, Error, RetrievePassword, SetupError,
    server::{Effect, Server},
    settings::{Settings, wait_before},
};

/// A client of one server and, if there is one, its secondary. Cheap to clone; clones share the
/// connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    /// The primary, and then the secondary.
    servers: Vec<Server>,
    settings: Settings,
}

impl Client {
    /// Begins to describe a client.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A client as `JAVA_API.conf` describes it: see [`Builder::java_conf`].
    ///
    /// # Errors
    /// [`SetupError`] when the file, or what it names, cannot be used.
    pub fn from_java_conf(path: impl AsRef<Path>) -> Result<Self, SetupError> {
        Builder::java_conf(path)?.build()
    }

    pub(crate) fn new(servers: Vec<Server>, settings: Settings) -> Self {
        Self(Arc::new(Inner { servers, settings }))
    }

    /// Begins the retrieval of the password of `account` on `resource`.
    pub fn retrieve_password(
        &self,
        resource: impl Into<String>,
        account: impl Into<String>,
    ) -> RetrievePassword<&Self> {
        RetrievePassword::new(self, resource.into(), account.into())
    }

    /// Begins the change of the password of `account` on `resource`.
    pub fn change_password(
        &self,
        resource: impl Into<String>,
        account: impl Into<String>,
    ) -> ChangePassword<&Self> {
        ChangePassword::new(self, resource.into(), account.into())
    }

    /// Begins the creation of `resource`, of that type ("Linux", "Windows", ...), with `account`.
    pub fn create_resource(
        &self,
        resource: impl Into<String>,
        resource_type: impl Into<String>,
        account: impl Into<String>,
    ) -> CreateResource<&Self> {
        CreateResource::new(self, resource.into(), resource_type.into(), account.into())
    }

    /// Has a call done by the first server that can.
    pub(crate) async fn perform(&self, call: Call, effect: Effect) -> Result<Value, Error> {
        let body = encode(call)?;
        let settings = &self.0.settings;
        let rounds = if effect == Effect::Retrieval {
            settings.retries
        } else {
            0
        };
        let mut round = 0;
        loop {
            let error = match self.ask_all(&body, effect).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            // Whoever waited as long as it may does not wait as long again.
            let is_over = matches!(
                error,
                Error::TimedOut { .. } | Error::Busy { .. } | Error::Untrusted { .. }
            );
            if round >= rounds || is_over || !error.is_passing() {
                return Err(error);
            }
            tokio::time::sleep(wait_before(round, settings, chance())).await;
            round += 1;
        }
    }

    /// Asks one server after the other, until one knows.
    async fn ask_all(&self, body: &Bytes, effect: Effect) -> Result<Value, Error> {
        let mut kept = None;
        for server in self.in_order() {
            let error = match server.attempt(body, effect, &self.0.settings).await {
                Ok(value) => return Ok(value),
                Err(error) => error,
            };
            let goes_on = match effect {
                Effect::Retrieval => error.is_passing(),
                // A secondary refused, since the primary was down: it may be up again.
                Effect::Change => error.is_unsent() || error.is_read_only(),
            };
            if !goes_on {
                return Err(error);
            }
            // The first server is the one that matters, unless another one had an answer.
            if kept.is_none() || error.is_read_only() {
                kept = Some(error);
            }
        }
        Err(kept.unwrap_or(Error::Closed))
    }

    /// The servers that are up, as far as is known, before those that are down.
    fn in_order(&self) -> impl Iterator<Item = &Server> {
        let now = Instant::now();
        let is_up = |server: &&Server| server.health.is_up(now, self.0.settings.connect);
        let (up, down): (Vec<_>, Vec<_>) = self.0.servers.iter().partition(is_up);
        up.into_iter().chain(down)
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.0.settings)
            .finish_non_exhaustive()
    }
}

/// The bytes of a call, wiped when the last request is done with them. What they are made from,
/// which may be a new password, is wiped at once.
fn encode(mut call: Call) -> Result<Bytes, Error> {
    let encoded = encode_call(&call);
    for param in &mut call.params {
        if let Value::String(text) = param {
            text.zeroize();
        }
    }
    let bytes = encoded.map_err(Error::Unsendable)?;
    Ok(Bytes::from_owner(Zeroizing::new(bytes)))
}

/// A number by chance. Without any, everybody waits for as long as they may.
fn chance() -> u32 {
    getrandom::u32().unwrap_or(u32::MAX)
}
