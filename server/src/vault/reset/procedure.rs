//! Changing one password on its target.

use crate::connectors::{ConnectorError, Trouble};
use crate::domain::{
    Account, AccountId, Action, Custody, OrgId, Outcome, Password, PolicyViolation, RefusalReason,
    Resource,
};
use crate::store::rows::{Changes, Kept, PendingRow, SecretRow};
use crate::vault::book::Deed;
use crate::vault::change::Chosen;
use crate::vault::reset::By;
use crate::vault::reset::fault::fault;
use crate::vault::reset::job::{Job, copied};
use crate::vault::reset::settle::Finding;
use crate::vault::{Caller, NewPassword, Vault, VaultError};

/// A change on a target that somebody wants.
pub(super) struct Ask<'a> {
    pub(super) resource: &'a Resource,
    pub(super) account: AccountId,
    pub(super) new: NewPassword,
    pub(super) deed: &'a Deed,
    pub(super) by: By<'a>,
    /// Whether it was asked for by its name, and not for being on its resource.
    pub(super) named: bool,
    /// What the caller must be allowed to.
    pub(super) needs: Action,
}

/// What is to be sealed, and for whom.
struct Wish<'a> {
    org: OrgId,
    chosen: &'a Chosen,
    vouched: bool,
    by: By<'a>,
}

impl Vault {
    /// Gives an account another password, on its target and here, for whoever may change it; the
    /// answer is the generated one, where one was generated.
    pub(in crate::vault) async fn change_on_target(
        &self,
        (resource, account): (&Resource, AccountId),
        new: NewPassword,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Option<Password>, VaultError> {
        let ask = Ask {
            resource,
            account,
            new,
            deed,
            by: By::Caller(caller, self.generation()),
            named: true,
            needs: Action::Change,
        };
        self.reset(ask).await
    }

    pub(super) async fn reset(&self, ask: Ask<'_>) -> Result<Option<Password>, VaultError> {
        if let Some(why) = self.standstill().await? {
            return Err(self.target_refuses(&ask, why).await);
        }
        let patience = self.tools().map(|tools| tools.limits.wait);
        let turn = self
            .resets
            .turns
            .wait(ask.account, patience.unwrap_or_default());
        let Some(_turn) = turn.await else {
            return Err(self.target_refuses(&ask, BUSY.to_owned()).await);
        };
        let mut job = match self
            .job(ask.resource, self.account_of(&ask).await?.record)
            .await?
        {
            Ok(job) => job,
            Err(why) => return Err(self.target_refuses(&ask, why).await),
        };
        if let Err(why) = job.begin().await {
            return Err(self.target_refuses(&ask, why).await);
        }
        if let Err(why) = self.clear_leftover(&job, ask.by).await? {
            return Err(self.target_refuses(&ask, why).await);
        }
        let vouched = match self.vouched(&job, &ask).await? {
            Ok(vouched) => vouched,
            Err(why) => return Err(self.target_refuses(&ask, why).await),
        };
        let places = self.resets.places.read().await;
        if !self.is_unmoved(&job).await? {
            return Err(self.target_refuses(&ask, MOVED.to_owned()).await);
        }
        let (deed, by) = (ask.deed, ask.by);
        let hold = self.still_may(&ask).await?;
        let org = ask.resource.org;
        let account = self.account_of(&ask).await?;
        let chosen = self.chosen_for(&job, &account.record, ask).await?;
        self.write_by(deed, Outcome::Allowed, by).await?;
        let wish = Wish {
            org,
            chosen: &chosen,
            vouched,
            by,
        };
        let sealed = self.seal_pending(account, &wish, hold.as_ref()).await;
        drop(places);
        let done = match sealed {
            Ok(pending) => self.carry_out(&job, pending, by).await,
            Err(error) => Err(error),
        };
        if let Err(error) = done {
            self.write_by(deed, Outcome::Failed, by).await?;
            return Err(error);
        }
        Ok(chosen.generated.then_some(chosen.password))
    }

    async fn target_refuses(&self, ask: &Ask<'_>, why: String) -> VaultError {
        let deed = ask.deed.clone().detail(&why);
        let answer = VaultError::RemoteReset(why);
        self.refuse_by(&deed, RefusalReason::Target, answer, ask.by)
            .await
    }

    async fn account_of(&self, ask: &Ask<'_>) -> Result<Kept<Account>, VaultError> {
        let key = self.rows.places().account(ask.resource.id, ask.account);
        let kept = self.rows.get::<Account>(key).await?;
        kept.ok_or(VaultError::Refused)
    }

    /// The password that the account is to have, which keeps its policy and which its target can
    /// take.
    async fn chosen_for(
        &self,
        job: &Job<'_>,
        account: &Account,
        ask: Ask<'_>,
    ) -> Result<Chosen, VaultError> {
        let policy = self.policy_of(ask.resource, Some(account)).await?;
        let chosen = match self.choose(ask.new, &policy, &account.name)? {
            Ok(chosen) => chosen,
            Err(violation) => return Err(self.breaks_by(ask.deed, violation, ask.by).await),
        };
        if self.reused(&chosen.password, &policy, account).await? {
            let violation = PolicyViolation::Reused(policy.no_reuse);
            return Err(self.breaks_by(ask.deed, violation, ask.by).await);
        }
        if let Err(trouble) = job.suits(&chosen.password) {
            let answer = VaultError::RemoteReset(trouble.to_string());
            let deed = ask.deed.clone().detail(trouble.to_string());
            let why = RefusalReason::Invalid;
            return Err(self.refuse_by(&deed, why, answer, ask.by).await);
        }
        Ok(chosen)
    }

    async fn breaks_by(&self, deed: &Deed, violation: PolicyViolation, by: By<'_>) -> VaultError {
        let deed = deed.clone().detail(violation.to_string());
        self.refuse_by(&deed, RefusalReason::Policy, violation.into(), by)
            .await
    }

    /// Seals both passwords before the target is touched, if nobody else is at it and the caller
    /// still holds what it must hold.
    async fn seal_pending(
        &self,
        mut account: Kept<Account>,
        wish: &Wish<'_>,
        hold: Option<&Kept<Custody>>,
    ) -> Result<Kept<PendingRow>, VaultError> {
        let key = self
            .rows
            .places()
            .pending(account.record.resource, account.record.id);
        for _ in 0..TRIES {
            let pending = self.pending_for(&account.record, wish).await?;
            let mut changes = self.rows.changes();
            changes.depend_on(&account);
            match hold {
                Some(hold) => changes.depend_on(hold),
                None => {
                    let account = &account.record;
                    self.depend_on_no_holder(&mut changes, account).await?;
                }
            }
            changes.add(key.clone(), &pending)?;
            match changes.commit().await.map_err(VaultError::from) {
                Ok(()) => {
                    return Ok(Kept {
                        key,
                        version: 1,
                        record: pending,
                    });
                }
                Err(VaultError::Conflict) => {}
                Err(other) => return Err(other),
            }
            if let Some(hold) = hold {
                self.still_so(hold).await?;
            }
            let again = self.rows.get::<Account>(account.key.clone()).await?;
            account = again.ok_or(VaultError::Refused)?;
        }
        Err(VaultError::Conflict)
    }

    /// Nobody holds it, and nobody takes it before this is sealed: what somebody was given would
    /// soon open nothing.
    async fn depend_on_no_holder(
        &self,
        changes: &mut Changes<'_>,
        account: &Account,
    ) -> Result<(), VaultError> {
        let key = self.rows.places().custody(account.resource, account.id);
        match self.rows.get::<Custody>(key.clone()).await? {
            Some(custody) if custody.record.is_held(self.clock.now()) => {
                return Err(VaultError::RemoteReset(HELD.to_owned()));
            }
            Some(custody) => changes.depend_on(&custody),
            None => changes.depend_on_none(key),
        }
        Ok(())
    }

    async fn pending_for(
        &self,
        account: &Account,
        wish: &Wish<'_>,
    ) -> Result<PendingRow, VaultError> {
        let key = self.rows.places().secret(account.id, account.secret);
        let stored = self.rows.get::<SecretRow>(key).await?;
        let old = stored.ok_or(VaultError::Conflict)?.record.password;
        let now = self.clock.now();
        Ok(PendingRow {
            org: wish.org,
            since: now,
            by: match wish.by {
                By::Caller(caller, _) => caller.user(),
                By::Server(_) => None,
            },
            generated: wish.chosen.generated,
            accepted: false,
            vouched: wish.vouched,
            told: now,
            tries: 0,
            next: now,
            why: String::new(),
            old,
            new: copied(&wish.chosen.password)?,
        })
    }

    /// Tells the target, finds out which password it has, and puts that in force.
    async fn carry_out(
        &self,
        job: &Job<'_>,
        mut pending: Kept<PendingRow>,
        by: By<'_>,
    ) -> Result<(), VaultError> {
        fault("sealed");
        let deed = job.deed.clone().detail("the target is told");
        self.write_by(&deed, Outcome::Allowed, by).await?;
        fault("told");
        let told = job.tell(&pending.record).await;
        fault("changed");
        // However long it took until it was told: its time begins now.
        let asked = self.clock.now();
        pending.record.told = asked;
        // What dies here does not know that the target has said yes. It could only if every row
        // said so from the start; then none that a crash left behind would ever be given up.
        if told.is_ok() {
            self.note_taken(&mut pending).await?;
        }
        let finding = match told {
            Err(ConnectorError::Untouched(Trouble::LoginRefused(who))) if job.is_healed() => {
                self.locked_out(job, &pending.record, who).await?
            }
            Err(ConnectorError::Untouched(trouble)) => Finding::Untouched(trouble.to_string()),
            Err(ConnectorError::Unclear(trouble)) => {
                self.find_out(job, &pending.record, Some(&trouble)).await?
            }
            Ok(()) => match job.opens(&pending.record.new).await {
                Ok(true) => Finding::New,
                Ok(false) | Err(_) => self.find_out(job, &pending.record, None).await?,
            },
        };
        fault("found-out");
        self.conclude(job, pending, (finding, asked), by).await
    }

    /// The account cannot change its own password: somebody else has changed it, and where no login
    /// says otherwise, the reconcile account puts that right.
    async fn locked_out(
        &self,
        job: &Job<'_>,
        pending: &PendingRow,
        who: String,
    ) -> Result<Finding, VaultError> {
        Ok(match self.find_out(job, pending, None).await? {
            clear @ (Finding::New | Finding::None) => clear,
            _ => Finding::Untouched(Trouble::LoginRefused(who).to_string()),
        })
    }
}

const TRIES: usize = 16;
pub(super) const HELD: &str = "somebody holds it";
const MOVED: &str = "its target or its name was changed just now: ask again";
pub(super) const BUSY: &str = "another reset of this account is under way";
