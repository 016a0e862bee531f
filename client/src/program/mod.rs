//! The program `claviger-client`: what `PMP_API.sh` calls, and what scripts may call themselves.
//!
//! - `options`: the command line
//! - `errand`: one operation after the other
//! - `manual`: the manual pages
//! - `source`: where a password comes from: the server, or an agent on this machine
//! - `agent`: the agent
//! - `environment`: running a program with passwords in its environment
//! - `trouble`: what goes wrong, with its exit status

#[cfg(unix)]
mod agent;
#[cfg(unix)]
mod environment;
mod errand;
mod manual;
mod options;
mod output;
mod source;
mod trouble;

use std::env;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;

use options::Line;
use trouble::Trouble;

/// Reads the command line, does what it says, and gives the exit status.
#[must_use]
pub fn main() -> ExitCode {
    hide_memory();
    let line = match Line::try_parse() {
        Ok(line) => line,
        Err(wrong) => return explain(&wrong),
    };
    match run(line) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => refuse(&trouble),
    }
}

fn run(line: Line) -> Result<(), Trouble> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Trouble::Runtime)?;
    let done = runtime.block_on(errand::run(line));
    // What was interrupted is not waited for.
    runtime.shutdown_background();
    done
}

/// Neither a core dump nor another program of the same user sees what is in memory. A program that
/// is run in place of this one is not concerned.
fn hide_memory() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Where this is refused, everything else works all the same.
        let _refused = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
}

/// Help and version go to standard output with status 0; a wrong command line is one line and
/// status 2. What was typed is not repeated: it may be a password.
fn explain(wrong: &clap::Error) -> ExitCode {
    if wrong.kind() == ErrorKind::DisplayHelp && options::is_help_behind_names(env::args_os()) {
        return refuse(&Trouble::Usage(options::HELP_BEHIND_NAMES.to_owned()));
    }
    if !wrong.use_stderr() {
        // Nobody is left to be told that nobody reads.
        let _unread = wrong.print();
        return ExitCode::SUCCESS;
    }
    refuse(&Trouble::Usage(options::complaint(wrong)))
}

fn refuse(trouble: &Trouble) -> ExitCode {
    output::complain(&trouble.in_full());
    ExitCode::from(trouble.status())
}
