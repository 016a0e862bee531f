//! `claviger policy`.

use clap::{ArgAction, Args, Subcommand};
use http::Method;

use crate::admin::wire::{self, NewPolicy, PolicyEdit};
use crate::cli::fields::{AsJson, InOrganisation, yes};
use crate::cli::list::list;
use crate::cli::{ApiPath, CliError, Context};

/// Password policies: what a password must look like
#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    List(List),
    Add(Add),
    Show(Show),
    Edit(Edit),
    Remove(Remove),
}

/// List policies
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger policy list")]
pub(crate) struct List {
    #[command(flatten)]
    organisation: InOrganisation,
    #[command(flatten)]
    json: AsJson,
}

/// Make a policy; what is not given is as in Strong
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger policy add Vendor --min-length 20 --special 2 --no-reuse 10 --max-age-days 90")]
pub(crate) struct Add {
    #[command(flatten)]
    policy: Which,
    #[command(flatten)]
    rules: Rules,
}

/// Show a policy
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger policy show Strong")]
pub(crate) struct Show {
    #[command(flatten)]
    policy: Which,
    #[command(flatten)]
    json: AsJson,
}

/// Change a policy; passwords in force stay as they are
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger policy edit Vendor --max-age-days 30")]
pub(crate) struct Edit {
    #[command(flatten)]
    policy: Which,
    #[command(flatten)]
    rules: Rules,
}

/// Remove a policy that nothing uses
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger policy remove Vendor")]
pub(crate) struct Remove {
    #[command(flatten)]
    policy: Which,
}

/// Which policy.
#[derive(Debug, Args)]
pub(crate) struct Which {
    /// The policy
    #[arg(value_name = "POLICY")]
    policy: String,
    #[command(flatten)]
    organisation: InOrganisation,
}

/// What a password must look like.
#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// The fewest characters
    #[arg(long, value_name = "N")]
    min_length: Option<u16>,
    /// The most characters
    #[arg(long, value_name = "N")]
    max_length: Option<u16>,
    /// Whether a capital letter must be in it
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    upper: Option<bool>,
    /// Whether a small letter must be in it
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    lower: Option<bool>,
    /// Whether a digit must be in it
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    digit: Option<bool>,
    /// How many characters that are neither letters nor digits must be in it
    #[arg(long, value_name = "N")]
    special: Option<u16>,
    /// Whether it must begin with a letter
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    starts_with_letter: Option<bool>,
    /// Whether the account's name may be in it
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    may_hold_account_name: Option<bool>,
    /// How many passwords back none may be used again
    #[arg(long, value_name = "N")]
    no_reuse: Option<u16>,
    /// How many days a password may be in force; 0 is for ever
    #[arg(long, value_name = "DAYS")]
    max_age_days: Option<u32>,
}

impl Rules {
    fn edit(&self) -> PolicyEdit {
        PolicyEdit {
            min_length: self.min_length,
            max_length: self.max_length,
            upper: self.upper,
            lower: self.lower,
            digit: self.digit,
            special: self.special,
            starts_with_letter: self.starts_with_letter,
            may_hold_account_name: self.may_hold_account_name,
            no_reuse: self.no_reuse,
            max_age_days: self.max_age_days.map(|days| (days > 0).then_some(days)),
        }
    }
}

impl Which {
    fn path(&self) -> ApiPath {
        ApiPath::new("/v1/policies")
            .then(&self.policy)
            .maybe("organisation", self.organisation.org.as_deref())
    }
}

impl Policy {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::List(list) => list.run(context).await,
            Self::Add(add) => add.run(context).await,
            Self::Show(show) => show.run(context).await,
            Self::Edit(edit) => edit.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
        }
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path =
            ApiPath::new("/v1/policies").maybe("organisation", self.organisation.org.as_deref());
        let row = |policy: wire::Policy| {
            let classes = [
                (policy.upper, "A"),
                (policy.lower, "a"),
                (policy.digit, "1"),
            ];
            let classes = classes
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, letter)| *letter);
            let length = format!("{}–{}", policy.min_length, policy.max_length);
            let age = policy
                .max_age_days
                .map_or_else(String::new, |days| format!("{days} days"));
            let numbers = [policy.special, policy.no_reuse].map(|number| number.to_string());
            let [special, reuse] = numbers;
            vec![policy.name, length, classes.collect(), special, reuse, age]
        };
        let heads = [
            "POLICY", "LENGTH", "CLASSES", "SPECIAL", "NO REUSE", "MAX AGE",
        ];
        list(context, &path, &self.json, &heads, row).await
    }
}

impl Add {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let new = NewPolicy {
            name: self.policy.policy,
            rules: self.rules.edit(),
        };
        let path = ApiPath::new("/v1/policies")
            .maybe("organisation", self.policy.organisation.org.as_deref());
        context
            .client()
            .await?
            .tell(Method::POST, &path, Some(&new))
            .await?;
        context.out.line(format_args!("policy {} made", new.name))
    }
}

impl Show {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let policy: wire::Policy = context.client().await?.get(&self.policy.path()).await?;
        if self.json.json {
            return context.out.json(&policy);
        }
        let age = policy
            .max_age_days
            .map_or("for ever".to_owned(), |days| format!("{days} days"));
        context.out.facts(&[
            ("policy", policy.name),
            ("fewest characters", policy.min_length.to_string()),
            ("most characters", policy.max_length.to_string()),
            ("capital letter", yes(policy.upper)),
            ("small letter", yes(policy.lower)),
            ("digit", yes(policy.digit)),
            ("other characters", policy.special.to_string()),
            ("begins with a letter", yes(policy.starts_with_letter)),
            ("may hold account name", yes(policy.may_hold_account_name)),
            ("no reuse of the last", policy.no_reuse.to_string()),
            ("may be in force", age),
        ])
    }
}

impl Edit {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let edit = self.rules.edit();
        if edit == PolicyEdit::default() {
            return Err(CliError::Usage(
                "nothing to change: give at least one rule".to_owned(),
            ));
        }
        let path = self.policy.path();
        context
            .client()
            .await?
            .tell(Method::PATCH, &path, Some(&edit))
            .await?;
        context
            .out
            .line(format_args!("policy {} changed", self.policy.policy))
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = self.policy.path();
        context
            .client()
            .await?
            .tell(Method::DELETE, &path, None::<&()>)
            .await?;
        context
            .out
            .line(format_args!("policy {} removed", self.policy.policy))
    }
}
