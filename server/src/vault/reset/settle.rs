//! Which password does the target have? Asked by logging in with each, until that is clear.

use crate::connectors::{ConnectorError, Trouble};
use crate::domain::{Account, Outcome, Password, Timestamp};
use crate::store::rows::{Kept, PendingRow, SecretRow, TendedRow};
use crate::vault::change::Chosen;
use crate::vault::reset::By;
use crate::vault::reset::fault::fault;
use crate::vault::reset::job::{Job, copied};
use crate::vault::reset::word::Held;
use crate::vault::{Vault, VaultError};

/// Which password the target has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// It was never told another one; why not.
    Untouched(String),
    /// The new one.
    New,
    /// The stored one; why, where that is known, and whether that may still change.
    Stored { why: String, for_good: bool },
    /// The one that was stored when it was told: meanwhile another one is.
    Old,
    /// None of those that are known here.
    None,
    /// That cannot be told.
    Unknown(String),
}

impl Vault {
    /// Logs in with each password that the target may have. `trouble` is what its last
    /// conversation ended with.
    pub(super) async fn find_out(
        &self,
        job: &Job<'_>,
        pending: &PendingRow,
        trouble: Option<&Trouble>,
    ) -> Result<Finding, VaultError> {
        let stored = self.stored(&job.account).await?;
        match job.opens(&pending.new).await {
            Ok(true) => return self.believed(job).await,
            Ok(false) => {}
            // Without an answer about the new one, none about another says anything.
            Err(why) => return Ok(Finding::Unknown(why.to_string())),
        }
        match job.opens(&stored).await {
            Ok(true) => return Ok(stays(trouble)),
            Ok(false) => {}
            Err(why) => return Ok(Finding::Unknown(why.to_string())),
        }
        if pending.old.same_as(&stored) {
            return Ok(Finding::None);
        }
        Ok(match job.opens(&pending.old).await {
            Ok(true) => Finding::Old,
            Ok(false) => Finding::None,
            Err(why) => Finding::Unknown(why.to_string()),
        })
    }

    /// That the target has the new password, unless it lets everybody in.
    async fn believed(&self, job: &Job<'_>) -> Result<Finding, VaultError> {
        Ok(match self.lets_anybody_in(job).await? {
            Ok(false) => Finding::New,
            Ok(true) => Finding::Unknown(OPEN.to_owned()),
            Err(why) => Finding::Unknown(why.to_string()),
        })
    }

    /// Whether the target opens to a password that is nobody's.
    pub(super) async fn lets_anybody_in(
        &self,
        job: &Job<'_>,
    ) -> Result<Result<bool, Trouble>, VaultError> {
        let nonsense = format!("no-password-{:016x}", self.next_request().0);
        let nonsense = Password::parse(nonsense.into())
            .map_err(|error| VaultError::Invalid(error.to_string()))?;
        Ok(job.opens(&nonsense).await)
    }

    /// Puts in force what the target has, and forgets what is pending; where that is not clear,
    /// keeps both. `asked` is the moment before the target was asked what it has: what it did
    /// after that was not seen.
    pub(super) async fn conclude(
        &self,
        job: &Job<'_>,
        pending: Kept<PendingRow>,
        (finding, asked): (Finding, Timestamp),
        by: By<'_>,
    ) -> Result<(), VaultError> {
        let over = is_over(job, &pending.record, asked);
        match finding {
            Finding::New => self.put_new_in_force(job, &pending, by).await,
            Finding::Untouched(why)
            | Finding::Stored {
                why,
                for_good: true,
            } => self.stored_stays(job, &pending, why, by).await,
            Finding::Stored { why, .. } if over => self.give_new_up(job, &pending, why, by).await,
            Finding::Stored { why, .. } => {
                let why = format!("{why}; the target has the stored password so far");
                self.postpone(job, pending, why, by).await
            }
            Finding::Old if over => self.put_old_in_force(job, &pending, by).await,
            Finding::Old => self.postpone(job, pending, BEFORE.to_owned(), by).await,
            Finding::None => self.reconcile(job, pending, by).await,
            Finding::Unknown(why) => self.postpone(job, pending, why, by).await,
        }
    }

    /// Tells the target once more, by the account that puts things right.
    async fn reconcile(
        &self,
        job: &Job<'_>,
        mut pending: Kept<PendingRow>,
        by: By<'_>,
    ) -> Result<(), VaultError> {
        let Some(healer) = self.healer(job).await? else {
            return self.postpone(job, pending, LOST.to_owned(), by).await;
        };
        if !self.may_be_healed(job, &pending.record).await? {
            let why = format!("{LOST}; {LATER}");
            return self.postpone(job, pending, why, by).await;
        }
        let _trying = match job.begin_by(&healer).await {
            Ok(trying) => trying,
            Err(why) => {
                let why = format!("{LOST}; {why}");
                return self.postpone(job, pending, why, by).await;
            }
        };
        let words = "no known password opens it: the reconcile account sets the new one";
        self.note_step(job, words, Outcome::Allowed, by).await?;
        self.note_telling(&mut pending).await?;
        let told = job.tell_by(&healer, &pending.record).await;
        pending.record.told = self.clock.now();
        if told.is_ok() {
            self.note_taken(&mut pending).await?;
        }
        let why = match (told, job.opens(&pending.record.new).await) {
            (_, Ok(true)) => return self.put_new_in_force(job, &pending, by).await,
            (Err(ConnectorError::Untouched(why) | ConnectorError::Unclear(why)), _) => {
                format!("{LOST}; {why}")
            }
            (Ok(()), Ok(false)) => LOST.to_owned(),
            (Ok(()), Err(why)) => why.to_string(),
        };
        self.postpone(job, pending, why, by).await
    }

    async fn put_new_in_force(
        &self,
        job: &Job<'_>,
        pending: &Kept<PendingRow>,
        by: By<'_>,
    ) -> Result<(), VaultError> {
        self.note_step(job, "the target has the new password", Outcome::Allowed, by)
            .await?;
        let chosen = Chosen {
            password: copied(&pending.record.new)?,
            generated: pending.record.generated,
        };
        let found = (&job.account, job.tended());
        self.commit_found(pending, &chosen, found).await?;
        fault("in-force");
        Ok(())
    }

    async fn put_old_in_force(
        &self,
        job: &Job<'_>,
        pending: &Kept<PendingRow>,
        by: By<'_>,
    ) -> Result<(), VaultError> {
        let words = format!("{BEFORE}: in force again");
        self.note_step(job, &words, Outcome::Allowed, by).await?;
        self.put_held_in_force(pending, Held::Old, &job.account)
            .await?;
        Err(VaultError::RemoteReset(words))
    }

    /// One commit: the password that the target has is in force, and nothing is pending any more.
    async fn commit_found(
        &self,
        pending: &Kept<PendingRow>,
        chosen: &Chosen,
        (account, tended): (&Account, TendedRow),
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let (resource, account) = (account.resource, account.id);
        for _ in 0..TRIES {
            let key = places.account(resource, account);
            let kept = self.rows.get::<Account>(key).await?;
            let kept = kept.ok_or(VaultError::Refused)?;
            let mut changes = self.rows.changes();
            self.add_version(&mut changes, &kept, chosen, pending.record.by)?;
            changes.remove(&self.pending_now(pending).await?);
            let key = places.tended(resource, account);
            let before = self.rows.get::<TendedRow>(key.clone()).await?;
            changes.set(key, before.as_ref(), &tended)?;
            match changes.commit().await.map_err(VaultError::from) {
                Err(VaultError::Conflict) => {}
                other => return other,
            }
        }
        Err(VaultError::Conflict)
    }

    async fn stored_stays(
        &self,
        job: &Job<'_>,
        pending: &Kept<PendingRow>,
        why: String,
        by: By<'_>,
    ) -> Result<(), VaultError> {
        let words = format!("the target keeps the stored password: {why}");
        self.note_step(job, &words, Outcome::Failed, by).await?;
        for _ in 0..TRIES {
            let mut changes = self.rows.changes();
            changes.remove(&self.pending_now(pending).await?);
            match changes.commit().await.map_err(VaultError::from) {
                Ok(()) => return Err(VaultError::RemoteReset(why)),
                Err(VaultError::Conflict) => {}
                Err(other) => return Err(other),
            }
        }
        Err(VaultError::Conflict)
    }

    /// Nothing has come of the telling in all the time that it had. A replica that is later than
    /// that is not heard of here: what is given up stays in the account's history.
    async fn give_new_up(
        &self,
        job: &Job<'_>,
        pending: &Kept<PendingRow>,
        why: String,
        by: By<'_>,
    ) -> Result<(), VaultError> {
        let words = format!("the target keeps the stored password: {why}");
        self.note_step(job, &words, Outcome::Failed, by).await?;
        self.put_held_in_force(pending, Held::Stored, &job.account)
            .await?;
        Err(VaultError::RemoteReset(why))
    }

    /// The row as it is in the store now: whose turn it is changes it alone, but keys are rotated
    /// at any time, and every row is written anew then.
    pub(super) async fn pending_now(
        &self,
        pending: &Kept<PendingRow>,
    ) -> Result<Kept<PendingRow>, VaultError> {
        let kept = self.rows.get::<PendingRow>(pending.key.clone()).await?;
        kept.ok_or(VaultError::Conflict)
    }

    /// Both are kept, and looked at again later.
    async fn postpone(
        &self,
        job: &Job<'_>,
        pending: Kept<PendingRow>,
        why: String,
        by: By<'_>,
    ) -> Result<(), VaultError> {
        let words = format!("it is not clear which password the target has: {why}");
        self.note_step(job, &words, Outcome::Failed, by).await?;
        self.put_off(pending, why).await?;
        Err(VaultError::RemoteReset(words))
    }

    /// It is looked at again, later each time.
    pub(super) async fn put_off(
        &self,
        mut pending: Kept<PendingRow>,
        why: String,
    ) -> Result<(), VaultError> {
        let tries = pending.record.tries;
        pending.record.tries = tries.saturating_add(1);
        pending.record.next = self.clock.now().after(self.pause_after(tries));
        pending.record.why = why;
        self.rewrite(&mut pending).await
    }

    /// The target has said that it has taken the new one: that is known from now on, whatever
    /// happens while it is tried.
    pub(super) async fn note_taken(
        &self,
        pending: &mut Kept<PendingRow>,
    ) -> Result<(), VaultError> {
        pending.record.accepted = true;
        self.rewrite(pending).await
    }

    /// The target is told once more: it has as much time to do it as the first time.
    async fn note_telling(&self, pending: &mut Kept<PendingRow>) -> Result<(), VaultError> {
        pending.record.told = self.clock.now();
        self.rewrite(pending).await
    }

    async fn rewrite(&self, pending: &mut Kept<PendingRow>) -> Result<(), VaultError> {
        for _ in 0..TRIES {
            let mut changes = self.rows.changes();
            changes.replace(pending, &pending.record)?;
            match changes.commit().await.map_err(VaultError::from) {
                Ok(()) => {
                    pending.version += 1;
                    return Ok(());
                }
                Err(VaultError::Conflict) => {
                    pending.version = self.pending_now(pending).await?.version;
                }
                Err(other) => return Err(other),
            }
        }
        Err(VaultError::Conflict)
    }

    async fn note_step(
        &self,
        job: &Job<'_>,
        words: &str,
        outcome: Outcome,
        by: By<'_>,
    ) -> Result<(), VaultError> {
        let deed = job.deed.clone().detail(words);
        self.write_by(&deed, outcome, by).await
    }

    pub(super) async fn stored(&self, account: &Account) -> Result<Password, VaultError> {
        let key = self.rows.places().account(account.resource, account.id);
        let account = self.rows.get::<Account>(key).await?;
        self.stored_in(&account.ok_or(VaultError::Refused)?.record)
            .await
    }

    pub(super) async fn stored_in(&self, account: &Account) -> Result<Password, VaultError> {
        let key = self.rows.places().secret(account.id, account.secret);
        let kept = self.rows.get::<SecretRow>(key).await?;
        Ok(kept.ok_or(VaultError::Conflict)?.record.password)
    }
}

/// Whether a target that did not have the new password when it was asked will not have it any
/// more. One that has said that it does may mean another login than the one that was tried, or a
/// replica that is late, so no time is long enough: the new one is given up only by the
/// operator's word.
fn is_over(job: &Job<'_>, pending: &PendingRow, asked: Timestamp) -> bool {
    let limits = job.limits;
    let clear_at = pending.told.after(limits.timeout + limits.grace);
    clear_at <= asked && !pending.accepted
}

/// The target has the stored password. For good where it has said no itself, or nothing went
/// wrong; a conversation that was cut may still have its effect.
fn stays(trouble: Option<&Trouble>) -> Finding {
    Finding::Stored {
        why: trouble.map_or_else(|| KEPT.to_owned(), ToString::to_string),
        for_good: matches!(trouble, Some(Trouble::Refused(_) | Trouble::Unfit(_))),
    }
}

const TRIES: usize = 64;
const BEFORE: &str = "the target has the password before the one stored";
const KEPT: &str = "the target did not change it";
pub(super) const OPEN: &str = "the target lets anybody in, whatever the password";
pub(super) const LOST: &str = "the target accepts no password that is known here";
const LATER: &str = "no login had shown, when this reset began, whose account it is, so no other account puts it \
                     right: settle it by word";
