//! Where each record is.

use crate::crypto::KeyRing;
use crate::domain::{
    AccessPolicyId, AccountId, AccountName, ApiKey, ApplicationId, ApplicationName, Fingerprint,
    Folded, Grantee, GroupId, GroupName, OrgId, OrgName, PolicyId, ResourceGroupId, ResourceId,
    ResourceName, SecretVersion, Target, Thumbprint, TokenId, UserId, UserName,
};
use crate::store::{Key, Table};

/// Makes keys; names in them are hidden by a keyed hash.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    keys: &'a KeyRing,
}

impl<'a> Places<'a> {
    pub(super) fn new(keys: &'a KeyRing) -> Self {
        Self { keys }
    }

    /// All organisations.
    #[must_use]
    pub fn organisations(self) -> Key {
        Key::table(Table::Organisation)
    }

    /// An organisation.
    #[must_use]
    pub fn organisation(self, id: OrgId) -> Key {
        Key::table(Table::Organisation).number(id.0)
    }

    /// The organisation with a name.
    #[must_use]
    pub fn organisation_by_name(self, name: &OrgName) -> Key {
        let hash = self
            .keys
            .hide("organisation", &[name.folded().as_str().as_bytes()]);
        Key::table(Table::OrganisationByName).hash(&hash)
    }

    /// All users of an organisation.
    #[must_use]
    pub fn users(self, org: OrgId) -> Key {
        Key::table(Table::User).number(org.0)
    }

    /// A user.
    #[must_use]
    pub fn user(self, org: OrgId, id: UserId) -> Key {
        self.users(org).number(id.0)
    }

    /// The user with a login, in whatever case.
    #[must_use]
    pub fn user_by_login(self, org: OrgId, login: &str) -> Key {
        let hash = self
            .keys
            .hide("login", &[Folded::new(login).as_str().as_bytes()]);
        Key::table(Table::UserByLogin).number(org.0).hash(&hash)
    }

    /// The users with a name, to the letter.
    #[must_use]
    pub fn users_by_name(self, org: OrgId, name: &UserName) -> Key {
        let hash = self.keys.hide("user name", &[name.as_str().as_bytes()]);
        Key::table(Table::UserByName).number(org.0).hash(&hash)
    }

    /// The users that a certificate may be.
    #[must_use]
    pub fn users_by_certificate(self, fingerprint: Fingerprint) -> Key {
        let hash = self.keys.hide("certificate", &[&fingerprint.0]);
        Key::table(Table::UserByCertificate).hash(&hash)
    }

    /// All applications of an organisation.
    #[must_use]
    pub fn applications(self, org: OrgId) -> Key {
        Key::table(Table::Application).number(org.0)
    }

    /// An application.
    #[must_use]
    pub fn application(self, org: OrgId, id: ApplicationId) -> Key {
        self.applications(org).number(id.0)
    }

    /// The application with a name, in whatever case and Unicode form.
    #[must_use]
    pub fn application_by_name(self, org: OrgId, name: &ApplicationName) -> Key {
        let name = name.folded();
        let parts = [&org.0.to_be_bytes()[..], name.as_str().as_bytes()];
        Key::table(Table::ApplicationIndex).hash(&self.keys.hide("application", &parts))
    }

    /// The application that a certificate proves.
    #[must_use]
    pub fn application_by_certificate(self, fingerprint: Fingerprint) -> Key {
        let hash = self.keys.hide("application certificate", &[&fingerprint.0]);
        Key::table(Table::ApplicationIndex).hash(&hash)
    }

    /// What applications may have of a resource by API key.
    #[must_use]
    pub fn retrievables(self, resource: ResourceId) -> Key {
        Key::table(Table::Retrievable).number(resource.0)
    }

    /// An account that an application may have by API key.
    #[must_use]
    pub fn retrievable(
        self,
        resource: ResourceId,
        account: AccountId,
        application: ApplicationId,
    ) -> Key {
        self.retrievables(resource)
            .number(account.0)
            .number(application.0)
    }

    /// The accounts that an application may have by API key.
    #[must_use]
    pub fn retrievables_of(self, application: ApplicationId) -> Key {
        Key::table(Table::RetrievableOf).number(application.0)
    }

    /// That an application may have an account by API key.
    #[must_use]
    pub fn retrievable_of(self, application: ApplicationId, account: AccountId) -> Key {
        self.retrievables_of(application).number(account.0)
    }

    /// What an API key is for.
    #[must_use]
    pub fn api_key(self, key: &ApiKey) -> Key {
        let hash = self.keys.hide("api key", &[key.expose().as_bytes()]);
        Key::table(Table::ApiKey).hash(&hash)
    }

    /// In whose names an application raises requests.
    #[must_use]
    pub fn broker(self, application: ApplicationId) -> Key {
        Key::table(Table::Broker).number(application.0)
    }

    /// The users whom a certificate with this thumbprint may be.
    #[must_use]
    pub fn users_by_thumbprint(self, thumbprint: Thumbprint) -> Key {
        let hash = self.keys.hide("thumbprint", &[&thumbprint.0]);
        Key::table(Table::UserByThumbprint).hash(&hash)
    }

    /// What a person signs in with.
    #[must_use]
    pub fn login(self, org: OrgId, user: UserId) -> Key {
        Key::table(Table::Login).number(org.0).number(user.0)
    }

    /// The second factor of a person.
    #[must_use]
    pub fn second_factor(self, org: OrgId, user: UserId) -> Key {
        Key::table(Table::SecondFactor).number(org.0).number(user.0)
    }

    /// All tokens of a user.
    #[must_use]
    pub fn tokens(self, org: OrgId, user: UserId) -> Key {
        Key::table(Table::Token).number(org.0).number(user.0)
    }

    /// A token of a user.
    #[must_use]
    pub fn token(self, org: OrgId, user: UserId, id: TokenId) -> Key {
        self.tokens(org, user).number(id.0)
    }

    /// The token with a keyed hash.
    #[must_use]
    pub fn token_by_tag(self, tag: &[u8; 32]) -> Key {
        Key::table(Table::TokenByHash).hash(&self.keys.hide("token", &[tag]))
    }

    /// All SSH keys of a user.
    #[must_use]
    pub fn ssh_keys(self, org: OrgId, user: UserId) -> Key {
        Key::table(Table::SshKey).number(org.0).number(user.0)
    }

    /// An SSH key of a user, by the key itself.
    #[must_use]
    pub fn ssh_key(self, org: OrgId, user: UserId, blob: &[u8]) -> Key {
        self.ssh_keys(org, user)
            .hash(&self.keys.hide("ssh key", &[blob]))
    }

    /// All resources of an organisation.
    #[must_use]
    pub fn resources(self, org: OrgId) -> Key {
        Key::table(Table::Resource).number(org.0)
    }

    /// A resource.
    #[must_use]
    pub fn resource(self, org: OrgId, id: ResourceId) -> Key {
        self.resources(org).number(id.0)
    }

    /// The resource with a name, in whatever case and Unicode form.
    #[must_use]
    pub fn resource_by_name(self, org: OrgId, name: &ResourceName) -> Key {
        let hash = self
            .keys
            .hide("resource", &[name.folded().as_str().as_bytes()]);
        Key::table(Table::ResourceByName).number(org.0).hash(&hash)
    }

    /// All resources that a user owns.
    #[must_use]
    pub fn resources_by_owner(self, owner: UserId) -> Key {
        Key::table(Table::ResourceByOwner).number(owner.0)
    }

    /// That a user owns a resource.
    #[must_use]
    pub fn resource_by_owner(self, owner: UserId, id: ResourceId) -> Key {
        self.resources_by_owner(owner).number(id.0)
    }

    /// All accounts of a resource.
    #[must_use]
    pub fn accounts(self, resource: ResourceId) -> Key {
        Key::table(Table::Account).number(resource.0)
    }

    /// An account.
    #[must_use]
    pub fn account(self, resource: ResourceId, id: AccountId) -> Key {
        self.accounts(resource).number(id.0)
    }

    /// The account with a name, in whatever case and Unicode form.
    #[must_use]
    pub fn account_by_name(self, resource: ResourceId, name: &AccountName) -> Key {
        let hash = self
            .keys
            .hide("account", &[name.folded().as_str().as_bytes()]);
        Key::table(Table::AccountByName)
            .number(resource.0)
            .hash(&hash)
    }

    /// All accounts of all resources.
    #[must_use]
    pub fn every_account(self) -> Key {
        Key::table(Table::Account)
    }

    /// The resource that an account is on.
    #[must_use]
    pub fn account_by_id(self, id: AccountId) -> Key {
        Key::table(Table::AccountById).number(id.0)
    }

    /// All passwords of an account.
    #[must_use]
    pub fn secrets(self, account: AccountId) -> Key {
        Key::table(Table::Secret).number(account.0)
    }

    /// One password of an account.
    #[must_use]
    pub fn secret(self, account: AccountId, version: SecretVersion) -> Key {
        self.secrets(account).number(version.0)
    }

    /// When an account's password was last retrieved.
    #[must_use]
    pub fn accessed(self, resource: ResourceId, account: AccountId) -> Key {
        Key::table(Table::Accessed)
            .number(resource.0)
            .number(account.0)
    }

    /// All shares of a resource and its accounts.
    #[must_use]
    pub fn shares(self, resource: ResourceId) -> Key {
        Key::table(Table::Share).number(resource.0)
    }

    /// A user's or group's share of a target.
    #[must_use]
    pub fn share(self, target: Target, with: Grantee) -> Key {
        self.shares(target.resource)
            .number(of(target))
            .number(with.number())
    }

    /// All shares that a user has by itself, or a group has.
    #[must_use]
    pub fn shares_by(self, grantee: Grantee) -> Key {
        Key::table(Table::ShareByGrantee).number(grantee.number())
    }

    /// A user's or group's share of a target, from the other side.
    #[must_use]
    pub fn share_by(self, grantee: Grantee, target: Target) -> Key {
        self.shares_by(grantee)
            .number(target.resource.0)
            .number(of(target))
    }

    /// All groups of resources of an organisation.
    #[must_use]
    pub fn resource_groups(self, org: OrgId) -> Key {
        Key::table(Table::ResourceGroup).number(org.0)
    }

    /// A group of resources.
    #[must_use]
    pub fn resource_group(self, org: OrgId, id: ResourceGroupId) -> Key {
        self.resource_groups(org).number(id.0)
    }

    /// The group of resources with a name, in whatever case and Unicode form.
    #[must_use]
    pub fn resource_group_by_name(self, org: OrgId, name: &GroupName) -> Key {
        let folded = name.folded();
        let hash = self
            .keys
            .hide("resource group", &[folded.as_str().as_bytes()]);
        Key::table(Table::ResourceGroupByName)
            .number(org.0)
            .hash(&hash)
    }

    /// The groups of resources that are shared with somebody.
    #[must_use]
    pub fn sets_of(self, with: Grantee) -> Key {
        Key::table(Table::SetsOf).number(with.number())
    }

    /// With whom a group of resources is shared.
    #[must_use]
    pub fn holders(self, group: ResourceGroupId) -> Key {
        Key::table(Table::Holder).number(group.0)
    }

    /// That a group of resources is shared with somebody.
    #[must_use]
    pub fn holder(self, group: ResourceGroupId, with: Grantee) -> Key {
        self.holders(group).number(with.number())
    }

    /// All groups of an organisation.
    #[must_use]
    pub fn groups(self, org: OrgId) -> Key {
        Key::table(Table::Group).number(org.0)
    }

    /// A group.
    #[must_use]
    pub fn group(self, org: OrgId, id: GroupId) -> Key {
        self.groups(org).number(id.0)
    }

    /// The group with a name, in whatever case and Unicode form.
    #[must_use]
    pub fn group_by_name(self, org: OrgId, name: &GroupName) -> Key {
        let hash = self
            .keys
            .hide("group", &[name.folded().as_str().as_bytes()]);
        Key::table(Table::GroupByName).number(org.0).hash(&hash)
    }

    /// Everybody who is in a group.
    #[must_use]
    pub fn members(self, group: GroupId) -> Key {
        Key::table(Table::Member).number(group.0)
    }

    /// That a user is in a group.
    #[must_use]
    pub fn member(self, group: GroupId, user: UserId) -> Key {
        self.members(group).number(user.0)
    }

    /// The groups that a user is in.
    #[must_use]
    pub fn groups_of(self, org: OrgId, user: UserId) -> Key {
        Key::table(Table::GroupsOfUser).number(org.0).number(user.0)
    }

    /// All access controls of a resource and its accounts.
    #[must_use]
    pub fn access_controls(self, resource: ResourceId) -> Key {
        Key::table(Table::AccessControl).number(resource.0)
    }

    /// What stands before a target.
    #[must_use]
    pub fn access_control(self, target: Target) -> Key {
        self.access_controls(target.resource).number(of(target))
    }

    /// All access policies of an organisation.
    #[must_use]
    pub fn access_policies(self, org: OrgId) -> Key {
        Key::table(Table::AccessPolicy).number(org.0)
    }

    /// An access policy.
    #[must_use]
    pub fn access_policy(self, org: OrgId, id: AccessPolicyId) -> Key {
        self.access_policies(org).number(id.0)
    }

    /// The access policies about an account.
    #[must_use]
    pub fn access_policies_of(self, account: AccountId) -> Key {
        Key::table(Table::AccessPolicyOf).number(account.0)
    }

    /// That an access policy is about an account.
    #[must_use]
    pub fn access_policy_of(self, account: AccountId, id: AccessPolicyId) -> Key {
        self.access_policies_of(account).number(id.0)
    }

    /// All requests.
    #[must_use]
    pub fn requests(self) -> Key {
        Key::table(Table::Request)
    }

    /// All requests for accounts of a resource.
    #[must_use]
    pub fn requests_of(self, resource: ResourceId) -> Key {
        self.requests().number(resource.0)
    }

    /// A user's request for an account.
    #[must_use]
    pub fn request(self, resource: ResourceId, account: AccountId, user: UserId) -> Key {
        self.requests_of(resource).number(account.0).number(user.0)
    }

    /// All accounts that somebody holds.
    #[must_use]
    pub fn custodies(self) -> Key {
        Key::table(Table::Custody)
    }

    /// Who holds an account.
    #[must_use]
    pub fn custody(self, resource: ResourceId, account: AccountId) -> Key {
        self.custodies().number(resource.0).number(account.0)
    }

    /// Every target.
    #[must_use]
    pub fn reset_targets(self) -> Key {
        Key::table(Table::ResetTarget)
    }

    /// How the passwords of a resource are changed on their target.
    #[must_use]
    pub fn reset_target(self, resource: ResourceId) -> Key {
        Key::table(Table::ResetTarget).number(resource.0)
    }

    /// Every password that a target may have and that is not in force yet.
    #[must_use]
    pub fn every_pending(self) -> Key {
        Key::table(Table::Pending)
    }

    /// The password that the target of an account may have and that is not in force yet.
    #[must_use]
    pub fn pending(self, resource: ResourceId, account: AccountId) -> Key {
        self.every_pending().number(resource.0).number(account.0)
    }

    /// Every account that was changed on its target from here.
    #[must_use]
    pub fn every_tended(self) -> Key {
        Key::table(Table::Tended)
    }

    /// Which login was changed on which target from here.
    #[must_use]
    pub fn tended(self, resource: ResourceId, account: AccountId) -> Key {
        self.every_tended().number(resource.0).number(account.0)
    }

    /// Every rotation.
    #[must_use]
    pub fn rotations(self) -> Key {
        Key::table(Table::Rotation)
    }

    /// How often the passwords of a resource or of one account change.
    #[must_use]
    pub fn rotation(self, target: Target) -> Key {
        self.rotations()
            .number(target.resource.0)
            .number(of(target))
    }

    /// Every account whose password is to change, or lately failed to.
    #[must_use]
    pub fn every_due(self) -> Key {
        Key::table(Table::Due)
    }

    /// That the password of an account is to change, or lately failed to.
    #[must_use]
    pub fn due(self, resource: ResourceId, account: AccountId) -> Key {
        self.every_due().number(resource.0).number(account.0)
    }

    /// All policies of an organisation.
    #[must_use]
    pub fn policies(self, org: OrgId) -> Key {
        Key::table(Table::Policy).number(org.0)
    }

    /// A policy.
    #[must_use]
    pub fn policy(self, org: OrgId, id: PolicyId) -> Key {
        self.policies(org).number(id.0)
    }

    /// All settings.
    #[must_use]
    pub fn settings(self) -> Key {
        Key::table(Table::Setting)
    }

    /// A setting.
    #[must_use]
    pub fn setting(self, name: &str) -> Key {
        Key::table(Table::Setting).hash(&self.keys.hide("setting", &[name.as_bytes()]))
    }

    /// All trusted certificates.
    #[must_use]
    pub fn trusted(self) -> Key {
        Key::table(Table::Trust)
    }

    /// A trusted certificate.
    #[must_use]
    pub fn trust(self, fingerprint: Fingerprint) -> Key {
        Key::table(Table::Trust).hash(&self.keys.hide("trust", &[&fingerprint.0]))
    }

    /// A document of the house itself.
    #[must_use]
    pub fn document(self, name: &str) -> Key {
        Key::table(Table::Document).hash(&self.keys.hide("document", &[name.as_bytes()]))
    }

    /// All that is removed and has rows left.
    #[must_use]
    pub fn leftovers(self) -> Key {
        Key::table(Table::Leftover)
    }

    /// That something is removed and has rows left.
    #[must_use]
    pub fn leftover(self, kind: u64, id: u64) -> Key {
        self.leftovers().number(kind).number(id)
    }

    /// The next free id of a kind.
    #[must_use]
    pub fn next_id(self, kind: u64) -> Key {
        Key::table(Table::Meta).number(1).number(kind)
    }

    /// Where the ledger stood when the store was last told.
    #[must_use]
    pub fn anchor(self) -> Key {
        Key::table(Table::Meta).number(2)
    }

    /// That the accounts of the time before [`Self::account_by_id`] are in it.
    #[must_use]
    pub fn accounts_indexed(self) -> Key {
        Key::table(Table::Meta).number(3)
    }
}

/// A whole resource is its account 0.
fn of(target: Target) -> u64 {
    target.account.map_or(0, |account| account.0)
}
