//! From what is asked for to the family that answers it.

use std::collections::HashMap;

use tokio::time::Instant;

use crate::doors::rest::Rest;
use crate::doors::rest::answer::{Code, Refusal};
use crate::doors::rest::envelope::Done;
use crate::doors::rest::input::{Input, Unfit};
use crate::doors::rest::route::{Endpoint, Place, TRANSPORT};
use crate::doors::{Ending, Meter, OperationMeter};
use crate::vault::{AccountRef, Caller, ResourceRef, VaultError, Wanted};

/// Who asks, and with what.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ask<'a> {
    pub(super) input: &'a Input,
    pub(super) caller: &'a Caller,
}

/// Why it was not done.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The vault said no.
    Vault(VaultError),
    /// What came along cannot be worked with.
    Unfit(Unfit),
    /// It is in words already.
    Told(Refusal),
}

impl From<VaultError> for Trouble {
    fn from(error: VaultError) -> Self {
        Self::Vault(error)
    }
}

impl From<Unfit> for Trouble {
    fn from(unfit: Unfit) -> Self {
        Self::Unfit(unfit)
    }
}

/// What is counted of each operation.
#[derive(Debug)]
pub(super) struct Meters {
    operations: HashMap<&'static str, OperationMeter>,
    lost: OperationMeter,
}

impl Meters {
    pub(super) fn new(meter: &Meter) -> Self {
        let of = |name| (name, meter.operation(Rest::NAME, name));
        Self {
            operations: Endpoint::OPERATIONS.into_iter().map(of).collect(),
            lost: meter.operation(Rest::NAME, TRANSPORT),
        }
    }

    pub(super) fn count(&self, name: &str, ending: Ending, since: Instant) {
        let meter = self.operations.get(name).unwrap_or(&self.lost);
        meter.count(ending, since.elapsed());
    }
}

impl Place {
    /// What is wanted at this place.
    pub(super) fn wanted<'a>(&self, reason: &'a str, ticket: &'a str) -> Wanted<'a> {
        Wanted {
            resource: self
                .resource
                .map_or(ResourceRef::OfAccount, ResourceRef::Id),
            account: AccountRef::Id(self.account),
            reason,
            ticket,
        }
    }
}

impl Rest {
    /// Does what is asked for.
    pub(super) async fn perform(
        &self,
        endpoint: &Endpoint,
        ask: &Ask<'_>,
    ) -> Result<Done, Trouble> {
        match endpoint {
            Endpoint::Password(place) => self.password(*place, ask).await,
            // Boxed: the others need more room, and few ask for them.
            other => Box::pin(self.perform_rarely(other, ask)).await,
        }
    }

    /// Whether the server can do its work; nothing else is told to whoever shows no token.
    pub(super) fn ping(&self) -> Result<Done, Refusal> {
        if self.vault.works() {
            return Ok(Done::new("The server is ready"));
        }
        let message = "The server cannot do its work now.";
        Err(Refusal::new(Code::NotReady, message))
    }

    async fn perform_rarely(&self, endpoint: &Endpoint, ask: &Ask<'_>) -> Result<Done, Trouble> {
        match endpoint {
            Endpoint::Resources => self.resources(ask).await,
            Endpoint::CreateResource => self.create_resource(ask).await,
            Endpoint::EditResource(id) => self.edit_resource(*id, ask).await,
            Endpoint::DeleteResource(id) => self.delete_resource(*id, ask).await,
            Endpoint::ResourceTypes => self.resource_types(ask).await,
            Endpoint::ShareResource(id) => self.share_resource(*id, ask).await,
            Endpoint::ResourceNamed(name) => self.resource_named(name, ask).await,
            Endpoint::IdsNamed(resource, account) => self.ids_named(resource, account, ask).await,
            Endpoint::Ids => self.ids(ask).await,
            Endpoint::AccountInFull => self.account_in_full(ask).await,
            Endpoint::Accounts(id) => self.accounts(*id, ask).await,
            Endpoint::AddAccounts(id) => self.add_accounts(*id, ask).await,
            Endpoint::Account(place) => self.account(*place, ask).await,
            Endpoint::EditAccount(place) => self.edit_account(*place, ask).await,
            Endpoint::DeleteAccount(place) => self.delete_account(*place, ask).await,
            Endpoint::ShareAccount(place) => self.share_account(*place, ask).await,
            Endpoint::Password(place) => self.password(*place, ask).await,
            Endpoint::ChangePassword(place) => self.change_password(*place, ask).await,
            Endpoint::DownloadFile(place) => self.download_file(*place, ask).await,
            Endpoint::GeneratePassword => self.generate_password(ask).await,
            Endpoint::PasswordRequests => self.password_requests(ask).await,
            Endpoint::RequestPassword(place) => self.request_password(*place, ask).await,
            Endpoint::CheckOut(place) => self.check_out(*place, ask).await,
            Endpoint::CheckIn(place) => self.check_in(*place, ask).await,
            Endpoint::Approve(place, user) => self.approve(*place, *user, ask).await,
            Endpoint::Reject(place, user) => self.reject(*place, *user, ask).await,
            Endpoint::CheckInFor(place, user) => self.check_in_for(*place, *user, ask).await,
            Endpoint::CreateUser => self.create_user(ask).await,
            Endpoint::UserId => self.user_id(ask).await,
            Endpoint::LockUser => self.lock_user(ask).await,
            Endpoint::UnlockUser => self.unlock_user(ask).await,
            Endpoint::DeleteUser(id) => self.delete_user(*id, ask).await,
            Endpoint::RegenerateToken => self.regenerate_token(ask).await,
            Endpoint::Audits => self.audits(ask).await,
            Endpoint::ResourceGroups => self.resource_groups(ask).await,
            Endpoint::Associate(group) => self.associate(*group, ask).await,
            Endpoint::AssociatedGroups(id) => self.associated_groups(*id, ask).await,
            // Answered before anybody was asked who they are.
            Endpoint::Ping => self.ping().map_err(Trouble::Told),
            // Replaced by the one it names, before it comes here.
            Endpoint::Named => Err(Unfit("OPERATION_NAME names no operation".to_owned()).into()),
        }
    }
}
