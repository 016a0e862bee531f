//! Pages without a list: rows are read one after the other, up to a number of them.

use crate::domain::{Account, AccountId, OrgId, Resource, ResourceId};
use crate::vault::directory::build::read_text;
use crate::vault::directory::needle::{Needle, text_of};
use crate::vault::directory::settle::pause;
use crate::vault::directory::shelf::Reach;
use crate::vault::directory::{Listed, PAGE};
use crate::vault::{Filter, Vault, VaultError};

impl Vault {
    /// The page of an organisation's resources, from its rows.
    pub(super) async fn scanned(
        &self,
        filter: &Filter,
        needle: Option<&Needle>,
        org: OrgId,
    ) -> Result<Listed, VaultError> {
        let prefix = self.rows.places().resources(org);
        let (mut seen, mut after) = (Vec::new(), None);
        let (mut read, mut opened) = (0, 0);
        let complete = loop {
            let rows = self
                .rows
                .store()
                .scan(&prefix, after.as_ref(), PAGE)
                .await?;
            let last = rows.len() < PAGE;
            let keys: Vec<_> = rows.into_iter().map(|row| row.key).collect();
            let ids = keys
                .iter()
                .filter_map(|key| key.number_at(1).map(ResourceId));
            match needle {
                None => seen.extend(ids),
                Some(needle) => {
                    for id in ids {
                        let text = read_text(&self.rows, org, id).await?;
                        if text.is_some_and(|text| needle.is_in(&text)) {
                            seen.push(id);
                        }
                        pause(&mut opened).await;
                    }
                }
            }
            read += keys.len();
            after = keys.into_iter().last();
            if last || read >= self.directory.most_rows() {
                break last;
            }
            tokio::task::yield_now().await;
        };
        Ok(Listed {
            complete,
            ..Listed::of(&seen, filter)
        })
    }

    /// The page of what a user reaches, from its own rows.
    pub(super) async fn scanned_of(
        &self,
        filter: &Filter,
        needle: &Needle,
        (org, reach): (OrgId, &Reach),
    ) -> Result<Listed, VaultError> {
        let mut seen = Vec::new();
        let mut read = 0;
        for id in reach.ids.iter().take(self.directory.most_rows()) {
            let matches = match reach.parts.get(id) {
                Some(accounts) if needle.is_about_accounts() => {
                    self.part_matches(needle, *id, accounts).await?
                }
                Some(_) => {
                    let key = self.rows.places().resource(org, *id);
                    let kept = self.rows.get::<Resource>(key).await?;
                    kept.is_some_and(|kept| needle.is_in(&text_of(&kept.record, [])))
                }
                None => {
                    let text = read_text(&self.rows, org, *id).await?;
                    text.is_some_and(|text| needle.is_in(&text))
                }
            };
            if matches {
                seen.push(*id);
            }
            pause(&mut read).await;
        }
        Ok(Listed {
            complete: reach.ids.len() <= self.directory.most_rows(),
            ..Listed::of(&seen, filter)
        })
    }

    /// Whether one of these accounts is called what is searched for.
    pub(in crate::vault) async fn part_matches(
        &self,
        needle: &Needle,
        resource: ResourceId,
        accounts: &[AccountId],
    ) -> Result<bool, VaultError> {
        for account in accounts {
            let key = self.rows.places().account(resource, *account);
            let kept = self.rows.get::<Account>(key).await?;
            if kept.is_some_and(|kept| needle.is_in_name(&kept.record.name)) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
