//! `retrievePassword(resource, account[, reason[, ticketId]])`

use xmlrpc_codec::{Call, Value};

use crate::{Client, Error, Secret, blocking, server::Effect};

/// The retrieval of a password: made by [`Client::retrieve_password`] or
/// [`blocking::Client::retrieve_password`], filled in, and sent.
#[derive(Clone, Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct RetrievePassword<C> {
    client: C,
    resource: String,
    account: String,
    reason: Option<String>,
    ticket: Option<String>,
}

impl<C> RetrievePassword<C> {
    pub(crate) fn new(client: C, resource: String, account: String) -> Self {
        Self {
            client,
            resource,
            account,
            reason: None,
            ticket: None,
        }
    }

    /// Says why, where a reason is demanded.
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Names the ticket it belongs to, where one is demanded.
    pub fn ticket(mut self, id: impl Into<String>) -> Self {
        self.ticket = Some(id.into());
        self
    }

    fn call(self) -> (C, Call) {
        let call = Call::new("retrievePassword")
            .with(self.resource)
            .with(self.account);
        let call = match (self.reason, self.ticket) {
            (None, None) => call,
            (Some(reason), None) => call.with(reason),
            (reason, Some(ticket)) => call.with(reason.unwrap_or_default()).with(ticket),
        };
        (self.client, call)
    }
}

impl RetrievePassword<&Client> {
    /// Sends it. It is sent again where that may help, also to the secondary.
    ///
    /// # Errors
    /// [`Error`]: `is_refused` where there is no such account for this user, `is_policy` where a
    /// reason or ticket is demanded, `is_unavailable` where nobody could be asked.
    pub async fn send(self) -> Result<Secret, Error> {
        let (client, call) = self.call();
        secret(client.perform(call, Effect::Retrieval).await?)
    }
}

impl RetrievePassword<&blocking::Client> {
    /// Sends it and waits. It is sent again where that may help, also to the secondary.
    ///
    /// # Errors
    /// As of the asynchronous [`send`](RetrievePassword::send).
    pub fn send(self) -> Result<Secret, Error> {
        let (client, call) = self.call();
        secret(client.perform(call, Effect::Retrieval)?)
    }
}

fn secret(answer: Value) -> Result<Secret, Error> {
    let text = answer
        .into_string()
        .map_err(|error| Error::Unexpected { found: error.found })?;
    Ok(Secret::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_overloads_are_the_wrappers() {
        let request = || RetrievePassword::new((), "r".to_owned(), "a".to_owned());
        let expected = Call::new("retrievePassword").with("r").with("a");

        for (request, call) in [
            (request(), expected.clone()),
            (request().reason("why"), expected.clone().with("why")),
            (
                request().reason("why").ticket("7"),
                expected.clone().with("why").with("7"),
            ),
            (request().ticket("7"), expected.clone().with("").with("7")),
        ] {
            assert!(request.call().1 == call);
        }
    }
}
