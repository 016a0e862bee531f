//! One operation after the other, as the manual has them.

use crate::program::options::{Command, Create, Line, Reach, Reset, Retrieve};
use crate::program::output::{password_from_stdin, tell};
use crate::program::source::{Source, Wanted, builder};
use crate::program::trouble::Trouble;
use crate::{Code, Secret};

/// Does what the command line says.
pub(super) async fn run(line: Line) -> Result<(), Trouble> {
    let Line { reach, command } = line;
    match command {
        Command::Retrieve(retrieve) => retrieve.run(reach).await,
        Command::ResetLocal(reset) => reset.run(false, reach).await,
        Command::ResetRemote(reset) => reset.run(true, reach).await,
        Command::Create(create) => create.run(reach).await,
        Command::Man(man) => crate::program::manual::write(man),
        #[cfg(unix)]
        Command::Exec(exec) => crate::program::environment::run(exec, reach).await,
        #[cfg(unix)]
        Command::Agent(agent) => crate::program::agent::serve(agent, reach).await,
    }
}

impl Retrieve {
    async fn run(self, reach: Reach) -> Result<(), Trouble> {
        let wanted = Wanted::new(&self.target.resource, &self.target.account, &self.why);
        let source = Source::new(self.ask.agent, reach)?;
        let password = source.retrieve(&wanted).await?;
        tell(&[password.expose()])
    }
}

impl Reset {
    async fn run(self, remote: bool, reach: Reach) -> Result<(), Trouble> {
        let password = given(self.password)?;
        let client = builder(reach)?.0.build()?;
        let mut request = client
            .change_password(self.target.resource, self.target.account)
            .remote(remote);
        if let Some(password) = password {
            request = request.to(password);
        }
        if let Some(reason) = self.why.reason {
            request = request.reason(reason);
        }
        if let Some(ticket) = self.why.ticket {
            request = request.ticket(ticket);
        }
        match request.send().await {
            Ok(generated) => done("Password changed successfully", generated.as_ref()),
            Err(error) => {
                if error.code() == Some(Code::ResetFailed) {
                    // Standard error and the status say it, too.
                    let _unread = tell(&["Password reset failed"]);
                }
                Err(Trouble::Change(error))
            }
        }
    }
}

impl Create {
    async fn run(self, reach: Reach) -> Result<(), Trouble> {
        let password = given(self.password)?;
        let (builder, kind) = builder(reach)?;
        let kind = self.kind.or(kind).unwrap_or_else(|| "Linux".to_owned());
        let (resource, account) = (self.target.resource, self.target.account);
        let client = builder.build()?;
        let mut request = client.create_resource(&*resource, kind, &*account);
        if let Some(password) = password {
            request = request.password(password);
        }
        if let Some(notes) = self.notes {
            request = request.notes(notes);
        }
        let generated = request.send().await.map_err(Trouble::Change)?;
        let made = format!("Resource {resource} with account {account} created successfully");
        done(&made, generated.as_ref())
    }
}

/// What was done, and the generated password behind it.
fn done(what: &str, generated: Option<&Secret>) -> Result<(), Trouble> {
    let told = match generated {
        None => tell(&[what]),
        Some(password) => tell(&[what, password.expose()]),
    };
    told.map_err(|trouble| match trouble {
        Trouble::Output(source) => Trouble::Untold(source),
        other => other,
    })
}

/// The password among the arguments; `-` reads it. An empty one would have another one generated,
/// which nobody means who gives one.
fn given(password: Option<String>) -> Result<Option<Secret>, Trouble> {
    match password.map(Secret::from) {
        None => Ok(None),
        Some(text) if text.expose() == "-" => password_from_stdin().map(Some),
        Some(text) if text.expose().is_empty() => Err(Trouble::Usage(EMPTY.to_owned())),
        given => Ok(given),
    }
}

const EMPTY: &str = "the password is empty";
