//! How strictly certificates are verified.

use webpki::{ExpirationPolicy, RevocationCheckDepth, UnknownStatusPolicy};

/// How strictly certificates are verified. The default refuses stale revocation lists, looks at
/// every certificate of the chain, and lets a CA be without a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TrustPolicy {
    /// What follows when no loaded revocation list covers a certificate. Default: accept.
    pub uncovered: Uncovered,
    /// What follows when the list that covers a certificate is past its next update. Default:
    /// refuse.
    pub stale: Stale,
    /// Which certificates of a chain are looked up. Default: the whole chain.
    pub depth: Depth,
    /// The most certificates a peer may show beside its own. Default: 8.
    pub most_intermediates: usize,
    /// The most verified certificates that are remembered until the next change; 0 turns the
    /// memory off. Default: 4096.
    pub remembered: usize,
}

impl Default for TrustPolicy {
    fn default() -> Self {
        Self {
            uncovered: Uncovered::Accept,
            stale: Stale::Refuse,
            depth: Depth::Chain,
            most_intermediates: 8,
            remembered: 4096,
        }
    }
}

/// A certificate that no revocation list covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Uncovered {
    /// Is accepted: its CA publishes no list here.
    Accept,
    /// Is refused.
    Refuse,
}

/// A revocation list past its next update.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stale {
    /// Is still believed.
    Accept,
    /// Makes every certificate it covers refused.
    Refuse,
}

/// Which certificates are looked up in revocation lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// The peer's own and those of intermediate CAs.
    Chain,
    /// The peer's own only.
    Leaf,
}

impl From<Uncovered> for UnknownStatusPolicy {
    fn from(uncovered: Uncovered) -> Self {
        match uncovered {
            Uncovered::Accept => Self::Allow,
            Uncovered::Refuse => Self::Deny,
        }
    }
}

impl From<Stale> for ExpirationPolicy {
    fn from(stale: Stale) -> Self {
        match stale {
            Stale::Accept => Self::Ignore,
            Stale::Refuse => Self::Enforce,
        }
    }
}

impl From<Depth> for RevocationCheckDepth {
    fn from(depth: Depth) -> Self {
        match depth {
            Depth::Chain => Self::Chain,
            Depth::Leaf => Self::EndEntity,
        }
    }
}
