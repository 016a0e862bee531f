//! Resources: listed, made, changed, removed, shared.

use crate::domain::{Level, ResourceGroupId, ResourceId, UserId};
use crate::doors::rest::Rest;
use crate::doors::rest::dispatch::{Ask, Trouble};
use crate::doors::rest::envelope::{Detail, Done, Fields as Out};
use crate::doors::rest::input::{Fields, Unfit};
use crate::vault::{
    AccountEdit, Caller, Filter, Made, NewAccount, NewPassword, NewResource, ResourceEdit,
    ResourceRef, ResourceView, Search, SearchColumn, SearchKind, TargetRef, Within,
};

impl Rest {
    pub(super) async fn resources(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let filter = self.filter(&ask.input.fields()?)?;
        let page = self.vault.resource_page(&filter, ask.caller).await?;
        let rows = page.items.iter().map(brief).collect();
        let total = page.total as u64;
        Ok(Done::new("Resources fetched successfully").rows(rows, total))
    }

    pub(super) async fn create_resource(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let fields = ask.input.fields()?;
        let name = fields.text("RESOURCENAME")?;
        // Older clients name one account, some scripts a list, as with more accounts.
        let accounts = fields.records("ACCOUNTLIST")?;
        let (first, others) = match (fields.optional("ACCOUNTNAME")?, accounts.split_first()) {
            (Some(_), _) => (&fields, accounts.as_slice()),
            (None, Some((first, others))) => (first, others),
            (None, None) => return Err(Unfit("ACCOUNTNAME is missing".to_owned()).into()),
        };
        let password = first.password("PASSWORD")?;
        let made = self.create(&fields, first, password, ask.caller).await?;
        for account in others {
            self.add_account(made.resource, account, ask.caller).await?;
        }
        let done = Done::new(format!("Resource {name} has been added successfully"));
        Ok(match made.generated {
            None => done,
            Some(password) => done.with(
                Out::new()
                    .with("RESOURCEID", made.resource.0)
                    .with("ACCOUNTID", made.account.0)
                    .with("PASSWORD", &password),
            ),
        })
    }

    async fn create(
        &self,
        fields: &Fields<'_>,
        account: &Fields<'_>,
        password: NewPassword,
        caller: &Caller,
    ) -> Result<Made, Trouble> {
        let owner = self.owner(fields, caller).await?;
        let new = NewResource {
            resource: fields.text("RESOURCENAME")?,
            kind: fields.optional("RESOURCETYPE")?.unwrap_or(OTHERS),
            account: account.text("ACCOUNTNAME")?,
            notes: account.or_empty("NOTES")?,
            owner: owner.as_deref(),
            more: ResourceEdit {
                name: None,
                kind: None,
                ..self.known(fields, caller).await?
            },
            more_of_account: AccountEdit {
                fields: custom(account, "ACCOUNTCUSTOMFIELD")?,
                policy: self
                    .policy(account, "ACCOUNTPASSWORDPOLICY", caller)
                    .await?,
                ..AccountEdit::default()
            },
        };
        Ok(self.vault.create(&new, password, caller).await?)
    }

    pub(super) async fn edit_resource(
        &self,
        id: ResourceId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let fields = ask.input.fields()?;
        let owner = self.owner(&fields, ask.caller).await?;
        let edit = ResourceEdit {
            owner,
            ..self.known(&fields, ask.caller).await?
        };
        self.vault.edit_resource(id, &edit, ask.caller).await?;
        // Two blanks: the original's own.
        Ok(Done::new("Resource  modified successfully."))
    }

    pub(super) async fn delete_resource(
        &self,
        id: ResourceId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        self.vault.remove_resource(id, ask.caller).await?;
        Ok(Done::new("Resources deleted successfully."))
    }

    pub(super) async fn resource_types(&self, ask: &Ask<'_>) -> Result<Done, Trouble> {
        let wanted = ask.input.fields()?.texts("RESOURCETYPE_CONTAINING")?;
        let wanted: Vec<String> = wanted.iter().map(|word| word.to_lowercase()).collect();
        let fits = |kind: &str| {
            let kind = kind.to_lowercase();
            wanted.is_empty() || wanted.iter().any(|word| kind.contains(word.as_str()))
        };
        let kinds = KINDS.iter().enumerate().filter(|(_, kind)| fits(kind));
        let rows: Vec<Detail> = kinds
            .map(|(at, kind)| {
                Out::new()
                    .with("RESOURCETYPEID", at as u64 + 1)
                    .with("RESOURCETYPENAME", *kind)
                    .into()
            })
            .collect();
        let total = rows.len() as u64;
        Ok(Done::new("Resource types fetched successfully").rows(rows, total))
    }

    pub(super) async fn share_resource(
        &self,
        id: ResourceId,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        let target = TargetRef {
            resource: ResourceRef::Id(id),
            account: None,
        };
        self.share(target, ask).await?;
        Ok(Done::new("Resource shared successfully"))
    }

    /// Shares with one user, or takes the share back.
    pub(super) async fn share(&self, target: TargetRef<'_>, ask: &Ask<'_>) -> Result<(), Trouble> {
        let user = UserId(ask.input.id("USERID")?);
        let access = ask.input.needed("ACCESSTYPE")?;
        let level = match access.to_ascii_lowercase().as_str() {
            "view" => Level::View,
            "modify" => Level::Modify,
            "fullaccess" | "manage" => Level::Manage,
            "revoke" => return Ok(self.vault.unshare(target, user, ask.caller).await?),
            _ => {
                let words = "ACCESSTYPE is none of view, modify, fullaccess, revoke";
                return Err(Unfit(words.to_owned()).into());
            }
        };
        Ok(self.vault.share(target, user, level, ask.caller).await?)
    }

    pub(super) async fn add_account(
        &self,
        resource: ResourceId,
        account: &Fields<'_>,
        caller: &Caller,
    ) -> Result<(), Trouble> {
        let new = NewAccount {
            resource: ResourceRef::Id(resource),
            account: account.text("ACCOUNTNAME")?,
            more: AccountEdit {
                notes: account.given("NOTES")?,
                fields: custom(account, "ACCOUNTCUSTOMFIELD")?,
                policy: self
                    .policy(account, "ACCOUNTPASSWORDPOLICY", caller)
                    .await?,
                ..AccountEdit::default()
            },
        };
        let password = account.password("PASSWORD")?;
        self.vault.add_account(&new, password, caller).await?;
        Ok(())
    }

    /// What is said of a resource beside its owner; an empty text deletes nothing, since clients
    /// send it for what they leave out.
    async fn known(&self, fields: &Fields<'_>, caller: &Caller) -> Result<ResourceEdit, Trouble> {
        let text = |name| Ok::<_, Unfit>(fields.optional(name)?.map(str::to_owned));
        Ok(ResourceEdit {
            name: text("RESOURCENAME")?,
            kind: text("RESOURCETYPE")?,
            address: text("DNSNAME")?,
            url: text("RESOURCEURL")?,
            description: text("RESOURCEDESCRIPTION")?,
            notes: None,
            department: text("DEPARTMENT")?,
            location: text("LOCATION")?,
            fields: with_domain(custom(fields, "RESOURCECUSTOMFIELD")?, fields)?,
            policy: self
                .policy(fields, "RESOURCEPASSWORDPOLICY", caller)
                .await?,
            reason_demanded: None,
            ticket_demanded: None,
            owner: None,
            group: group(fields)?,
        })
    }

    /// The policy that a field names, if it names one.
    pub(super) async fn policy(
        &self,
        fields: &Fields<'_>,
        name: &'static str,
        caller: &Caller,
    ) -> Result<Option<Option<crate::domain::PolicyId>>, Trouble> {
        match fields.optional(name)? {
            None => Ok(None),
            Some(policy) => Ok(Some(Some(self.vault.policy_id(policy, caller).await?))),
        }
    }

    /// The owner that is named. `admin`, which is in clients' own defaults, is whoever asks where
    /// nobody is called so.
    async fn owner(&self, fields: &Fields<'_>, caller: &Caller) -> Result<Option<String>, Trouble> {
        let Some(named) = fields.optional("OWNERNAME")? else {
            return Ok(None);
        };
        let absent = named == DEFAULT_OWNER && !self.vault.has_user(named, caller).await?;
        Ok((!absent).then(|| named.to_owned()))
    }

    /// From where in a list, and how many rows.
    pub(super) fn part(&self, fields: &Fields<'_>) -> Result<(usize, usize), Unfit> {
        let most = self.settings.rows;
        let number = |name, otherwise| {
            let number = fields.number(name)?;
            let number = number.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
            Ok::<_, Unfit>(number.unwrap_or(otherwise))
        };
        Ok((number("STARTINDEX", 0)?, number("LIMIT", most)?.min(most)))
    }

    /// Which rows are wanted.
    pub(super) fn filter(&self, fields: &Fields<'_>) -> Result<Filter, Unfit> {
        let (start, limit) = self.part(fields)?;
        let filter = Filter::page(start, limit).within(within(fields)?);
        Ok(match search(fields)? {
            None => filter,
            Some(search) => filter.searching(search),
        })
    }
}

/// The part of all that is asked for: a group, or a view, of which only those by kind are kept.
fn within(fields: &Fields<'_>) -> Result<Within, Unfit> {
    let view = match fields.optional("VIEWTYPE")? {
        None | Some("ALLMYPASSWORD") => Within::All,
        Some("LINUXSSHPASSWORD") => Within::Kinds(&SSH_KINDS),
        Some("WINDOWSRDPPASSWORD") => Within::Kinds(&RDP_KINDS),
        Some(_) => return Err(Unfit(NO_SUCH_VIEW.to_owned())),
    };
    match (fields.number("GROUPID")?, view) {
        (None, view) => Ok(view),
        (Some(id), Within::All) => Ok(Within::Group(ResourceGroupId(id))),
        (Some(_), _) => {
            let words = "GROUPID and VIEWTYPE do not go together";
            Err(Unfit(words.to_owned()))
        }
    }
}

fn search(fields: &Fields<'_>) -> Result<Option<Search>, Unfit> {
    let Some(value) = fields.optional("SEARCHVALUE")? else {
        return Ok(None);
    };
    let kind = match fields.optional("SEARCHTYPE")? {
        None | Some("RESOURCE") => SearchKind::Resource,
        Some("ACCOUNT") => SearchKind::Account,
        Some(_) => {
            let words = "SEARCHTYPE is neither RESOURCE nor ACCOUNT";
            return Err(Unfit(words.to_owned()));
        }
    };
    let column = column(fields.optional("SEARCHCOLUMN")?.unwrap_or("ALL"));
    let unknown = || Unfit("SEARCHCOLUMN is no column that is searched".to_owned());
    Ok(Some(Search {
        kind,
        column: column.ok_or_else(unknown)?,
        value: value.to_owned(),
    }))
}

/// The column that the original calls so. Its operating system is our type, and a domain's name is
/// kept as a custom field.
fn column(word: &str) -> Option<SearchColumn> {
    Some(match word {
        "ALL" => SearchColumn::All,
        "RESOURCENAME" => SearchColumn::Name,
        "RESOURCE_TYPE" | "OPERATINGSYSTEM" => SearchColumn::Kind,
        "RESOURCEDESC" => SearchColumn::Description,
        "IPADDRESS" => SearchColumn::Address,
        "LOGINNAME" => SearchColumn::Account,
        "DEPARTMENT" => SearchColumn::Department,
        "LOCATION" => SearchColumn::Location,
        "RESOURCEURL" => SearchColumn::Url,
        "DOMAINNAME" => SearchColumn::Fields,
        custom if custom.starts_with("COLUMN_CHAR") => SearchColumn::Fields,
        _ => return None,
    })
}

fn brief(view: &ResourceView) -> Detail {
    let resource = &view.resource;
    Out::new()
        .with(
            "RESOURCE DESCRIPTION",
            resource.description.as_str().to_owned(),
        )
        .with("RESOURCE TYPE", resource.kind.as_str().to_owned())
        .with("RESOURCE ID", resource.id.0)
        .with("RESOURCE NAME", resource.name.to_string())
        .with("NOOFACCOUNTS", view.accounts as u64)
        .into()
}

/// The custom fields of a list of `{CUSTOMLABEL, CUSTOMVALUE}`, where there is one.
pub(super) fn custom(
    fields: &Fields<'_>,
    name: &'static str,
) -> Result<Option<Vec<(String, String)>>, Unfit> {
    if !fields.has(name) {
        return Ok(None);
    }
    let mut pairs = Vec::new();
    for record in fields.records(name)? {
        let label = record.text("CUSTOMLABEL")?.to_owned();
        pairs.push((label, record.or_empty("CUSTOMVALUE")?.to_owned()));
    }
    Ok(Some(pairs))
}

/// A domain's name is kept as a custom field.
fn with_domain(
    pairs: Option<Vec<(String, String)>>,
    fields: &Fields<'_>,
) -> Result<Option<Vec<(String, String)>>, Unfit> {
    let Some(domain) = fields.optional("DOMAINNAME")? else {
        return Ok(pairs);
    };
    let mut pairs = pairs.unwrap_or_default();
    pairs.push((DOMAIN.to_owned(), domain.to_owned()));
    Ok(Some(pairs))
}

/// The group that a resource is to be put into; `default` is the original's word for none.
fn group(fields: &Fields<'_>) -> Result<Option<String>, Unfit> {
    let name = fields.optional("RESOURCEGROUPNAME")?;
    let name = name.filter(|name| !name.eq_ignore_ascii_case("default"));
    Ok(name.map(str::to_owned))
}

/// The label of the custom field that holds a resource's domain.
pub(super) const DOMAIN: &str = "DOMAIN NAME";

const DEFAULT_OWNER: &str = "admin";
/// The type of a resource that was made without one.
const OTHERS: &str = "Others";

/// The types that clients offer to choose from; a resource may have any other.
const KINDS: [&str; 14] = [
    "Linux",
    "Windows",
    "WindowsDomain",
    "Unix",
    "Solaris",
    "HP UNIX",
    "Mac",
    "PostgreSQL",
    "MySQL Server",
    "MS SQL Server",
    "Oracle DB Server",
    "LDAP Server",
    "Web Site Accounts",
    "Others",
];

/// Words in the names of kinds of machines to which people log on over SSH, or by remote desktop.
const SSH_KINDS: [&str; 4] = ["linux", "unix", "solaris", "aix"];
const RDP_KINDS: [&str; 1] = ["windows"];

const NO_SUCH_VIEW: &str = "VIEWTYPE is none of ALLMYPASSWORD, LINUXSSHPASSWORD, WINDOWSRDPPASSWORD: \
                            no favourites are kept, and nothing of what somebody used of late";
