//! Listing, looking at, editing and removing resources.

use std::collections::HashMap;

use crate::domain::{
    Action, CustomField, Decision, FreeText, NameError, Operation, OrgId, PolicyId, RefusalReason,
    Resource, ResourceGroup, ResourceId, ResourceName, User, UserId, decide,
};
use crate::store::rows::{Ids, Kept};
use crate::vault::book::Deed;
use crate::vault::leftovers::Leftover;
use crate::vault::{Caller, Filter, ResourceRef, Vault, VaultError};

/// What is to be known of a resource from now on; `None` leaves a thing as it is.
#[derive(Clone, Debug, Default)]
pub struct ResourceEdit {
    /// Its new name.
    pub name: Option<String>,
    /// What kind of thing it is.
    pub kind: Option<String>,
    /// Its DNS name or address.
    pub address: Option<String>,
    /// Where its web page is.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Notes.
    pub notes: Option<String>,
    /// Its department.
    pub department: Option<String>,
    /// Where it stands.
    pub location: Option<String>,
    /// All of its custom fields.
    pub fields: Option<Vec<(String, String)>>,
    /// Its policy; `Some(None)` is the default again.
    pub policy: Option<Option<PolicyId>>,
    /// Whether a reason is demanded; `Some(None)` is the system's setting again.
    pub reason_demanded: Option<Option<bool>>,
    /// Whether a ticket is demanded; `Some(None)` is the system's setting again.
    pub ticket_demanded: Option<Option<bool>>,
    /// Its new owner's login.
    pub owner: Option<String>,
    /// The name of a group of resources that it is put into, if it is not in it.
    pub group: Option<String>,
}

impl ResourceEdit {
    /// Writes what is to change into `resource`, but for the owner, who must be looked up.
    pub(super) fn apply(&self, resource: &mut Resource) -> Result<(), VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        if let Some(name) = &self.name {
            resource.name = ResourceName::parse(name).map_err(invalid)?;
        }
        let texts = [
            (&self.kind, &mut resource.kind),
            (&self.address, &mut resource.address),
            (&self.url, &mut resource.url),
            (&self.description, &mut resource.description),
            (&self.notes, &mut resource.notes),
            (&self.department, &mut resource.department),
            (&self.location, &mut resource.location),
        ];
        for (new, place) in texts {
            if let Some(new) = new {
                *place = FreeText::parse(new).map_err(invalid)?;
            }
        }
        if let Some(fields) = &self.fields {
            resource.fields = custom_fields(fields)?;
        }
        resource.policy = self.policy.unwrap_or(resource.policy);
        resource.reason_demanded = self.reason_demanded.unwrap_or(resource.reason_demanded);
        resource.ticket_demanded = self.ticket_demanded.unwrap_or(resource.ticket_demanded);
        Ok(())
    }
}

/// Parses custom fields, up to [`CustomField::LIMIT`] of them.
pub(super) fn custom_fields(fields: &[(String, String)]) -> Result<Vec<CustomField>, VaultError> {
    if fields.len() > CustomField::LIMIT {
        let limit = CustomField::LIMIT;
        return Err(VaultError::Invalid(format!(
            "there can be at most {limit} custom fields"
        )));
    }
    let invalid = |error: NameError| VaultError::Invalid(error.to_string());
    let parse = |(label, value): &(String, String)| {
        let label = FreeText::parse(label).map_err(invalid)?;
        Ok(CustomField {
            label,
            value: FreeText::parse(value).map_err(invalid)?,
        })
    };
    fields.iter().map(parse).collect()
}

/// A resource as its lists show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceView {
    /// The resource.
    pub resource: Resource,
    /// Its owner's login; `None` is the operator.
    pub owner: Option<String>,
    /// How many accounts of it whoever asks may see.
    pub accounts: usize,
}

impl Vault {
    /// At most `limit` resources that `caller` may see, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::Unavailable`].
    pub async fn resources(
        &self,
        after: Option<ResourceId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<ResourceView>, VaultError> {
        self.allow(&Deed::new(Operation::List).detail("resources"), caller)
            .await?;
        let ids = self.ids_seen(after, limit, caller).await?;
        let mut seen = Vec::with_capacity(ids.len());
        let mut logins = HashMap::new();
        for id in ids {
            seen.extend(self.listed_view(id, &mut logins, caller).await?);
        }
        Ok(seen)
    }

    /// The next resources that `caller` may see.
    pub(super) async fn ids_seen(
        &self,
        after: Option<ResourceId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<ResourceId>, VaultError> {
        if caller.reaches_all() {
            return self.ids_after(after, limit, caller.org()).await;
        }
        // Only what is theirs, whatever others have.
        let filter = Filter {
            after: after.map(|id| id.0),
            ..Filter::page(0, limit)
        };
        Ok(self.listed(&filter, caller).await?.ids)
    }

    /// The next resources of an organisation, from the store itself: whoever goes through all of
    /// them needs no list in memory.
    async fn ids_after(
        &self,
        after: Option<ResourceId>,
        limit: usize,
        org: OrgId,
    ) -> Result<Vec<ResourceId>, VaultError> {
        let places = self.rows.places();
        let after = after.map(|id| places.resource(org, id));
        let prefix = places.resources(org);
        let rows = self.rows.store().scan(&prefix, after.as_ref(), limit);
        let rows = rows.await?;
        let ids = rows.iter().filter_map(|row| row.key.number_at(1));
        Ok(ids.map(ResourceId).collect())
    }

    /// One resource.
    ///
    /// # Errors
    /// [`VaultError::Refused`] when there is none that `caller` may see.
    pub async fn resource(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        caller: &Caller,
    ) -> Result<ResourceView, VaultError> {
        let resource = resource.into();
        let mut deed = Deed::new(Operation::List).on(&resource.words(), "");
        let kept = self.find_visible(resource, &mut deed, caller).await?;
        self.allow(&deed, caller).await?;
        let shown = self
            .listed_view(kept.record.id, &mut HashMap::new(), caller)
            .await?;
        // Removed in between.
        shown.ok_or(VaultError::Refused)
    }

    /// Changes what is known of a resource.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`], [`VaultError::Invalid`],
    /// [`VaultError::ResourceExists`] when its new name is taken.
    pub async fn edit_resource(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        edit: &ResourceEdit,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let resource = resource.into();
        let mut deed = Deed::new(Operation::EditResource).on(&resource.words(), "");
        self.primary_only(&deed, caller).await?;
        let kept = self
            .find_resource(resource, Action::Manage, &mut deed, caller)
            .await?;
        let mut resource = kept.record.clone();
        if let Err(answer) = edit.apply(&mut resource) {
            return Err(self
                .refuse(&deed, RefusalReason::Invalid, answer, caller)
                .await);
        }
        if let Some(login) = &edit.owner {
            resource.owner = Some(self.heir(&kept.record, login, &deed, caller).await?);
        }
        self.policy_exists(resource.policy, &deed, caller).await?;
        let joins = self.group_to_join(edit.group.as_deref(), &deed, caller);
        let joins = joins.await?;
        let mut words = changed_words(&kept.record, &resource);
        if let Some(group) = &joins {
            words.push(format!("into resource group {}", group.record.name));
        }
        self.allow(&deed.clone().detail(words.join(", ")), caller)
            .await?;
        let done = self.commit_edit(&kept, &resource, joins.as_ref()).await;
        self.settle(&deed, done, caller).await
    }

    /// Removes a resource with its accounts, passwords and shares.
    ///
    /// # Errors
    /// [`VaultError::Refused`], [`VaultError::NotAllowed`].
    pub async fn remove_resource(
        &self,
        resource: impl Into<ResourceRef<'_>>,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let resource = resource.into();
        let mut deed = Deed::new(Operation::RemoveResource).on(&resource.words(), "");
        self.primary_only(&deed, caller).await?;
        let kept = self
            .find_resource(resource, Action::Manage, &mut deed, caller)
            .await?;
        self.allow(&deed, caller).await?;
        let done = self.commit_removal(&kept).await;
        self.settle(&deed, done, caller).await?;
        self.clear_away(Leftover::Resource(kept.record.id)).await;
        Ok(())
    }

    async fn commit_edit(
        &self,
        kept: &Kept<Resource>,
        resource: &Resource,
        joins: Option<&Kept<ResourceGroup>>,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let old = places.resource_by_name(resource.org, &kept.record.name);
        let new = places.resource_by_name(resource.org, &resource.name);
        let mut changes = self.rows.changes();
        if old != new {
            if self.rows.get::<Ids>(new.clone()).await?.is_some() {
                return Err(VaultError::ResourceExists);
            }
            changes.clear(old);
            changes.add(new, &Ids(vec![resource.id.0]))?;
        }
        if kept.record.owner != resource.owner {
            if let Some(owner) = kept.record.owner {
                changes.clear(places.resource_by_owner(owner, resource.id));
            }
            if let Some(owner) = resource.owner {
                changes.add(
                    places.resource_by_owner(owner, resource.id),
                    &Ids(Vec::new()),
                )?;
            }
        }
        changes.replace(kept, resource)?;
        if let Some(group) = joins
            && !self.is_in(resource.id, group.record.id).await?
        {
            self.put_into(&mut changes, resource.id, group)?;
        }
        Ok(changes.commit().await?)
    }

    async fn commit_removal(&self, kept: &Kept<Resource>) -> Result<(), VaultError> {
        let places = self.rows.places();
        let resource = &kept.record;
        let mut changes = self.rows.changes();
        changes.remove(kept);
        changes.clear(places.resource_by_name(resource.org, &resource.name));
        if let Some(owner) = resource.owner {
            changes.clear(places.resource_by_owner(owner, resource.id));
        }
        self.leave(&mut changes, Leftover::Resource(resource.id))?;
        Ok(changes.commit().await?)
    }

    /// Whether `caller` may see a resource with this owner and id.
    pub(super) async fn may_see(
        &self,
        owner: Option<UserId>,
        resource: ResourceId,
        caller: &Caller,
    ) -> Result<bool, VaultError> {
        let share = self.share_of(caller, resource, None).await?;
        match decide(Action::See, caller.standing(owner, share)) {
            Decision::Allowed => Ok(true),
            Decision::Denied => Ok(false),
            // Somebody who has one account of it may know that the resource is there.
            Decision::Hidden => self.has_share_on(resource, caller).await,
        }
    }

    /// The login and the full name of a user, or its id where the user is gone.
    pub(super) async fn names_of(
        &self,
        org: OrgId,
        id: UserId,
    ) -> Result<(String, String), VaultError> {
        let key = self.rows.places().user(org, id);
        let kept = self.rows.get::<User>(key).await?;
        let gone = || format!("(removed user {id})");
        Ok(kept.map_or_else(
            || (gone(), gone()),
            |kept| {
                (
                    kept.record.login(),
                    kept.record.full_name.as_str().to_owned(),
                )
            },
        ))
    }

    /// The login of a user, or its id where the user is gone.
    pub(super) async fn login_of(&self, org: OrgId, id: UserId) -> Result<String, VaultError> {
        let kept = self
            .rows
            .get::<User>(self.rows.places().user(org, id))
            .await?;
        Ok(kept.map_or_else(
            || format!("(removed user {id})"),
            |kept| kept.record.login(),
        ))
    }

    /// The user to whom `caller` gives `resource`: whoever it likes where it is its own, or where
    /// all are its to give.
    async fn heir(
        &self,
        resource: &Resource,
        login: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<UserId, VaultError> {
        let heir = self.grantee(login.into(), deed, caller).await?.record.id;
        let decision = decide(Action::GiveAway, caller.standing(resource.owner, None));
        if resource.owner == Some(heir) || decision == Decision::Allowed {
            return Ok(heir);
        }
        let why = RefusalReason::NotAllowed;
        Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await)
    }

    /// The user whom `caller` makes an owner: itself, or anybody where it is an administrator.
    pub(super) async fn owner_called(
        &self,
        login: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<UserId, VaultError> {
        let allowed = decide(Action::Administer, caller.standing(None, None)) == Decision::Allowed;
        if !allowed && caller.login() != login {
            let why = RefusalReason::NotAllowed;
            return Err(self.refuse(deed, why, VaultError::NotAllowed, caller).await);
        }
        Ok(self.grantee(login.into(), deed, caller).await?.record.id)
    }
}

/// Which things differ, for the audit trail: names of fields, not what is in them.
fn changed_words(old: &Resource, new: &Resource) -> Vec<String> {
    let mut words = Vec::new();
    if old.name != new.name {
        words.push(format!("name: {}", new.name));
    }
    let things = [
        ("kind", old.kind != new.kind),
        ("address", old.address != new.address),
        ("url", old.url != new.url),
        ("description", old.description != new.description),
        ("notes", old.notes != new.notes),
        ("department", old.department != new.department),
        ("location", old.location != new.location),
        ("fields", old.fields != new.fields),
        ("policy", old.policy != new.policy),
        (
            "reason demanded",
            old.reason_demanded != new.reason_demanded,
        ),
        (
            "ticket demanded",
            old.ticket_demanded != new.ticket_demanded,
        ),
        ("owner", old.owner != new.owner),
    ];
    words.extend(
        things
            .iter()
            .filter(|(_, is)| *is)
            .map(|(word, _)| (*word).to_owned()),
    );
    words
}
