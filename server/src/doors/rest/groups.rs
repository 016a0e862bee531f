//! Groups of resources: listed, and what is in them.

use crate::domain::{ResourceGroup, ResourceGroupId, ResourceId};
use crate::doors::rest::Rest;
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Detail, Done, Fields as Out};
use crate::doors::rest::input::Unfit;
use crate::doors::rest::route::number;
use crate::vault::VaultError;

impl Rest {
    pub(super) async fn resource_groups(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let part = self.part(&ask.input.fields()?)?;
        let page = self.vault.known_resource_groups(part, ask.caller).await?;
        let rows = page.items.iter().map(brief).collect();
        let done = Done::new("Resource groups fetched successfully");
        Ok(done.rows(rows, page.total as u64))
    }

    /// Puts resources into a group, each by itself: one that may not be put there, or is there
    /// already, stops none of the others.
    pub(super) async fn associate(
        &self,
        group: ResourceGroupId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let resources = resources(ask)?;
        let mut list: Vec<Detail> = Vec::with_capacity(resources.len());
        let (mut there, mut first_failure) = (0, None);
        for id in resources {
            let done = self.vault.associate(id, group, ask.caller).await;
            let status: Out = match done {
                Ok(()) => Out::new().with("STATUS", "Resource associated successfully"),
                Err(VaultError::Exists(_)) => {
                    Out::new().with("STATUS", "Resource is associated already")
                }
                Err(error) => {
                    let refusal = self.refused(error.into(), ask);
                    let status = Out::new().with("STATUS", refusal.message.clone());
                    first_failure = first_failure.or(Some(refusal));
                    list.push(Out::new().with(id.to_string(), status).into());
                    continue;
                }
            };
            there += 1;
            list.push(Out::new().with(id.to_string(), status).into());
        }
        match first_failure {
            Some(refusal) if there == 0 => Err(Trouble::Told(refusal)),
            _ => Ok(Done::new("Resource(s) associated successfully").with(list)),
        }
    }

    pub(super) async fn associated_groups(
        &self,
        resource: ResourceId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let most = self.settings.rows;
        let found = self
            .vault
            .groups_of_resource(resource, most, ask.caller)
            .await?;
        let (resource, groups) = found;
        let list = groups.iter().map(|group| {
            Out::new()
                .with("GROUP ID", group.id.0)
                .with("GROUP NAME", group.name.to_string())
                .into()
        });
        let list: Vec<Detail> = list.collect();
        let total = list.len() as u64;
        let details = Out::new()
            .with("RESOURCE ID", resource.id.0)
            .with("RESOURCE NAME", resource.name.to_string())
            .with("ASSOCIATED GROUPS", list);
        let done = Done::new("Associated groups fetched successfully");
        Ok(done.total(total).with(details))
    }
}

fn brief(group: &ResourceGroup) -> Detail {
    Out::new()
        .with("resourceGroupId", group.id.0)
        .with("resourceGroupName", group.name.to_string())
        .with(
            "resourceGroupDescription",
            group.description.as_str().to_owned(),
        )
        .into()
}

fn resources(ask: &Ask<'_>) -> Result<Vec<ResourceId>, Unfit> {
    let ids = ask.input.fields()?.texts("RESOURCEIDS")?;
    if ids.is_empty() {
        return Err(Unfit("RESOURCEIDS is missing".to_owned()));
    }
    let wrong = || Unfit("RESOURCEIDS: one is no number".to_owned());
    let id = |text: &str| number(text).map(ResourceId).ok_or_else(wrong);
    ids.into_iter().map(id).collect()
}
