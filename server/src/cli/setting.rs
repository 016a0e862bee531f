//! `claviger setting`.

use clap::{Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, NewSetting};
use crate::cli::fields::AsJson;
use crate::cli::list::list;
use crate::cli::{ApiPath, CliError, Context};

/// Settings that change without a restart (those of claviger.toml need one)
#[derive(Debug, Subcommand)]
pub(crate) enum Setting {
    List(List),
    Set(Set),
}

/// List settings
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger setting list")]
pub(crate) struct List {
    #[command(flatten)]
    json: AsJson,
}

/// Set a setting
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger setting set reason-required true")]
pub(crate) struct Set {
    /// Its name
    #[arg(value_name = "NAME")]
    name: String,
    /// Its value
    #[arg(value_name = "VALUE")]
    value: String,
}

impl Setting {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Set(set) => set.run(context).await,
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/settings");
        let row = |setting: wire::Setting| {
            vec![
                setting.name,
                setting.value,
                setting.default,
                setting.description,
            ]
        };
        list(
            context,
            &path,
            &self.json,
            &["SETTING", "VALUE", "DEFAULT", "WHAT FOR"],
            row,
        )
        .await
    }
}

impl Set {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/settings").then(&self.name);
        let new = NewSetting { value: self.value };
        context
            .client()
            .await?
            .tell(Method::PUT, &path, Some(&new))
            .await?;
        context
            .out
            .line(format_args!("{} = {}", self.name, new.value))
    }
}
