//! Keeps the truststore in step with the vault's rows and the revocation lists.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use certs::{Anchors, CertificateDer, CrlLimits, CrlSet, TrustPolicy, TrustStore, load_crls};
use tracing::{error, warn};

use crate::vault::{TrustListener, Trusted};

/// The truststore with what it is made from.
#[derive(Debug)]
pub(crate) struct TrustKeeper {
    store: TrustStore,
    policy: TrustPolicy,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    trusted: Vec<Trusted>,
    lists: CrlSet,
}

impl TrustKeeper {
    /// A keeper that trusts nobody yet, with the revocation lists in `lists`.
    pub(crate) fn new(
        lists: &Path,
        limits: CrlLimits,
        policy: TrustPolicy,
    ) -> Result<Self, certs::CertError> {
        let lists = load_crls(lists, limits);
        complain(&lists);
        Ok(Self {
            store: TrustStore::new(Anchors {
                policy,
                ..Anchors::default()
            })?,
            policy,
            state: Mutex::new(State {
                trusted: Vec::new(),
                lists,
            }),
        })
    }

    /// The truststore itself, for verifiers.
    pub(crate) fn store(&self) -> &TrustStore {
        &self.store
    }

    /// Reads the revocation lists again where they have changed; says whether they had.
    pub(crate) fn reload_lists(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if !state.lists.is_changed() {
            return false;
        }
        state.lists = state.lists.reload();
        complain(&state.lists);
        self.publish(&state);
        true
    }

    /// The trusted certificates' DER, and whether each is a CA root.
    pub(crate) fn certificates(&self) -> Vec<(bool, Vec<u8>)> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state
            .trusted
            .iter()
            .map(|trusted| (trusted.root, trusted.der.clone()))
            .collect()
    }

    /// What is wrong with the revocation lists now, a line each.
    pub(crate) fn list_problems(&self, now: i64) -> Vec<String> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let broken = state
            .lists
            .problems
            .iter()
            .map(|problem| problem.to_string());
        let expired = state.lists.crls.iter().filter(|list| list.is_expired(now));
        let expired =
            expired.map(|list| format!("{}: the list is out of date", list.path.display()));
        broken.chain(expired).collect()
    }

    fn publish(&self, state: &State) {
        let ders = |root: bool| {
            let those = state
                .trusted
                .iter()
                .filter(move |trusted| trusted.root == root);
            those
                .map(|trusted| CertificateDer::from(trusted.der.clone()))
                .collect()
        };
        let anchors = Anchors {
            pins: ders(false),
            roots: ders(true),
            revocation_lists: state.lists.ders(),
            policy: self.policy,
        };
        if let Err(why) = self.store.replace(anchors) {
            // What cannot be read must not keep somebody trusted who was removed.
            error!(%why, "the trusted certificates cannot be used: nobody is let in");
            let nobody = Anchors {
                policy: self.policy,
                ..Anchors::default()
            };
            if let Err(why) = self.store.replace(nobody) {
                error!(%why, "the truststore cannot be emptied");
            }
        }
    }
}

impl TrustListener for TrustKeeper {
    fn trust(&self, trusted: &[Trusted]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.trusted = trusted.to_vec();
        self.publish(&state);
    }
}

fn complain(lists: &CrlSet) {
    for problem in &lists.problems {
        warn!(%problem, "a revocation list cannot be used");
    }
}
