//! Having a command done.

use tokio::time::{Instant, timeout};
use tracing::{debug, error};
use zeroize::Zeroizing;

use crate::domain::{Password, RequestId};
use crate::doors::ssh::Ssh;
use crate::doors::ssh::answer::{Answer, Exit};
use crate::doors::ssh::command::{Command, Name, Verb};
use crate::doors::ssh::guest::Guest;
use crate::vault::{
    AccountEdit, Caller, CatalogueEntry, Filter, NewPassword, NewResource, Reach, ResourceEdit,
    VaultError, Wanted,
};

impl Ssh {
    /// Answers a command, and says whether whoever sent it may stay.
    pub(super) async fn answer(&self, guest: &Guest, command: &[u8]) -> (Answer, bool) {
        let since = Instant::now();
        let parsed = if command.len() > self.settings.command {
            Err(self.too_long())
        } else {
            Command::parse(command).map_err(Answer::from)
        };
        let command = match parsed {
            Ok(command) => command,
            Err(answer) => {
                self.meters.count(None, answer.ending(), since);
                return (answer, true);
            }
        };
        let (verb, id) = (command.verb(), self.vault.next_request());
        let done = timeout(self.settings.answer, self.perform(command, guest, id)).await;
        let (answer, stays) = match done {
            Ok(Ok(answer)) => (answer, true),
            Ok(Err(error)) => {
                self.log_outage(&error, id);
                let stays = !matches!(error, VaultError::Unidentified(_));
                (Answer::refused(error), stays)
            }
            Err(_) => (self.unfinished(id), true),
        };
        self.meters.count(Some(verb), answer.ending(), since);
        debug!(%id, command = verb.as_str(), exit = ?answer.exit, "answered");
        (answer, stays)
    }

    async fn perform(
        &self,
        mut command: Command,
        guest: &Guest,
        id: RequestId,
    ) -> Result<Answer, VaultError> {
        if command.verb() == Verb::Help {
            return Ok(self.help());
        }
        let caller = self.caller(guest, id).await?;
        match command.verb() {
            Verb::Retrieve => {
                let password = self.vault.retrieve(&wanted(&command), &caller).await?;
                Ok(self.lines(&[password.expose()]))
            }
            Verb::ResetLocal => self.reset(&mut command, Reach::Local, &caller).await,
            Verb::ResetRemote => self.reset(&mut command, Reach::Remote, &caller).await,
            Verb::Create => self.create(&mut command, &caller).await,
            Verb::List => self.list(command.get(Name::Resource), &caller).await,
            Verb::Help => Ok(self.help()),
        }
    }

    async fn reset(
        &self,
        command: &mut Command,
        reach: Reach,
        caller: &Caller,
    ) -> Result<Answer, VaultError> {
        let new = NewPassword::parse(command.take_password())?;
        let wanted = wanted(command);
        let generated = self.vault.change(&wanted, new, reach, caller).await?;
        Ok(self.said("Password changed successfully", generated.as_ref()))
    }

    async fn create(&self, command: &mut Command, caller: &Caller) -> Result<Answer, VaultError> {
        let password = NewPassword::parse(command.take_password())?;
        let (resource, account) = (command.get(Name::Resource), command.get(Name::Account));
        let new = NewResource {
            resource,
            kind: command.get(Name::ResourceType),
            account,
            notes: command.get(Name::Notes),
            owner: None,
            more: ResourceEdit::default(),
            more_of_account: AccountEdit::default(),
        };
        let ticket = command.get(Name::TicketId);
        let made = self
            .vault
            .create_for(&new, password, ticket, caller)
            .await?;
        let line = format!("Resource {resource} with account {account} created successfully");
        Ok(self.said(&line, made.generated.as_ref()))
    }

    /// `RESOURCE<tab>ACCOUNT` a line: neither can hold a tab.
    async fn list(&self, resource: &str, caller: &Caller) -> Result<Answer, VaultError> {
        if !resource.is_empty() {
            let entry = self.vault.catalogue_of(resource, caller).await?;
            return Ok(self.text(self.rows(&entry)));
        }
        let (mut text, mut start) = (String::new(), 0);
        loop {
            let filter = Filter::page(start, PAGE);
            let page = self.vault.catalogue(&filter, caller).await?;
            let rows = page.items.iter().map(|entry| self.rows(entry));
            text.extend(rows);
            if text.len() > self.settings.output || !page.complete {
                let why = "The list is longer than an answer may be: name a resource, as in LIST \
                           --resource=NAME.";
                return Ok(Answer::failed(Exit::Refused, why));
            }
            start += PAGE;
            if start >= page.total {
                return Ok(self.text(text));
            }
        }
    }

    fn rows(&self, (resource, accounts): &CatalogueEntry) -> String {
        let row = |account| format!("{resource}\t{account}{}", self.end());
        accounts.iter().map(row).collect()
    }

    /// Lines that have their ends already.
    fn text(&self, text: String) -> Answer {
        let mut answer = Answer::done(&[], self.end());
        answer.lines = Zeroizing::new(text.into_bytes());
        self.within(answer)
    }

    fn help(&self) -> Answer {
        let lines = Verb::ALL.map(Verb::synopsis);
        let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        lines.push(
            "A value is quoted, '…' or \"…\", if a word in it looks like an option (-x, reason=); a \
             password, if it holds a blank and a dash behind it.",
        );
        self.lines(&lines)
    }

    fn said(&self, line: &str, generated: Option<&Password>) -> Answer {
        match generated {
            None => self.lines(&[line]),
            Some(password) => self.lines(&[line, password.expose()]),
        }
    }

    fn lines(&self, lines: &[&str]) -> Answer {
        self.within(Answer::done(lines, self.end()))
    }

    fn within(&self, answer: Answer) -> Answer {
        if answer.lines.len() > self.settings.output {
            return Answer::failed(Exit::Unavailable, "The answer is longer than one may be.");
        }
        answer
    }

    fn end(&self) -> &'static str {
        self.settings.line_end.as_str()
    }

    fn too_long(&self) -> Answer {
        let most = self.settings.command;
        Answer::failed(Exit::Usage, &format!("a command has at most {most} bytes"))
    }

    /// Nobody knows whether it is done: the caller must look.
    fn unfinished(&self, id: RequestId) -> Answer {
        if let Some(unsaid) = self.outages.now() {
            let after = self.settings.answer;
            error!(%id, ?after, unsaid, "a command was not finished in time");
        }
        let why = "The server did not finish in time, and may have done it.";
        Answer::failed(Exit::Unavailable, why)
    }
}

fn wanted(command: &Command) -> Wanted<'_> {
    let place = Wanted::named(command.get(Name::Resource), command.get(Name::Account));
    place.because(command.get(Name::Reason), command.get(Name::TicketId))
}

const PAGE: usize = 500;
