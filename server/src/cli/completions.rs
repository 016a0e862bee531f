//! `claviger completions` and `claviger man`: generated from the definitions of the commands.

use std::path::PathBuf;

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::{Claviger, CliError, Context};

/// Print the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger completions bash > /usr/share/bash-completion/completions/claviger")]
pub(crate) struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Print the manual page, or write one for every command
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger man | man -l -
  claviger man --out /usr/share/man/man1")]
pub(crate) struct Man {
    /// Write claviger.1, claviger-user.1, claviger-user-add.1, … into this folder
    #[arg(long, value_name = "FOLDER")]
    out: Option<PathBuf>,
}

impl Completions {
    /// Does it.
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let mut text = Vec::new();
        clap_complete::generate(self.shell, &mut Claviger::command(), "claviger", &mut text);
        context.out.raw(&text)
    }
}

impl Man {
    /// Does it.
    pub(crate) fn run(self, context: &Context) -> Result<(), CliError> {
        let command = Claviger::command();
        if let Some(folder) = self.out {
            std::fs::create_dir_all(&folder).map_err(CliError::file(&folder))?;
            return clap_mangen::generate_to(command, &folder).map_err(CliError::file(&folder));
        }
        let mut text = Vec::new();
        clap_mangen::Man::new(command)
            .render(&mut text)
            .map_err(|error| CliError::Failed(format!("the manual page: {error}")))?;
        context.out.raw(&text)
    }
}
