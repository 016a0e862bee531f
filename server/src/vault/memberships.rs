//! Who is in a group of users, said as a whole.

use crate::domain::{Operation, UserId};
use crate::vault::book::Deed;
use crate::vault::{Caller, UserRef, Vault, VaultError};

impl Vault {
    /// Takes users out of a group and puts others into it: all of it at once, or nothing. Who is out
    /// already stays out.
    ///
    /// # Errors
    /// As for [`Self::add_member`].
    pub async fn change_members(
        &self,
        group: &str,
        (out, into): (&[UserId], &[UserId]),
        caller: &Caller,
    ) -> Result<(), VaultError> {
        let words = format!("{} out of {group}, {} into it", told(out), told(into));
        let deed = Deed::new(Operation::Group).detail(words);
        self.primary_only(&deed, caller).await?;
        let kept = self.administered_group(group, &deed, caller).await?;
        let (mut changes, group) = (self.rows.changes(), &kept.record);
        changes.depend_on(&kept);
        for id in out {
            let user = self.administered(UserRef::Id(*id), &deed, caller).await?;
            self.take_out(&mut changes, group, &user.record).await?;
        }
        for id in into {
            let user = self.administered(UserRef::Id(*id), &deed, caller).await?;
            if let Err((why, answer)) = self.may_join(group, &user.record).await? {
                return Err(self.refuse(&deed, why, answer, caller).await);
            }
            self.enlist(&mut changes, group, &user).await?;
        }
        let places = self.has_places(group, (out.len(), into.len())).await?;
        if let Err((why, answer)) = places {
            return Err(self.refuse(&deed, why, answer, caller).await);
        }
        self.allow(&deed, caller).await?;
        let done = changes.commit().await.map_err(VaultError::from);
        self.settle(&deed, done, caller).await
    }
}

fn told(users: &[UserId]) -> String {
    let ids: Vec<_> = users.iter().map(ToString::to_string).collect();
    format!("users [{}]", ids.join(" "))
}
