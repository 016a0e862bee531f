//! How a target is reached: said by whoever manages the resource and this house, and tried without
//! changing anything.

use crate::connectors::Site;
use crate::domain::{
    Account, Action, Connector, ConnectorKind, FreeText, HeldAccount, Operation, Pin,
    RefusalReason, ResetTarget, Resource, SecretKind, Wire,
};
use crate::store::rows::Kept;
use crate::vault::book::Deed;
use crate::vault::find::Found;
use crate::vault::{Caller, ResourceRef, Vault, VaultError, Wanted};

/// How a target is to be reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewTarget {
    /// What speaks to it.
    pub connector: Connector,
    /// Its DNS name or address; empty is the resource's.
    pub host: String,
    /// Its port; `None` is the usual one.
    pub port: Option<u16>,
    /// How what is said is kept from others.
    pub wire: Wire,
    /// Resource and account of who changes the passwords of others.
    pub admin: Option<(String, String)>,
    /// Resource and account of who puts lost ones right.
    pub reconcile: Option<(String, String)>,
    /// The host key or certificate that it must show.
    pub pin: Option<Pin>,
}

/// How a target is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetView {
    /// The target.
    pub target: ResetTarget,
    /// Resource and account of who changes the passwords of others.
    pub admin: Option<(String, String)>,
    /// Resource and account of who puts lost ones right.
    pub reconcile: Option<(String, String)>,
}

/// What came of a try.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetTest {
    /// The host key or certificate that it shows.
    pub shown: Option<Pin>,
    /// Whether that is the one pinned.
    pub trusted: bool,
    /// Who logged in.
    pub account: String,
    /// Whether that went well; `None` where nobody tried.
    pub login: Option<bool>,
    /// What went wrong.
    pub trouble: Option<String>,
}

impl Vault {
    /// Says how the passwords of a resource are changed on their target. The pin stays where the
    /// target is the same.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`] for whoever does not manage the resource,
    /// may not use the administrative account, or does not govern the house: a target is an address
    /// that this server goes to. A program that it runs is for the operator alone to name.
    /// [`VaultError::Waiting`] and [`VaultError::InUse`] where the administrative account is under
    /// access control; [`VaultError::Invalid`].
    pub async fn set_reset_target(
        &self,
        resource: ResourceRef<'_>,
        new: &NewTarget,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (mut deed, kept) = self.managed_target(resource, "set", caller).await?;
        if new.connector.kind() == ConnectorKind::Command && !caller.is_operator() {
            let answer = VaultError::NotAllowed;
            let why = RefusalReason::NotAllowed;
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        let admin = self.held(new.admin.as_ref(), caller).await?;
        let reconcile = self.held(new.reconcile.as_ref(), caller).await?;
        let target = match drafted(&kept.record, new) {
            Ok(target) => ResetTarget {
                admin,
                reconcile,
                ..target
            },
            Err(why) => {
                let answer = VaultError::Invalid(why.to_owned());
                let reason = RefusalReason::Invalid;
                return Err(self.refuse(&deed, reason, answer, caller).await);
            }
        };
        deed = deed.detail(words(&target));
        let _unmoved = self
            .move_target(kept.record.id, Some(&target), &deed, caller)
            .await?;
        self.allow(&deed, caller).await?;
        let done = self.commit_target(&kept, target).await;
        self.settle(&deed, done, caller).await
    }

    /// How the passwords of a resource are changed on their target.
    ///
    /// # Errors
    /// As for [`Self::set_reset_target`]; [`VaultError::NotFound`] when nothing was said.
    pub async fn reset_target(
        &self,
        resource: ResourceRef<'_>,
        caller: &Caller,
    ) -> Result<TargetView, VaultError> {
        let (deed, kept) = self.managed_target(resource, "show", caller).await?;
        let target = self.target_of(&kept.record, &deed, caller).await?.record;
        self.allow(&deed, caller).await?;
        Ok(TargetView {
            admin: self.held_names(target.admin, &target).await?,
            reconcile: self.held_names(target.reconcile, &target).await?,
            target,
        })
    }

    /// Passwords of the resource change here only from now on.
    ///
    /// # Errors
    /// As for [`Self::reset_target`].
    pub async fn remove_reset_target(
        &self,
        resource: ResourceRef<'_>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let (deed, kept) = self.managed_target(resource, "remove", caller).await?;
        let target = self.target_of(&kept.record, &deed, caller).await?;
        let _unmoved = self
            .move_target(kept.record.id, None, &deed, caller)
            .await?;
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.remove(&target);
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Looks what the target shows, trusts that if it is `trust`, and logs in: with the named
    /// account, or the administrative one. Changes no password.
    ///
    /// # Errors
    /// As for [`Self::reset_target`]; [`VaultError::Invalid`] when the target shows something else than
    /// what is to be trusted.
    pub async fn test_reset_target(
        &self,
        resource: ResourceRef<'_>,
        account: &str,
        trust: Option<Pin>,
        caller: &Caller,
    ) -> Result<TargetTest, VaultError> {
        let verb = trust.map_or("test".to_owned(), |pin| format!("test, trust {pin}"));
        let (deed, kept) = self.managed_target(resource, &verb, caller).await?;
        let mut target = self.target_of(&kept.record, &deed, caller).await?;
        let shown = match self.shown_by(&target.record).await {
            Ok(shown) => shown,
            Err(why) => {
                return self
                    .tried(&deed, None, (String::new(), Err(why)), caller)
                    .await;
            }
        };
        if let Some(pin) = trust {
            if shown != Some(pin) {
                let answer = VaultError::Invalid(OTHER.to_owned());
                let reason = RefusalReason::Target;
                return Err(self.refuse(&deed, reason, answer, caller).await);
            }
            self.allow(&deed, caller).await?;
            let pinned = ResetTarget {
                pin: trust,
                ..target.record.clone()
            };
            let mut changes = self.rows.changes();
            changes.replace(&target, &pinned)?;
            let done = changes.commit().await.map_err(VaultError::from);
            self.settle(&deed, done, caller).await?;
            target.record = pinned;
        }
        let trusted = shown.is_none() || target.record.pin == shown;
        let login = match trusted {
            true => self.try_login(&kept.record, account, caller).await?,
            false => (String::new(), Ok(None)),
        };
        let test = self.tried(&deed, shown, login, caller).await?;
        Ok(TargetTest { trusted, ..test })
    }

    async fn tried(
        &self,
        deed: &Deed,
        shown: Option<Pin>,
        (account, login): (String, Result<Option<bool>, String>),
        caller: &Caller,
    ) -> Result<TargetTest, VaultError> {
        self.allow(deed, caller).await?;
        Ok(TargetTest {
            shown,
            trusted: false,
            account,
            login: login.as_ref().ok().copied().flatten(),
            trouble: login.err(),
        })
    }

    async fn shown_by(&self, target: &ResetTarget) -> Result<Option<Pin>, String> {
        let tools = self
            .tools()
            .ok_or("no connector is set up in this server")?;
        let addresses = self.way_to(target, &tools.limits.allow).await?;
        let connector = tools.connectors.of(target.connector.kind());
        let site = Site {
            target,
            addresses: &addresses,
            patience: tools.limits.timeout,
        };
        let looking = connector.shown(&site);
        match tokio::time::timeout(tools.limits.timeout, looking).await {
            Ok(shown) => shown.map_err(|error| error.to_string()),
            Err(_) => Err("the target took too long".to_owned()),
        }
    }

    async fn try_login(
        &self,
        resource: &Resource,
        account: &str,
        caller: &Caller,
    ) -> Result<(String, Result<Option<bool>, String>), VaultError> {
        let Some(account) = self.account_to_try(resource, account, caller).await? else {
            return Ok((String::new(), Ok(None)));
        };
        let own = account.name.as_str().to_owned();
        let stored = self.stored(&account).await?;
        let job = match self.job(resource, account).await? {
            Ok(job) => job,
            Err(why) => return Ok((own, Err(why))),
        };
        Ok(match job.opens(&stored).await {
            Ok(opens) => (own, Ok(Some(opens))),
            Err(trouble) => (own, Err(trouble.to_string())),
        })
    }

    async fn account_to_try(
        &self,
        resource: &Resource,
        account: &str,
        caller: &Caller,
    ) -> Result<Option<Account>, VaultError> {
        let first;
        let account = match account {
            "" => {
                let prefix = self.rows.places().accounts(resource.id);
                let page = self.rows.page::<Account>(&prefix, None, 1).await?;
                let password = |kept: &Kept<Account>| kept.record.kind == SecretKind::Password;
                let Some(kept) = page.into_iter().next().filter(password) else {
                    return Ok(None);
                };
                first = kept.record.name;
                first.as_str()
            }
            named => named,
        };
        let wanted = Wanted::of(resource.id, account);
        let mut deed = Deed::new(Operation::ResetTarget).on_wanted(&wanted);
        let found = self
            .find(&wanted, Action::Change, &mut deed, caller)
            .await?;
        self.not_kept_from(&found, &deed, caller).await?;
        self.keeps_password(&found.account.record, &deed, caller)
            .await?;
        Ok(Some(found.account.record))
    }

    /// That access control does not keep an account from whoever names it: its password goes to a
    /// machine of that one's choice. The operator chooses for this machine already.
    async fn not_kept_from(
        &self,
        found: &Found,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        if !caller.is_operator() {
            self.hold(&found.spot(), deed, caller).await?;
        }
        Ok(())
    }

    async fn managed_target(
        &self,
        resource: ResourceRef<'_>,
        verb: &str,
        caller: &Caller,
    ) -> Result<(Deed, Kept<Resource>), VaultError> {
        let mut deed = Deed::new(Operation::ResetTarget)
            .on_target(&resource.into())
            .detail(verb);
        self.primary_only(&deed, caller).await?;
        self.govern(&deed, caller).await?;
        let kept = self
            .find_resource(resource, Action::Manage, &mut deed, caller)
            .await?;
        Ok((deed, kept))
    }

    async fn target_of(
        &self,
        resource: &Resource,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<ResetTarget>, VaultError> {
        let key = self.rows.places().reset_target(resource.id);
        match self.rows.get::<ResetTarget>(key).await? {
            Some(kept) => Ok(kept),
            None => {
                let answer = VaultError::NotFound("target");
                let why = RefusalReason::NoSuchThing;
                Err(self.refuse(deed, why, answer, caller).await)
            }
        }
    }

    /// The account that is named, if the caller may retrieve it: else a target would be a way
    /// around a share.
    async fn held(
        &self,
        named: Option<&(String, String)>,
        caller: &Caller,
    ) -> Result<Option<HeldAccount>, VaultError> {
        let Some((resource, account)) = named else {
            return Ok(None);
        };
        let wanted = Wanted::named(resource, account);
        let mut deed = Deed::new(Operation::ResetTarget).on_wanted(&wanted);
        let found = self
            .find(&wanted, Action::Retrieve, &mut deed, caller)
            .await?;
        self.not_kept_from(&found, &deed, caller).await?;
        Ok(Some(HeldAccount {
            resource: found.resource.record.id,
            account: found.account.record.id,
        }))
    }

    async fn held_names(
        &self,
        held: Option<HeldAccount>,
        target: &ResetTarget,
    ) -> Result<Option<(String, String)>, VaultError> {
        let Some(held) = held else { return Ok(None) };
        let key = self.rows.places().resource(target.org, held.resource);
        let resource = self.rows.get::<Resource>(key).await?;
        let resource = resource.map(|kept| kept.record.name.to_string());
        let account = self.account_name(held.resource, held.account).await?;
        let gone = || "(removed)".to_owned();
        Ok(Some((
            resource.unwrap_or_else(gone),
            account.unwrap_or_else(gone),
        )))
    }

    async fn commit_target(
        &self,
        resource: &Kept<Resource>,
        mut target: ResetTarget,
    ) -> Result<(), VaultError> {
        let key = self.rows.places().reset_target(resource.record.id);
        let before = self.rows.get::<ResetTarget>(key.clone()).await?;
        let same = |before: &&Kept<ResetTarget>| {
            let before = &before.record;
            let kind = before.connector.kind() == target.connector.kind();
            kind && before.host == target.host && before.port == target.port
        };
        let pinned = before
            .as_ref()
            .filter(same)
            .and_then(|kept| kept.record.pin);
        target.pin = target.pin.or(pinned);
        let mut changes = self.rows.changes();
        changes.depend_on(resource);
        changes.set(key, before.as_ref(), &target)?;
        Ok(changes.commit().await?)
    }
}

fn drafted(resource: &Resource, new: &NewTarget) -> Result<ResetTarget, &'static str> {
    let kind = new.connector.kind();
    let host = match new.host.trim() {
        "" if kind != ConnectorKind::Command => resource.address.as_str(),
        named => named,
    };
    if host.is_empty() && kind != ConnectorKind::Command {
        return Err("where is it? Say the host, or give the resource an address");
    }
    if host
        .chars()
        .any(|c| c.is_whitespace() || c == '/' || c == '@')
    {
        return Err("the host is a DNS name or an address, nothing else");
    }
    match &new.connector {
        Connector::Command { argv } if !argv.first().is_some_and(|it| it.starts_with('/')) => {
            return Err("the command begins with the whole path of a program");
        }
        Connector::Ldap { dn, .. } if !dn.contains("{account}") => {
            return Err("the DN has {account} where the account's name stands");
        }
        Connector::Ldap {
            directory: crate::domain::Directory::Active,
            ..
        } if new.wire != Wire::Sealed => {
            return Err("Active Directory takes passwords over LDAPS only");
        }
        _ => {}
    }
    if new.wire == Wire::StartTls && kind != ConnectorKind::Ldap {
        return Err("StartTLS is a thing of LDAP");
    }
    if new.wire == Wire::DangerPlain && kind == ConnectorKind::Ssh {
        return Err("SSH is never plain");
    }
    Ok(ResetTarget {
        org: resource.org,
        resource: resource.id,
        connector: new.connector.clone(),
        host: FreeText::parse(host).map_err(|_| "the host is too long")?,
        port: new.port.unwrap_or_else(|| kind.usual_port(new.wire)),
        wire: new.wire,
        admin: None,
        reconcile: None,
        pin: new.pin,
    })
}

/// For the audit trail.
fn words(target: &ResetTarget) -> String {
    let kind = target.connector.kind();
    let mut text = format!("set {kind} {}:{}", target.host.as_str(), target.port);
    if let Connector::Command { argv } = &target.connector {
        text.push_str(", ");
        text.push_str(&argv.join(" "));
    }
    if target.wire == Wire::DangerPlain {
        text.push_str(", unencrypted");
    }
    if let Some(pin) = target.pin {
        text.push_str(&format!(", {pin}"));
    }
    text
}

const OTHER: &str = "the target does not show what is to be trusted";
