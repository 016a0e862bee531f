//! Settling by the operator's word which password a target has, where no login tells.

use crate::domain::{Action, Operation, RefusalReason, SecretVersion};
use crate::store::rows::{Kept, PendingRow};
use crate::vault::book::Deed;
use crate::vault::find::Found;
use crate::vault::reset::job::Job;
use crate::vault::reset::procedure::BUSY;
use crate::vault::reset::settle::{Finding, LOST};
use crate::vault::reset::turns::Turn;
use crate::vault::{Caller, Vault, VaultError, Wanted};

/// Which password a target has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The one that it was told last.
    New,
    /// The one that was in force here when it was told: the stored one, unless that was changed
    /// here since.
    Old,
    /// The one that is in force here now.
    Stored,
}

impl Held {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Old => "old",
            Self::Stored => "stored",
        }
    }
}

/// What somebody says who has looked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Which password the target has.
    pub held: Held,
    /// Whether that counts against what the target itself says, too.
    pub anyway: bool,
}

/// What the target itself says of which password it has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It lets in with that one.
    Agrees,
    /// Something else; what.
    Contradicts(&'static str),
    /// Nothing that tells; why.
    Nothing(String),
}

/// What came of settling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// Which password is in force now.
    pub held: Held,
    /// What the target said.
    pub heard: Tried,
    /// The versions of the account's history by which those are kept that were given up.
    pub kept: Vec<SecretVersion>,
}

impl Vault {
    /// Ends what is pending for an account by the word of whoever governs the house: the password
    /// that the target has is in force, and the others are kept in the account's history. The
    /// target is asked first; where it answers, its answer counts, unless it is to be settled
    /// anyway.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::Refused`]; [`VaultError::NotFound`] where nothing
    /// is pending; [`VaultError::Invalid`] where the target contradicts;
    /// [`VaultError::RemoteReset`] where a reset of the account is under way for too long.
    pub async fn settle_reset(
        &self,
        wanted: &Wanted<'_>,
        word: Claim,
        caller: &Caller,
    ) -> Result<Settled, VaultError> {
        let (held, since) = (word.held, self.generation());
        let said = format!(
            "settled by word: the target has the {} password",
            held.as_str()
        );
        let mut deed = Deed::new(Operation::Reset).on_wanted(wanted).detail(&said);
        let (found, pending, _turn) = self.to_settle(wanted, &mut deed, caller).await?;
        let heard = self.hear(&found, &pending.record, held).await?;
        // To wait for the turn and to try logins may have taken a minute.
        self.still_governs(wanted, &deed, (caller, since)).await?;
        let deed = deed.detail(match &heard {
            Tried::Agrees => format!("{said}; it lets in with that one"),
            Tried::Contradicts(why) => format!("{said}; against that: {why}"),
            Tried::Nothing(why) => format!("{said}; no login told: {why}"),
        });
        if let Tried::Contradicts(why) = heard
            && !word.anyway
        {
            let answer = VaultError::Invalid(format!("{why}: {ANYWAY}"));
            let reason = RefusalReason::Target;
            return Err(self.refuse(&deed, reason, answer, caller).await);
        }
        self.allow(&deed, caller).await?;
        let account = &found.account.record;
        let done = self.put_held_in_force(&pending, held, account).await;
        let kept = self.settle(&deed, done, caller).await?;
        Ok(Settled { held, heard, kept })
    }

    /// What is pending for the account that is wanted, and that it is the caller's turn.
    pub(super) async fn to_settle(
        &self,
        wanted: &Wanted<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<(Found, Kept<PendingRow>, Turn), VaultError> {
        self.primary_only(deed, caller).await?;
        self.govern(deed, caller).await?;
        let found = self.find(wanted, Action::Change, deed, caller).await?;
        let account = &found.account.record;
        let patience = self.tools().map(|tools| tools.limits.wait);
        let turn = self
            .resets
            .turns
            .wait(account.id, patience.unwrap_or_default());
        let Some(turn) = turn.await else {
            let answer = VaultError::RemoteReset(BUSY.to_owned());
            let why = RefusalReason::Target;
            return Err(self.refuse(deed, why, answer, caller).await);
        };
        let key = self.rows.places().pending(account.resource, account.id);
        match self.rows.get::<PendingRow>(key).await? {
            Some(pending) => Ok((found, pending, turn)),
            None => {
                let answer = VaultError::NotFound("pending reset");
                let why = RefusalReason::NoSuchThing;
                Err(self.refuse(deed, why, answer, caller).await)
            }
        }
    }

    /// What the target says to a word.
    async fn hear(
        &self,
        found: &Found,
        pending: &PendingRow,
        held: Held,
    ) -> Result<Tried, VaultError> {
        if let Some(why) = self.standstill().await? {
            return Ok(Tried::Nothing(why));
        }
        let account = found.account.record.clone();
        let heard = match self.look_job(&found.resource.record, account).await? {
            Ok(job) => self.hear_logins(&job, pending, held).await?,
            Err(why) => Tried::Nothing(why),
        };
        Ok(match heard {
            // The login may mean another place than the one that took it.
            Tried::Agrees | Tried::Nothing(_) if pending.accepted && held != Held::New => {
                Tried::Contradicts(TOOK)
            }
            heard => heard,
        })
    }

    async fn hear_logins(
        &self,
        job: &Job<'_>,
        pending: &PendingRow,
        held: Held,
    ) -> Result<Tried, VaultError> {
        let stored = self.stored(&job.account).await?;
        let (shown, why) = match self.find_out(job, pending, None).await? {
            Finding::New => (Held::New, HAS_NEW),
            Finding::Stored { .. } => (Held::Stored, HAS_STORED),
            Finding::Old => (Held::Old, HAS_OLD),
            Finding::None => return Ok(Tried::Contradicts(LOST)),
            Finding::Untouched(why) | Finding::Unknown(why) => {
                let named = match held {
                    Held::New => &pending.new,
                    Held::Old => &pending.old,
                    Held::Stored => &stored,
                };
                // What cannot be told of one password may be told of this one.
                let shut = job.opens(named).await == Ok(false);
                return Ok(match shut {
                    true => Tried::Contradicts(SHUT),
                    false => Tried::Nothing(why),
                });
            }
        };
        let unchanged = held == Held::Old && shown == Held::Stored;
        let same = unchanged && pending.old.same_as(&stored);
        Ok(match held == shown || same {
            true => Tried::Agrees,
            false => Tried::Contradicts(why),
        })
    }
}

const ANYWAY: &str = "look there again, and say another word, or `--anyway`";
const TOOK: &str = "the target said that it took the new password";
const HAS_NEW: &str = "the target lets in with the new password";
const HAS_STORED: &str = "the target lets in with the stored password";
const HAS_OLD: &str = "the target lets in with the password before the one stored";
const SHUT: &str = "the target does not let in with that password";
