//! Groups of users: making and removing them, and who is in them.

use crate::domain::{
    FreeText, Grantee, Group, GroupId, GroupName, NameError, Operation, OrgId, RefusalReason, User,
    UserId,
};
use crate::store::rows::{Changes, Ids, Kept};
use crate::vault::applications::No;
use crate::vault::book::Deed;
use crate::vault::id_block::IdKind;
use crate::vault::leftovers::Leftover;
use crate::vault::settings::number;
use crate::vault::users::last_number;
use crate::vault::{Caller, SettingView, Settings, Vault, VaultError};

/// A group to be made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewGroup {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub description: String,
}

impl Vault {
    /// Makes a group with nobody in it.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::Invalid`], [`VaultError::Exists`].
    pub async fn add_group(&self, new: &NewGroup, caller: &Caller) -> Result<Group, VaultError> {
        let deed = Deed::new(Operation::Group).detail(format!("add {}", new.name));
        self.primary_only(&deed, caller).await?;
        self.administer(&deed, caller).await?;
        let mut group = match self.draft_group(new, caller) {
            Ok(group) => group,
            Err(answer) => {
                let why = RefusalReason::Invalid;
                return Err(self.refuse(&deed, why, answer, caller).await);
            }
        };
        let by_name = self.rows.places().group_by_name(group.org, &group.name);
        if self.rows.get::<Ids>(by_name.clone()).await?.is_some() {
            let (why, answer) = (
                RefusalReason::Exists,
                VaultError::Exists("a group with this name"),
            );
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        group.id = GroupId(self.next_id(IdKind::Group).await?);
        self.allow(&deed, caller).await?;
        let mut changes = self.rows.changes();
        changes.add(self.rows.places().group(group.org, group.id), &group)?;
        changes.add(by_name, &Ids(vec![group.id.0]))?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await?;
        Ok(group)
    }

    /// At most `limit` groups, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`].
    pub async fn groups(
        &self,
        after: Option<GroupId>,
        limit: usize,
        caller: &Caller,
    ) -> Result<Vec<Group>, VaultError> {
        let deed = Deed::new(Operation::List).detail("groups");
        self.administer(&deed, caller).await?;
        self.allow(&deed, caller).await?;
        let (places, org) = (self.rows.places(), caller.org());
        let after = after.map(|id| places.group(org, id));
        let page = self
            .rows
            .page::<Group>(&places.groups(org), after.as_ref(), limit)
            .await?;
        Ok(page.into_iter().map(|kept| kept.record).collect())
    }

    /// The group called `name`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn group(&self, name: &str, caller: &Caller) -> Result<Group, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("group {name}"));
        let kept = self.administered_group(name, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        Ok(kept.record)
    }

    /// The groups that a user is in.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn groups_with(
        &self,
        login: &str,
        caller: &Caller,
    ) -> Result<Vec<Group>, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("groups of {login}"));
        let user = self.administered(login.into(), &deed, caller).await?.record;
        self.allow(&deed, caller).await?;
        let mut groups = Vec::new();
        for id in self.groups_of(user.org, user.id).await? {
            let key = self.rows.places().group(user.org, id);
            groups.extend(self.rows.get::<Group>(key).await?.map(|kept| kept.record));
        }
        Ok(groups)
    }

    /// At most `limit` users who are in a group, after the one with the id `after`.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn members(
        &self,
        group: &str,
        (after, limit): (Option<UserId>, usize),
        caller: &Caller,
    ) -> Result<Vec<User>, VaultError> {
        let deed = Deed::new(Operation::List).detail(format!("members of group {group}"));
        let group = self.administered_group(group, &deed, caller).await?.record;
        self.allow(&deed, caller).await?;
        let places = self.rows.places();
        let after = after.map(|user| places.member(group.id, user));
        let prefix = places.members(group.id);
        let mut users = Vec::new();
        for kept in self
            .rows
            .page::<Ids>(&prefix, after.as_ref(), limit)
            .await?
        {
            let key = places.user(group.org, UserId(last_number(&kept.key)));
            users.extend(self.rows.get::<User>(key).await?.map(|kept| kept.record));
        }
        Ok(users)
    }

    /// Puts a user into a group: what is shared with the group is shared with it at once.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::NotFound`] when there is no such group or user;
    /// [`VaultError::Exists`] when it is in it already; [`VaultError::Invalid`] when the user is
    /// in as many groups as it may be, or the group has as many members.
    pub async fn add_member(
        &self,
        group: &str,
        login: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Group).detail(format!("{login} into {group}"));
        self.primary_only(&deed, caller).await?;
        let group = self.administered_group(group, &deed, caller).await?;
        let user = self.administered(login.into(), &deed, caller).await?;
        if let Err((why, answer)) = self.has_room(&group.record, &user.record).await? {
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        self.allow(&deed, caller).await?;
        let done = self.commit_member(&group, &user).await;
        self.settle(&deed, done, caller).await
    }

    /// Takes a user out of a group: what is shared with the group alone is not shared with it on
    /// its very next request.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`]; [`VaultError::NotFound`] when there is no such group or user,
    /// or it is not in it.
    pub async fn remove_member(
        &self,
        group: &str,
        login: &str,
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Group).detail(format!("{login} out of {group}"));
        self.primary_only(&deed, caller).await?;
        let group = self.administered_group(group, &deed, caller).await?.record;
        let user = self.administered(login.into(), &deed, caller).await?.record;
        let mut changes = self.rows.changes();
        if self.take_out(&mut changes, &group, &user).await?.is_none() {
            let answer = VaultError::NotFound("member of this group");
            let why = RefusalReason::NoSuchThing;
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        self.allow(&deed, caller).await?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }

    /// Removes a group with all that was shared with it; the users stay.
    ///
    /// # Errors
    /// [`VaultError::NotAllowed`], [`VaultError::NotFound`].
    pub async fn remove_group(&self, name: &str, caller: &Caller) -> Result<(), VaultError> {
        let deed = Deed::new(Operation::Group).detail(format!("remove {name}"));
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_group(name, &deed, caller).await?;
        self.allow(&deed, caller).await?;
        let leftover = Leftover::Grantee(kept.record.org, Grantee::Group(kept.record.id));
        let done = self.commit_group_removal(&kept, leftover).await;
        self.settle(&deed, done, caller).await?;
        self.clear_away(leftover).await;
        Ok(())
    }

    pub(super) async fn group_called(
        &self,
        org: OrgId,
        name: &str,
    ) -> Result<Option<Kept<Group>>, VaultError> {
        let Ok(name) = GroupName::parse(name) else {
            return Ok(None);
        };
        let places = self.rows.places();
        let index = self
            .rows
            .get::<Ids>(places.group_by_name(org, &name))
            .await?;
        let Some(&id) = index.as_ref().and_then(|kept| kept.record.0.first()) else {
            return Ok(None);
        };
        let kept = self
            .rows
            .get::<Group>(places.group(org, GroupId(id)))
            .await?;
        // The index finds every spelling; the one that was given must be the group's.
        Ok(kept.filter(|kept| kept.record.name == name))
    }

    /// Takes a user out of all its groups, with it.
    pub(super) async fn clear_memberships(
        &self,
        changes: &mut Changes<'_>,
        user: &User,
    ) -> Result<(), VaultError> {
        let places = self.rows.places();
        let key = places.groups_of(user.org, user.id);
        let Some(kept) = self.rows.get::<Ids>(key).await? else {
            return Ok(());
        };
        for id in &kept.record.0 {
            changes.clear(places.member(GroupId(*id), user.id));
        }
        changes.remove(&kept);
        Ok(())
    }

    pub(super) async fn administered_group(
        &self,
        name: &str,
        deed: &Deed,
        caller: &Caller,
    ) -> Result<Kept<Group>, VaultError> {
        self.administer(deed, caller).await?;
        match self.group_called(caller.org(), name).await? {
            Some(kept) => Ok(kept),
            None => {
                let answer = VaultError::NotFound("group");
                let why = RefusalReason::NoSuchThing;
                Err(self.refuse(deed, why, answer, caller).await)
            }
        }
    }

    fn draft_group(&self, new: &NewGroup, caller: &Caller) -> Result<Group, VaultError> {
        let invalid = |error: NameError| VaultError::Invalid(error.to_string());
        Ok(Group {
            id: GroupId(0),
            org: caller.org(),
            name: GroupName::parse(&new.name).map_err(invalid)?,
            description: FreeText::parse(&new.description).map_err(invalid)?,
            created: self.clock.now(),
        })
    }

    async fn has_room(&self, group: &Group, user: &User) -> Result<Result<(), No>, VaultError> {
        match self.may_join(group, user).await? {
            Ok(()) => self.has_places(group, (0, 1)).await,
            refused => Ok(refused),
        }
    }

    /// That a user is not in a group yet, and in no more than it may be.
    pub(super) async fn may_join(
        &self,
        group: &Group,
        user: &User,
    ) -> Result<Result<(), No>, VaultError> {
        let theirs = self.groups_of(user.org, user.id).await?;
        if theirs.contains(&group.id) {
            let answer = VaultError::Exists("a member");
            return Ok(Err((RefusalReason::Exists, answer)));
        }
        let most = usize::from(self.settings.load().groups_per_user);
        if theirs.len() >= most {
            let words = format!("a user is in {most} groups at most (setting {PER_USER})");
            return Ok(Err((RefusalReason::Invalid, VaultError::Invalid(words))));
        }
        Ok(Ok(()))
    }

    /// That a group has no more members than it may have once these many have left it and come.
    pub(super) async fn has_places(
        &self,
        group: &Group,
        (leave, come): (usize, usize),
    ) -> Result<Result<(), No>, VaultError> {
        let most = usize::from(self.settings.load().members_per_group);
        let prefix = self.rows.places().members(group.id);
        let there = self.rows.page::<Ids>(&prefix, None, most + leave).await?;
        if come > 0 && there.len() + come > most + leave {
            let words = format!("a group has {most} members at most (setting {PER_GROUP})");
            return Ok(Err((RefusalReason::Invalid, VaultError::Invalid(words))));
        }
        Ok(Ok(()))
    }

    async fn commit_member(
        &self,
        group: &Kept<Group>,
        user: &Kept<User>,
    ) -> Result<(), VaultError> {
        let mut changes = self.rows.changes();
        changes.depend_on(group);
        self.enlist(&mut changes, &group.record, user).await?;
        Ok(changes.commit().await?)
    }

    /// A membership; of a user that is removed at the same time it leaves none behind, and of a group
    /// where the changes depend on that.
    pub(super) async fn enlist(
        &self,
        changes: &mut Changes<'_>,
        group: &Group,
        user: &Kept<User>,
    ) -> Result<(), VaultError> {
        let (places, id) = (self.rows.places(), user.record.id);
        changes.depend_on(user);
        changes.add(places.member(group.id, id), &Ids(Vec::new()))?;
        let theirs = places.groups_of(user.record.org, id);
        self.list_in(changes, theirs, &[group.id.0]).await
    }

    /// Takes a user out of a group, or nothing where it is not in it.
    pub(super) async fn take_out(
        &self,
        changes: &mut Changes<'_>,
        group: &Group,
        user: &User,
    ) -> Result<Option<()>, VaultError> {
        let place = self.rows.places().member(group.id, user.id);
        let Some(kept) = self.rows.get::<Ids>(place).await? else {
            return Ok(None);
        };
        changes.remove(&kept);
        let theirs = self.rows.places().groups_of(user.org, user.id);
        self.strike_from(changes, theirs, &[group.id.0]).await?;
        Ok(Some(()))
    }

    async fn commit_group_removal(
        &self,
        kept: &Kept<Group>,
        leftover: Leftover,
    ) -> Result<(), VaultError> {
        let (places, group) = (self.rows.places(), &kept.record);
        let mut changes = self.rows.changes();
        changes.remove(kept);
        changes.clear(places.group_by_name(group.org, &group.name));
        self.leave(&mut changes, leftover)?;
        Ok(changes.commit().await?)
    }

    /// The name of a group, or its id where the group is gone.
    pub(super) async fn group_name(&self, org: OrgId, id: GroupId) -> Result<String, VaultError> {
        let kept = self
            .rows
            .get::<Group>(self.rows.places().group(org, id))
            .await?;
        Ok(kept.map_or_else(
            || format!("(removed group {id})"),
            |kept| kept.record.name.to_string(),
        ))
    }
}

impl Settings {
    pub(super) fn group_views(&self) -> Vec<SettingView> {
        let view = |name, value: u16, about| SettingView {
            name,
            value: value.to_string(),
            about,
        };
        vec![
            view(
                PER_USER,
                self.groups_per_user,
                "how many groups a user may be in: each costs two look-ups (1 to 100)",
            ),
            view(
                PER_GROUP,
                self.members_per_group,
                "how many users may be in a group (1 to 10000)",
            ),
        ]
    }

    /// Sets one of them; `false` when `name` is none of them.
    pub(super) fn set_group(&mut self, name: &str, value: &str) -> Result<bool, String> {
        match name {
            PER_USER => self.groups_per_user = number(name, value, 1..=100)?,
            PER_GROUP => self.members_per_group = number(name, value, 1..=10_000)?,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

const PER_USER: &str = "groups-per-user";
const PER_GROUP: &str = "members-per-group";
