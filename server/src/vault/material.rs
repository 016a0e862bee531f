//! What accounts keep that is no password: files, SSH private keys, API key pairs. Kept, shared,
//! checked out and recorded like passwords; no policy is asked.

use std::sync::Arc;

use crate::domain::{
    Account, AccountId, AccountName, Action, Change, Custody, Material, Operation, Password,
    RefusalReason, ResourceId, SecretKind, SecretVersion,
};
use crate::store::Row;
use crate::store::rows::{Kept, MaterialRow, SecretRow};
use crate::vault::book::Deed;
use crate::vault::find::{Found, Spot};
use crate::vault::id_block::IdKind;
use crate::vault::settings::number;
use crate::vault::{
    AccountRef, Caller, NewAccount, ResourceRef, SettingView, Settings, Vault, VaultError, Wanted,
};

impl Vault {
    /// Adds an account that keeps something else than a password.
    ///
    /// # Errors
    /// As for [`Self::add_account`]; [`VaultError::Invalid`] when it is too large.
    pub async fn add_account_with(
        &self,
        new: &NewAccount<'_>,
        material: Material,
        caller: &Caller,
    ) -> Result<AccountId, VaultError> {
        let mut deed = Deed::new(Operation::CreateAccount)
            .on(&new.resource.words(), new.account)
            .detail(material.kind().as_str());
        self.primary_only(&deed, caller).await?;
        let (resource, mut account) = self.account_draft(new, &mut deed, caller).await?;
        self.fits_size(&material, &deed, caller).await?;
        self.name_is_free(&account, &deed, caller).await?;
        account.id = AccountId(self.next_id(IdKind::Account).await?);
        account.kind = material.kind();
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.depend_on(&resource);
        self.add_account_row(&mut changes, &account)?;
        let change = Change {
            version: account.secret,
            at: account.created,
            by: caller.user(),
            generated: false,
        };
        let key = self.rows.places().secret(account.id, account.secret);
        changes.add(key, &MaterialRow { change, material })?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        Ok(account.id)
    }

    /// What the account that is wanted keeps, where it is no password.
    ///
    /// # Errors
    /// As for [`Self::retrieve`]; [`VaultError::Invalid`] where it is a password.
    pub async fn material(
        &self,
        wanted: &Wanted<'_>,
        caller: &Caller,
    ) -> Result<Material, VaultError> {
        let mut deed = Deed::new(Operation::Retrieve).on_wanted(wanted);
        let (spot, hold, material) = self.material_in_force(wanted, &mut deed, caller).await?;
        let deed = deed.detail(material.kind().as_str());
        let at = self.allow_at(&deed, caller).await?;
        if hold.is_some() {
            // Its time may have run out, or an approver may have taken it back, meanwhile.
            self.hold(&spot, &deed, caller).await?;
        }
        self.note_access(spot, at);
        Ok(material)
    }

    /// Whether `caller` may keep something under a name on a resource: change what is there, or make
    /// it. To be asked where opening what was sent costs more than asking.
    ///
    /// # Errors
    /// [`VaultError::Refused`] for what it may not see; [`VaultError::NotAllowed`].
    pub async fn may_keep(
        &self,
        (resource, name): (ResourceId, &AccountName),
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let place = ResourceRef::Id(resource);
        let wanted = Wanted::of(place, AccountRef::Named(name.as_str()));
        let mut deed = Deed::new(Operation::Change).on_wanted(&wanted);
        self.primary_only(&deed, caller).await?;
        let found = self.account_called(resource, name.as_str()).await?;
        if found.is_some() {
            let found = self.find(&wanted, Action::Change, &mut deed, caller);
            return found.await.map(drop);
        }
        let found = self.find_resource(place, Action::Manage, &mut deed, caller);
        found.await.map(drop)
    }

    /// Gives the account that is wanted another file, key or pair, of the kind that it keeps.
    ///
    /// # Errors
    /// As for [`Self::material`]; [`VaultError::NotAllowed`] for whoever may not change it;
    /// [`VaultError::Invalid`] when it is of another kind, or too large.
    pub async fn change_material(
        &self,
        wanted: &Wanted<'_>,
        material: Material,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let mut deed = Deed::new(Operation::Change)
            .on_wanted(wanted)
            .detail(material.kind().as_str());
        self.primary_only(&deed, caller).await?;
        let found = self.find(wanted, Action::Change, &mut deed, caller).await?;
        self.demand(found.demands(), wanted, &deed, caller).await?;
        let hold = self.hold(&found.spot(), &deed, caller).await?;
        let kind = found.account.record.kind;
        if kind != material.kind() {
            return Err(self.keeps_other(kind, &deed, caller).await);
        }
        self.fits_size(&material, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let done = self
            .put_material(&found, material, hold.as_ref(), caller)
            .await;
        self.settle(&deed, done, caller).await
    }

    /// The secret in force as text: a password, with the sealed row that it is in, an SSH private
    /// key, the secret of an API key. A file is refused; nothing where its version was forgotten
    /// meanwhile.
    pub(super) async fn text_at(
        &self,
        spot: &Spot,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<Option<(Password, Option<Arc<Row>>)>, VaultError> {
        let key = self.rows.places().secret(spot.account, spot.secret);
        if spot.kind == SecretKind::Password {
            let Some(row) = self.rows.store().get(&key).await? else {
                return Ok(None);
            };
            let opened = self.rows.record::<SecretRow>(&row)?;
            return Ok(Some((opened.password, Some(Arc::new(row)))));
        }
        *deed = deed.clone().detail(spot.kind.as_str());
        let Some(kept) = self.rows.get::<MaterialRow>(key).await? else {
            return Ok(None);
        };
        match kept.record.material.into_text() {
            Some(text) => Ok(Some((text, None))),
            None => Err(self.keeps_other(spot.kind, deed, caller).await),
        }
    }

    /// Refuses to treat what is no password as one.
    pub(super) async fn keeps_password(
        &self,
        account: &Account,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        match account.kind {
            SecretKind::Password => Ok(()),
            other => Err(self.keeps_other(other, deed, caller).await),
        }
    }

    /// When and by whom a version of an account's secret became the one in force.
    pub(super) async fn change_at(
        &self,
        account: &Account,
        version: SecretVersion,
    ) -> Result<Option<Change>, VaultError> {
        let key = self.rows.places().secret(account.id, version);
        if account.kind == SecretKind::Password {
            let kept = self.rows.get::<SecretRow>(key).await?;
            return Ok(kept.map(|kept| kept.record.change));
        }
        let kept = self.rows.get::<MaterialRow>(key).await?;
        Ok(kept.map(|kept| kept.record.change))
    }

    async fn material_in_force(
        &self,
        wanted: &Wanted<'_>,
        deed: &mut Deed,
        caller: &Caller,
    ) -> Result<(Spot, Option<Kept<Custody>>, Material), VaultError> {
        for _ in 0..TRIES {
            let found = self.find(wanted, Action::Retrieve, deed, caller).await?;
            let spot = found.spot();
            let hold = self.hold(&spot, deed, caller).await?;
            self.demand(spot.demands, wanted, deed, caller).await?;
            if spot.kind == SecretKind::Password {
                return Err(self.keeps_other(spot.kind, deed, caller).await);
            }
            let key = self.rows.places().secret(spot.account, spot.secret);
            if let Some(kept) = self.rows.get::<MaterialRow>(key).await? {
                return Ok((spot, hold, kept.record.material));
            }
        }
        Err(VaultError::Conflict)
    }

    /// Writes the next version; tried again when somebody else changed the account meanwhile.
    async fn put_material(
        &self,
        found: &Found,
        material: Material,
        hold: Option<&Kept<Custody>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let mut kept = found.account.clone();
        let mut row = MaterialRow {
            change: Change {
                version: kept.record.secret,
                at: kept.record.changed,
                by: caller.user(),
                generated: false,
            },
            material,
        };
        for _ in 0..TRIES {
            let mut changes = self.rows.changes();
            if let Some(hold) = hold {
                changes.depend_on(hold);
            }
            let account = self.next_version(&mut changes, &kept.record);
            (row.change.version, row.change.at) = (account.secret, account.changed);
            let key = self.rows.places().secret(account.id, account.secret);
            changes.add(key, &row)?;
            changes.replace(&kept, &account)?;
            match changes.commit().await.map_err(VaultError::from) {
                Err(VaultError::Conflict) => {
                    // Whoever has given it back, or was sent away, changes nothing any more.
                    if let Some(hold) = hold {
                        self.still_so(hold).await?;
                    }
                    let again = self.rows.get::<Account>(kept.key).await?;
                    kept = again.ok_or(VaultError::Refused)?;
                }
                other => return other,
            }
        }
        Err(VaultError::Conflict)
    }

    async fn fits_size(
        &self,
        material: &Material,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let most = self.settings.load().file_kib;
        if material.expose().len() <= usize::from(most) * 1024 {
            return Ok(());
        }
        let answer = VaultError::Invalid(format!(
            "a file has {most} KiB at most (setting {FILE_KIB})"
        ));
        let why = RefusalReason::Invalid;
        Err(self.refuse(deed, why, answer, caller).await)
    }

    pub(super) async fn keeps_other(
        &self,
        kind: SecretKind,
        deed: &Deed,
        caller: &Caller,
    ) -> VaultError {
        let answer = VaultError::Invalid(words(kind).to_owned());
        self.refuse(deed, RefusalReason::Invalid, answer, caller)
            .await
    }
}

/// What an account keeps that was taken for something else.
fn words(kind: SecretKind) -> &'static str {
    match kind {
        SecretKind::Password => "this account keeps a password",
        SecretKind::File => "this account keeps a file, which is no text",
        SecretKind::SshKey => "this account keeps an SSH private key",
        SecretKind::ApiKey => "this account keeps an API key",
    }
}

impl Settings {
    pub(super) fn file_view(&self) -> SettingView {
        SettingView {
            name: FILE_KIB,
            value: self.file_kib.to_string(),
            about: "how large a file may be that an account keeps, in KiB (1 to 4096)",
        }
    }

    /// Sets it; `false` when `name` is another.
    pub(super) fn set_file(&mut self, name: &str, value: &str) -> Result<bool, String> {
        if name == FILE_KIB {
            self.file_kib = number(name, value, 1..=4096)?;
        }
        Ok(name == FILE_KIB)
    }
}

const FILE_KIB: &str = "file-kib";
const TRIES: usize = 64;
