//! `createResource(resource, type, account[, newPassword], notes)`

use xmlrpc_codec::Call;

use super::{exposed, generated};
use crate::{Client, Error, Secret, blocking, server::Effect};

/// The creation of a resource with one account: made by [`Client::create_resource`] or
/// [`blocking::Client::create_resource`], filled in, and sent.
#[derive(Debug)]
#[must_use = "a request does nothing until it is sent"]
pub struct CreateResource<C> {
    client: C,
    resource: String,
    resource_type: String,
    account: String,
    password: Option<Secret>,
    notes: String,
}

impl<C> CreateResource<C> {
    pub(crate) fn new(client: C, resource: String, resource_type: String, account: String) -> Self {
        let notes = String::new();
        Self {
            client,
            resource,
            resource_type,
            account,
            password: None,
            notes,
        }
    }

    /// The account's password. Without one, or with an empty one, the server generates it.
    pub fn password(mut self, password: impl Into<Secret>) -> Self {
        self.password = Some(password.into());
        self
    }

    /// What else there is to know.
    pub fn notes(mut self, notes: impl Into<String>) -> Self {
        self.notes = notes.into();
        self
    }

    fn call(&self) -> Call {
        let mut call = Call::new("createResource").with(self.resource.as_str());
        call = call
            .with(self.resource_type.as_str())
            .with(self.account.as_str());
        if let Some(password) = &self.password {
            call = call.with(exposed(password));
        }
        call.with(self.notes.as_str())
    }
}

impl CreateResource<&Client> {
    /// Sends it, once: it is never sent again when the server may have seen it. Answers the
    /// password where the server generated it.
    ///
    /// # Errors
    /// [`Error`]: among them `code() == Some(Code::ResourceExists)`, `is_policy` where the
    /// password is too weak, `is_read_only` where only the secondary could be asked, and
    /// `is_outcome_unknown` where it may have been done all the same.
    pub async fn send(self) -> Result<Option<Secret>, Error> {
        let answer = self.client.perform(self.call(), Effect::Change).await;
        generated(answer.map_err(|error| error.without(self.password.as_ref()))?)
    }
}

impl CreateResource<&blocking::Client> {
    /// Sends it, once, and waits.
    ///
    /// # Errors
    /// As of the asynchronous [`send`](CreateResource::send).
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
        let request =
            || CreateResource::new((), "r".to_owned(), "Linux".to_owned(), "a".to_owned());
        let expected = Call::new("createResource")
            .with("r")
            .with("Linux")
            .with("a");

        assert!(request().call() == expected.clone().with(""));
        assert!(request().notes("n").call() == expected.clone().with("n"));
        assert!(request().password("p").call() == expected.clone().with("p").with(""));
        assert!(request().password("p").notes("n").call() == expected.with("p").with("n"));
    }
}
