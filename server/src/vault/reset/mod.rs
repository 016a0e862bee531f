//! Remote reset: a password is changed on its target first, and only then here.
//!
//! `target.rs` says how a target is reached and tries it, `place.rs` to which addresses, `job.rs`
//! gathers what a connector needs, `vouch.rs` says whether another account's powers may be used,
//! `standing.rs` says whether whoever asked may still do it, `procedure.rs` changes one password, `settle.rs` finds out
//! which password a target has where that is not clear, `heal.rs` does so for what a crash or a
//! cut line left behind, `turns.rs` keeps two resets of one account apart, `rotation.rs` says which
//! passwords change by themselves, and `run.rs` changes those. `still.rs` keeps targets and names as they
//! are while a password is pending, `word.rs` settles by the operator's word, `given_up.rs` keeps what was given up so, `look.rs` asks a target now,
//! `standstill.rs` stops it all, `silence.rs` leaves dead hosts alone, `attempts.rs` logins
//! that were refused too often.
//!
//! The new password is sealed as *pending*, beside the old one, before the target is touched. It
//! goes in the very commit that puts one of the two in force, or not at all: whatever happens in
//! between, no password that a target may have is lost.

mod attempts;
mod fault;
mod given_up;
mod heal;
mod job;
mod look;
mod place;
mod procedure;
mod rotation;
mod run;
mod settle;
mod silence;
mod standing;
mod standstill;
mod still;
mod target;
mod turns;
mod vouch;
mod word;

pub use heal::PendingView;
pub use rotation::{DueView, RotationView};
pub use run::{RunFailure, RunProgress};
pub use target::{NewTarget, TargetTest, TargetView};
pub use word::{Claim, Held, Settled, Tried};

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::connectors::Connectors;
use crate::domain::{Host, Outcome, RefusalReason};
use crate::vault::book::Deed;
use crate::vault::{Caller, Origin, Vault, VaultError};

/// How far and how long resets may reach.
#[derive(Clone, Debug)]
pub struct ResetLimits {
    /// Networks that targets may be in although they are this machine, or addresses that only
    /// machines near it should see.
    pub allow: Vec<Host>,
    /// How long one conversation with a target may take.
    pub timeout: Duration,
    /// How long a reset waits for another one of the same account.
    pub wait: Duration,
    /// How long after a conversation that was cut the target may still do what it was told.
    pub grace: Duration,
    /// After what time an unclear outcome is looked at again first; each further time doubles it.
    pub soonest: Duration,
    /// After what time at the latest.
    pub latest: Duration,
    /// How many passwords are changed at once, and how many settled beside them.
    pub at_once: usize,
    /// How many logins a target may refuse of one account before no other one is tried.
    pub attempts: u32,
    /// For how long, from the first of them on.
    pub attempts_span: Duration,
}

impl Default for ResetLimits {
    fn default() -> Self {
        Self {
            allow: Vec::new(),
            timeout: Duration::from_secs(10),
            wait: Duration::from_secs(20),
            grace: Duration::from_secs(60),
            soonest: Duration::from_secs(30),
            latest: Duration::from_hours(1),
            at_once: 4,
            attempts: 5,
            attempts_span: Duration::from_mins(15),
        }
    }
}

/// What resets need beside the rows.
#[derive(Default)]
pub(super) struct Resets {
    tools: OnceLock<Tools>,
    turns: turns::Turns,
    places: still::Places,
    silence: silence::Silence,
    attempts: attempts::Attempts,
}

#[derive(Debug)]
struct Tools {
    connectors: Arc<dyn Connectors>,
    limits: ResetLimits,
}

impl fmt::Debug for Resets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resets")
            .field("tools", &self.tools)
            .finish_non_exhaustive()
    }
}

/// Who has a password changed: what the audit trail says.
#[derive(Clone, Copy, Debug)]
enum By<'a> {
    /// A caller, and the generation of who may come in when it asked.
    Caller(&'a Caller, u64),
    Server(&'a Origin),
}

impl Vault {
    /// Lets passwords be changed on their targets from now on; whoever calls this first decides.
    pub fn connect(&self, connectors: Arc<dyn Connectors>, limits: ResetLimits) {
        let _first = self.resets.tools.set(Tools { connectors, limits });
    }

    fn tools(&self) -> Option<&Tools> {
        self.resets.tools.get()
    }

    async fn write_by(&self, deed: &Deed, outcome: Outcome, by: By<'_>) -> Result<(), VaultError> {
        let written = match by {
            By::Caller(caller, _) => {
                let who = (caller.login(), caller.organisation());
                self.write(deed, outcome, who, caller.origin()).await
            }
            By::Server(origin) => self.write(deed, outcome, ("server", ""), origin).await,
        };
        written.map(drop)
    }

    async fn refuse_by(
        &self,
        deed: &Deed,
        why: RefusalReason,
        answer: VaultError,
        by: By<'_>,
    ) -> VaultError {
        match self.write_by(deed, Outcome::Refused(why), by).await {
            Ok(()) => answer,
            Err(unwritten) => unwritten,
        }
    }
}
