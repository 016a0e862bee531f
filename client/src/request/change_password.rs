//! `changePassword(resource, account[, newPassword], reason, updateRemote[, ticketId])`

use xmlrpc_codec::Call;

use super::{exposed, generated};
use crate::{Client, Error, Secret, blocking, server::Effect};

/// The change of a password: made by [`Client::change_password`] or
/// [`blocking::Client::change_password`], filled in, and sent.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct ChangePassword<C> {
    client: C,
    resource: String,
    account: String,
    password: Option<Secret>,
    reason: String,
    remote: bool,
    ticket: Option<String>,
}

impl<C> ChangePassword<C> {
    pub(crate) fn new(client: C, resource: String, account: String) -> Self {
        Self {
            client,
            resource,
            account,
            password: None,
            reason: String::new(),
            remote: false,
            ticket: None,
        }
    }

    /// Changes it to this password. Without one, or with an empty one, the server generates it.
    pub fn to(mut self, password: impl Into<Secret>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// Says why, where a reason is demanded.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = reason.into();
        self
    }

    /// Whether to change it on the resource itself too, and not in the vault alone. Default: no.
    pub fn remote(mut self, remote: bool) -> Self {
        self.remote = remote;
        self
    }

    /// Names the ticket it belongs to, where one is demanded.
    pub fn ticket(mut self, id: impl Into<String>) -> Self {
        self.ticket = Some(id.into());
        self
    }

    fn call(&self) -> Call {
        let mut call = Call::new("changePassword");
        call = call
            .with(self.resource.as_str())
            .with(self.account.as_str());
        if let Some(password) = &self.password {
            call = call.with(exposed(password));
        }
        call = call.with(self.reason.as_str()).with(self.remote);
        match &self.ticket {
            Some(ticket) => call.with(ticket.as_str()),
            None => call,
        }
    }
}

impl ChangePassword<&Client> {
    /// Sends it, once: it is never sent again when the server may have seen it. Answers the
    /// password where the server generated it.
    ///
    /// # Errors
    /// [`Error`]: `is_refused`, `is_policy` where a reason or ticket is demanded or the password
    /// is too weak, `is_read_only` where only the secondary could be asked, and
    /// `is_outcome_unknown` where it may have been done all the same.
    pub async fn send(self) -> Result<Option<Secret>, Error> {
        let answer = self.client.perform(self.call(), Effect::Change).await;
        generated(answer.map_err(|error| error.without(self.password.as_ref()))?)
    }
}

impl ChangePassword<&blocking::Client> {
    /// Sends it, once, and waits.
    ///
    /// # Errors
    /// As of the asynchronous [`send`](ChangePassword::send).
    pub fn send(self) -> Result<Option<Secret>, Error> {
        let answer = self.client.perform(self.call(), Effect::Change);
        generated(answer.map_err(|error| error.without(self.password.as_ref()))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overloads_are_the_wrappers() {
        let request = || ChangePassword::new((), "r".to_owned(), "a".to_owned());
        let expected = Call::new("changePassword").with("r").with("a");

        for (request, call) in [
            (request(), expected.clone().with("").with(false)),
            (
                request().reason("why").remote(true),
                expected.clone().with("why").with(true),
            ),
            (
                request().to("new").reason("why"),
                expected.clone().with("new").with("why").with(false),
            ),
            (
                request().ticket("7"),
                expected.clone().with("").with(false).with("7"),
            ),
            (request().to("new").ticket("7").remote(true), {
                expected.clone().with("new").with("").with(true).with("7")
            }),
        ] {
            assert!(request.call() == call);
        }
    }

    #[test]
    fn debug_does_not_show_the_new_password() {
        let request = ChangePassword::new((), "r".to_owned(), "a".to_owned()).to("canary");

        assert!(!format!("{request:?} {:?}", request.call()).contains("canary"));
    }
}
