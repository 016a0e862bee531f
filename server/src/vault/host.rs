//! Whether a user came from its own host: looked up forward, never from what the peer says.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use async_trait::async_trait;
use thiserror::Error;

use crate::domain::{Host, RefusalReason};
use crate::vault::Vault;

/// Why a name has no addresses.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ResolveError {
    /// There is no such name, or it has no address.
    #[error("the name has no address")]
    NoAddress,
    /// The look-up took too long.
    #[error("the look-up took too long")]
    TooSlow,
}

/// Finds the addresses of a name.
#[async_trait]
pub trait Resolve: Send + Sync + fmt::Debug {
    /// The addresses of `name`, IPv4 ones as IPv4.
    ///
    /// # Errors
    /// [`ResolveError`] when it has none, or the answer took too long.
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError>;
}

/// The machine's own resolver.
#[derive(Clone, Copy, Debug)]
pub struct SystemResolver {
    /// How long one look-up may take.
    pub timeout: Duration,
}

#[async_trait]
impl Resolve for SystemResolver {
    async fn addresses(&self, name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        let looking = tokio::net::lookup_host((name, 0));
        let found = tokio::time::timeout(self.timeout, looking)
            .await
            .map_err(|_| ResolveError::TooSlow)?
            .map_err(|_| ResolveError::NoAddress)?;
        let addresses: Vec<IpAddr> = found.map(|socket| socket.ip().to_canonical()).collect();
        if addresses.is_empty() {
            Err(ResolveError::NoAddress)
        } else {
            Ok(addresses)
        }
    }
}

impl Vault {
    /// Whether `peer` is `host`.
    pub(super) async fn comes_from(&self, host: &Host, peer: IpAddr) -> Result<(), RefusalReason> {
        let peer = peer.to_canonical();
        let inside = match host {
            Host::Network { .. } => host.contains(peer) == Some(true),
            Host::Name(name) => match self.resolver.addresses(name).await {
                Ok(addresses) => addresses.contains(&peer),
                Err(ResolveError::NoAddress | ResolveError::TooSlow) => {
                    return Err(RefusalReason::UnresolvableHost);
                }
            },
        };
        if inside {
            Ok(())
        } else {
            Err(RefusalReason::WrongHost)
        }
    }
}
