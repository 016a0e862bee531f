//! The operator's commands: clients of the admin socket, beside the few that need no server.
//!
//! Exit status 0 is done, 1 failed, 2 a command line that makes no sense. What goes wrong is one
//! line on standard error that says what to do.

mod a2a;
mod access_control;
mod account;
mod account_secret;
mod app;
mod audit;
mod backup;
mod cert;
mod client;
mod completions;
mod demo;
mod error;
mod export;
mod fields;
mod group;
mod import;
mod import_file;
mod init;
mod key;
mod line_count;
mod list;
mod notify;
mod org;
mod output;
mod part;
mod path;
mod policy;
mod private_write;
mod progress;
mod request;
mod reset;
mod resource;
mod resource_group;
mod rotate;
mod secret_input;
mod serve;
mod setting;
mod share;
mod status;
mod target;
mod toolkit;
mod user;
mod user_ssh_key;
mod user_token;
mod user_totp;

pub(crate) use client::Client;
pub(crate) use error::CliError;
pub(crate) use output::Output;
pub(crate) use path::ApiPath;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use rustix::process::{Resource, Rlimit, setrlimit};

use crate::app::DataFolder;
use crate::cli::output::visible;
use crate::cli::secret_input::eprint;

/// Keeps the passwords that programs need, and gives each program the one it may have.
#[derive(Debug, Parser)]
#[command(
    name = "claviger",
    version,
    propagate_version = true,
    subcommand_required = true,
    arg_required_else_help = true,
    after_help = "Begin with `claviger demo`, or with `claviger init` and `claviger serve`."
)]
pub(crate) struct Claviger {
    /// The data directory [default: ./claviger-data; ./claviger-demo for `demo`]
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        env = "CLAVIGER_DATA",
        help_heading = "Global options"
    )]
    data: Option<PathBuf>,

    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Serve(serve::Serve),
    Demo(demo::Demo),
    Status(status::Status),
    #[command(subcommand)]
    User(user::User),
    #[command(subcommand)]
    Group(group::Group),
    #[command(subcommand)]
    Cert(cert::Cert),
    #[command(subcommand)]
    App(app::App),
    #[command(subcommand)]
    A2a(a2a::A2a),
    #[command(subcommand)]
    Resource(resource::Resource),
    #[command(subcommand)]
    ResourceGroup(resource_group::ResourceGroup),
    #[command(subcommand)]
    Account(account::Account),
    Share(share::Share),
    Unshare(share::Unshare),
    Shares(share::Shares),
    #[command(subcommand)]
    AccessControl(access_control::AccessControl),
    #[command(subcommand)]
    Request(request::Request),
    Reset(reset::Reset),
    #[command(subcommand)]
    Rotate(rotate::Rotate),
    #[command(subcommand)]
    Policy(policy::Policy),
    #[command(subcommand)]
    Setting(setting::Setting),
    #[command(subcommand)]
    Org(org::Org),
    Import(import::Import),
    Export(export::Export),
    #[command(subcommand)]
    Audit(audit::Audit),
    #[command(subcommand)]
    Key(key::Key),
    Backup(backup::Backup),
    Restore(backup::Restore),
    Completions(completions::Completions),
    Man(completions::Man),
}

/// What every command works with.
#[derive(Debug)]
pub(crate) struct Context {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// Standard output.
    pub(crate) out: Output,
}

impl Context {
    /// The data directory, for what needs no server.
    pub(crate) fn folder(&self) -> DataFolder {
        DataFolder::new(&self.data)
    }

    /// A connection to the server on the data directory.
    ///
    /// # Errors
    /// As [`Client::connect`].
    pub(crate) async fn client(&self) -> Result<Client, CliError> {
        Client::connect(&self.data).await
    }
}

/// Reads the command line, does what it says, and gives the exit status.
#[must_use]
pub fn main() -> ExitCode {
    forbid_core_dumps();
    let line = match Claviger::try_parse() {
        Ok(line) => line,
        Err(wrong) => return explain(&wrong),
    };
    let usual = match line.command {
        Command::Demo(_) => "./claviger-demo",
        _ => "./claviger-data",
    };
    let context = Context {
        data: line.data.unwrap_or_else(|| PathBuf::from(usual)),
        out: Output::new(),
    };
    match run(line.command, &context) {
        Ok(code) => code,
        Err(error) => {
            let code = error.exit_code();
            if !matches!(error, CliError::Unread) {
                eprint(&format!("claviger: {}\n", visible(&error.to_string())));
            }
            code
        }
    }
}

/// What is in memory stays there when the program breaks: passwords and keys are.
fn forbid_core_dumps() {
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    // Less than there is may always be asked for.
    let _refused = setrlimit(Resource::Core, none);
}

/// Help and version go to standard output with status 0; a wrong command line is status 2.
fn explain(wrong: &clap::Error) -> ExitCode {
    // Nobody is left to be told that nobody reads.
    let _unread = wrong.print();
    if wrong.use_stderr() {
        ExitCode::from(2)
    } else {
        ExitCode::SUCCESS
    }
}

fn run(command: Command, context: &Context) -> Result<ExitCode, CliError> {
    match command {
        Command::Init(init) => block_on(init.run(context))?,
        Command::Serve(serve) => serve.run(context)?,
        Command::Demo(demo) => demo.run(context)?,
        Command::Completions(completions) => completions.run(context)?,
        Command::Man(man) => man.run(context)?,
        Command::Status(status) => block_on(status.run(context))?,
        Command::User(user) => block_on(user.run(context))?,
        Command::Group(group) => block_on(group.run(context))?,
        Command::Cert(cert) => block_on(cert.run(context))?,
        Command::App(app) => block_on(app.run(context))?,
        Command::A2a(a2a) => block_on(a2a.run(context))?,
        Command::Resource(resource) => block_on(resource.run(context))?,
        Command::ResourceGroup(group) => block_on(group.run(context))?,
        Command::Account(account) => block_on(account.run(context))?,
        Command::Share(share) => block_on(share.run(context))?,
        Command::Unshare(unshare) => block_on(unshare.run(context))?,
        Command::Shares(shares) => block_on(shares.run(context))?,
        Command::AccessControl(control) => block_on(control.run(context))?,
        Command::Request(request) => block_on(request.run(context))?,
        Command::Reset(reset) => block_on(reset.run(context))?,
        Command::Rotate(rotate) => block_on(rotate.run(context))?,
        Command::Policy(policy) => block_on(policy.run(context))?,
        Command::Setting(setting) => block_on(setting.run(context))?,
        Command::Org(org) => block_on(org.run(context))?,
        Command::Import(import) => block_on(import.run(context))?,
        Command::Export(export) => block_on(export.run(context))?,
        Command::Audit(audit) => block_on(audit.run(context))?,
        Command::Backup(backup) => block_on(backup.run(context))?,
        Command::Restore(restore) => block_on(restore.run(context))?,
        Command::Key(key) => block_on(key.run(context))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Runs one command of a client: one thread is enough.
fn block_on(command: impl Future<Output = Result<(), CliError>>) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::Failed(format!("no runtime: {error}")))?;
    let done = runtime.block_on(command);
    // What was interrupted is not waited for.
    runtime.shutdown_background();
    done
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_hold_together() {
        Claviger::command().debug_assert();
    }

    #[test]
    fn every_command_has_an_example_in_its_help() {
        fn walk(command: &clap::Command, name: &str) {
            if command.get_subcommands().count() == 0 {
                let after = command
                    .get_after_help()
                    .map(ToString::to_string)
                    .unwrap_or_default();
                assert!(after.contains("Example"), "{name} has no example");
                assert!(
                    after.contains(name),
                    "{name}: its example shows another command"
                );
                assert!(
                    command.get_about().is_some(),
                    "{name} does not say what it does"
                );
            }
            for sub in command.get_subcommands() {
                walk(sub, &format!("{name} {}", sub.get_name()));
            }
        }

        walk(&Claviger::command(), "claviger");
    }

    #[test]
    fn no_argument_takes_a_secret() {
        fn walk(command: &clap::Command) {
            for argument in command.get_arguments() {
                let name = argument.get_id().as_str();
                let secret = ["password", "passphrase", "code", "secret"]
                    .iter()
                    .any(|word| name.contains(word));
                let takes = argument.get_action().takes_values();
                assert!(
                    !secret || !takes || name.ends_with("_file"),
                    "{} {name} would stand in the list of processes",
                    command.get_name()
                );
            }
            command.get_subcommands().for_each(walk);
        }

        walk(&Claviger::command());
    }
}
