//! Where a row is.

use std::fmt;

/// What kind of rows; the first byte of their keys. A number is never given to another table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Table {
    /// Facts about the store itself: schema, id blocks, the ledger's anchor.
    Meta = 1,
    /// Organisations by id.
    Organisation = 2,
    /// Users by organisation and id.
    User = 3,
    /// Organisation and hidden login → user.
    UserByLogin = 4,
    /// Hidden certificate fingerprint → users.
    UserByCertificate = 5,
    /// Resources by organisation and id.
    Resource = 6,
    /// Organisation and hidden name → resource.
    ResourceByName = 7,
    /// Accounts by resource and id.
    Account = 8,
    /// Resource and hidden name → account.
    AccountByName = 9,
    /// Passwords by account and version.
    Secret = 10,
    /// Shares by resource, account and user or group.
    Share = 11,
    /// Shares by user or group, resource and account.
    ShareByGrantee = 12,
    /// Resources by owner.
    ResourceByOwner = 13,
    /// Password policies by organisation and id.
    Policy = 14,
    /// Settings by name.
    Setting = 15,
    /// Trusted certificates by fingerprint.
    Trust = 16,
    /// Hidden organisation name → organisation.
    OrganisationByName = 17,
    /// Organisation and hidden user name (CN) → users.
    UserByName = 18,
    /// Times of last access by resource and account.
    Accessed = 19,
    /// Documents of the house itself, such as the built-in CA, by hidden name.
    Document = 20,
    /// REST tokens by organisation, user and id.
    Token = 21,
    /// Hidden token → organisation, user, token.
    TokenByHash = 22,
    /// What persons sign in with, by organisation and user.
    Login = 23,
    /// Access control by resource and account.
    AccessControl = 30,
    /// Requests by resource, account and user.
    Request = 31,
    /// Who holds an account, by resource and account.
    Custody = 32,
    /// Groups of users by organisation and id.
    Group = 40,
    /// Organisation and hidden name → group.
    GroupByName = 41,
    /// Who is in a group, by group and user.
    Member = 42,
    /// The groups that a user is in, by organisation and user.
    GroupsOfUser = 43,
    /// Second factors of persons, by organisation and user.
    SecondFactor = 44,
    /// Groups of resources by organisation and id.
    ResourceGroup = 45,
    /// Organisation and hidden name → group of resources.
    ResourceGroupByName = 46,
    /// The groups of resources that are shared with a user or group.
    SetsOf = 47,
    /// With whom a group of resources is shared.
    Holder = 48,
    /// Account → the resource it is on.
    AccountById = 50,
    /// SSH keys by organisation, user and hidden key.
    SshKey = 51,
    /// How the passwords of a resource are changed on their target, by resource.
    ResetTarget = 52,
    /// Passwords that a target may have and that are not in force yet, by resource and account.
    Pending = 53,
    /// How often passwords change by themselves, by resource and account.
    Rotation = 54,
    /// Accounts whose password is to change, or lately failed to, by resource and account.
    Due = 55,
    /// Applications by organisation and id.
    Application = 56,
    /// Hidden name or certificate fingerprint → application.
    ApplicationIndex = 57,
    /// Accounts that were changed on their targets from here, by resource and account.
    Tended = 58,
    /// What is removed and has rows left, by kind and id.
    Leftover = 60,
    /// Accounts that applications retrieve by API key, by resource, account and application.
    Retrievable = 61,
    /// The accounts of an application, by application and account.
    RetrievableOf = 62,
    /// Hidden API key → organisation, application, resource and account.
    ApiKey = 63,
    /// In whose names applications raise requests, by application.
    Broker = 64,
    /// Hidden thumbprint → users.
    UserByThumbprint = 65,
    /// Access policies by organisation and id.
    AccessPolicy = 66,
    /// The access policies about an account, by account and policy.
    AccessPolicyOf = 67,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 52] = [
        Self::Meta,
        Self::Organisation,
        Self::User,
        Self::UserByLogin,
        Self::UserByCertificate,
        Self::Resource,
        Self::ResourceByName,
        Self::Account,
        Self::AccountByName,
        Self::Secret,
        Self::Share,
        Self::ShareByGrantee,
        Self::ResourceByOwner,
        Self::Policy,
        Self::Setting,
        Self::Trust,
        Self::OrganisationByName,
        Self::UserByName,
        Self::Accessed,
        Self::Document,
        Self::Token,
        Self::TokenByHash,
        Self::Login,
        Self::AccessControl,
        Self::Request,
        Self::Custody,
        Self::Group,
        Self::GroupByName,
        Self::Member,
        Self::GroupsOfUser,
        Self::SecondFactor,
        Self::ResourceGroup,
        Self::ResourceGroupByName,
        Self::SetsOf,
        Self::Holder,
        Self::AccountById,
        Self::SshKey,
        Self::ResetTarget,
        Self::Pending,
        Self::Rotation,
        Self::Due,
        Self::Application,
        Self::ApplicationIndex,
        Self::Tended,
        Self::Leftover,
        Self::Retrievable,
        Self::RetrievableOf,
        Self::ApiKey,
        Self::Broker,
        Self::UserByThumbprint,
        Self::AccessPolicy,
        Self::AccessPolicyOf,
    ];
}

/// A row's key: its table's byte, then what the table is ordered by. Names never stand in it in
/// the clear.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Vec<u8>);

impl Key {
    /// The beginning of every key of `table`.
    #[must_use]
    pub fn table(table: Table) -> Self {
        let mut bytes = Vec::with_capacity(40);
        bytes.push(table as u8);
        Self(bytes)
    }

    /// Takes the bytes of a whole key, as an engine has kept them.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// This key, longer by a number, so that keys sort as the numbers do.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// This key, longer by a keyed hash.
    #[must_use]
    pub fn hash(mut self, hash: &[u8]) -> Self {
        self.0.extend_from_slice(hash);
        self
    }

    /// The number at `place`, counted from 0, behind the table's byte: for tables whose keys begin
    /// with numbers.
    #[must_use]
    pub fn number_at(&self, place: usize) -> Option<u64> {
        let (numbers, _) = self.0.get(1..)?.as_chunks::<8>();
        numbers.get(place).map(|bytes| u64::from_be_bytes(*bytes))
    }

    /// Whether it is of a table that says who may come in. Second factors are not among them:
    /// every sign-in uses a code up.
    pub(super) fn tells_who(&self) -> bool {
        const TABLES: [Table; 15] = [
            Table::Organisation,
            Table::User,
            Table::UserByCertificate,
            Table::UserByName,
            Table::Trust,
            Table::Token,
            Table::TokenByHash,
            Table::Login,
            Table::SshKey,
            Table::Application,
            Table::ApplicationIndex,
            Table::Retrievable,
            Table::ApiKey,
            Table::Broker,
            Table::UserByThumbprint,
        ];
        let table = self.0.first().copied();
        TABLES.iter().any(|one| Some(*one as u8) == table)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str(")")
    }
}
