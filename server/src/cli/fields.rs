//! Arguments that several commands share.

use clap::{Args, ValueEnum};

use crate::admin::wire::Field;

/// Whether something is demanded: here, not here, or as it is one level up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Demand {
    /// It must be given.
    Yes,
    /// It need not be given.
    No,
    /// As the resource, or the system's setting, says.
    Inherit,
}

impl Demand {
    /// The same for the API.
    pub(crate) fn wanted(self) -> Option<bool> {
        match self {
            Self::Yes => Some(true),
            Self::No => Some(false),
            Self::Inherit => None,
        }
    }
}

/// The organisation a command acts in.
#[derive(Debug, Args)]
pub(crate) struct InOrganisation {
    /// The organisation, where there is more than the default one
    #[arg(long, value_name = "ORG")]
    pub(crate) org: Option<String>,
}

/// Lists in JSON.
#[derive(Debug, Args)]
pub(crate) struct AsJson {
    /// Print JSON, as the API's documentation describes it
    #[arg(long)]
    pub(crate) json: bool,
}

/// Reads `LABEL=VALUE`.
///
/// # Errors
/// When there is no `=`, or nothing before it.
pub(crate) fn field(text: &str) -> Result<Field, String> {
    match text.split_once('=') {
        Some((label, value)) if !label.trim().is_empty() => Ok(Field {
            label: label.trim().to_owned(),
            value: value.to_owned(),
        }),
        _ => Err("a field is written LABEL=VALUE".to_owned()),
    }
}

/// Splits `RESOURCE/ACCOUNT` at its last `/`.
pub(crate) fn split_target(text: &str) -> (&str, Option<&str>) {
    match text.rsplit_once('/') {
        Some((resource, account)) => (resource, Some(account)),
        None => (text, None),
    }
}

/// A policy's name, or `default` for the one a level up.
pub(crate) fn policy_or_default(name: String) -> Option<String> {
    if name == "default" { None } else { Some(name) }
}

/// A truth value in a table.
pub(crate) fn yes(value: bool) -> String {
    if value { "yes" } else { "no" }.to_owned()
}

/// A demand in a list of facts.
pub(crate) fn demanded(value: Option<bool>) -> String {
    value.map_or_else(|| "inherited".to_owned(), yes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_split_at_its_last_slash_and_a_field_at_its_first_sign() {
        assert_eq!(split_target("db"), ("db", None));
        assert_eq!(split_target("db/root"), ("db", Some("root")));
        assert_eq!(split_target("a/b/c"), ("a/b", Some("c")));
        let parsed = field("rack = a=b").unwrap();
        assert_eq!(
            (parsed.label.as_str(), parsed.value.as_str()),
            ("rack", " a=b")
        );
        assert!(field("rack").is_err() && field("=x").is_err());
    }
}
