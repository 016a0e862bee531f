//! `claviger audit`.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use http::Method;

use crate::admin::wire::{
    AuditRecord, Page, ResumeOrder, ResumedTrail, Verification, VerifyProgress,
};
use crate::admin::{read_head, resumption, verification};
use crate::cli::fields::AsJson;
use crate::cli::output::visible;
use crate::cli::private_write::{Existing, create};
use crate::cli::progress::Progress;
use crate::cli::{ApiPath, CliError, Client, Context};

/// The audit trail: who asked for what, and what became of it
#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    Tail(Tail),
    Verify(Verify),
    Export(Export),
    Resume(Resume),
}

/// Show the last records, and follow new ones
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger audit tail -f
  claviger audit tail -n 100 --caller billing@app1.example --outcome refused")]
pub(crate) struct Tail {
    /// Go on with new records as they are written
    #[arg(short, long)]
    follow: bool,
    /// How many of the last records
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20)]
    lines: usize,
    #[command(flatten)]
    filter: Filter,
    /// One JSON object a line, as the API's documentation describes it
    #[arg(long)]
    json: bool,
}

/// Which records.
#[derive(Debug, Args)]
pub(crate) struct Filter {
    /// Only of this user
    #[arg(long, value_name = "USER")]
    caller: Option<String>,
    /// Only about this resource
    #[arg(long, value_name = "RESOURCE")]
    resource: Option<String>,
    /// Only about accounts with this name
    #[arg(long, value_name = "ACCOUNT")]
    account: Option<String>,
    /// Only this operation: retrieve, change, create-resource, …
    #[arg(long, value_name = "OPERATION")]
    operation: Option<String>,
    /// Only what ended so
    #[arg(long, value_enum)]
    outcome: Option<Outcome>,
    /// Only from this time on, such as 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
}

/// How something ended.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Outcome {
    /// It was allowed
    Allowed,
    /// It was refused
    Refused,
    /// It was allowed and could not be done
    Failed,
}

/// Check that no record was changed, removed, moved or cut off; works on a stopped server, too
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger audit verify
  claviger audit verify --expect-head 1234:9c1185a5c5e9fc54612808977ee8f548b2258d31…

The head is the number and the keyed hash of the last record. Keep it elsewhere: a trail that
does not hold it any more was cut or replaced as a whole.")]
pub(crate) struct Verify {
    /// A head that an earlier check printed: the trail must still hold it
    #[arg(long, value_name = "NUMBER:HASH")]
    expect_head: Option<String>,
    #[command(flatten)]
    json: AsJson,
}

/// Go on past records of the trail that are lost or damaged; works on a stopped server, too
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger audit resume --reason \"the disk was changed, see ticket 4711\"

Without its trail a server refuses everything, and over a damaged one it does not start: first try
to put back what is missing, and keep a copy of DIR/audit. This goes on in a new file, numbered
behind all that can be found, and says which records are lost. The order, its reason and who gave
it are the first record there; `claviger audit verify` names the gap from then on.")]
pub(crate) struct Resume {
    /// Why, for the trail
    #[arg(long, value_name = "TEXT")]
    reason: String,
    #[command(flatten)]
    json: AsJson,
}

/// Write the trail to a file or to standard output; its chain is checked on the way
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger audit export --since 2027-01-01T00:00:00Z --out january.jsonl

Where records are lost or damaged, a line with `gap` says so in their place, and the export goes on
behind them. It ends with status 1 then, unless `claviger audit resume` went past them.")]
pub(crate) struct Export {
    /// Only from this time on, such as 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// Only up to this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// The form: one JSON object a line, or CSV that no spreadsheet runs
    #[arg(long, value_enum, default_value = "json")]
    format: Format,
    /// The file, made with mode 0600; standard output if absent
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// One JSON object a line
    Json,
    /// Comma-separated values with a line of heads
    Csv,
}

impl Audit {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Tail(tail) => tail.run(context).await,
            Self::Verify(verify) => verify.run(context).await,
            Self::Resume(resume) => resume.run(context).await,
            Self::Export(export) => export.run(context).await,
        }
    }
}

impl Filter {
    fn on(&self, path: ApiPath) -> ApiPath {
        let outcome = self.outcome.and_then(|outcome| outcome.to_possible_value());
        path.maybe("caller", self.caller.as_deref())
            .maybe("resource", self.resource.as_deref())
            .maybe("account", self.account.as_deref())
            .maybe("operation", self.operation.as_deref())
            .maybe("outcome", outcome.as_ref().map(|value| value.get_name()))
            .maybe("since", self.since.as_deref())
            .maybe("until", self.until.as_deref())
    }
}

impl Tail {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        let mut last = last_records(&mut client, &self.filter, self.lines).await?;
        last.reverse();
        for record in &last {
            self.show(record, context)?;
        }
        if !self.follow {
            return Ok(());
        }
        let path = self.filter.on(ApiPath::new("/v1/audit/follow"));
        let path = match last.last() {
            Some(record) => path.with("after", &record.seq.to_string()),
            None => path,
        };
        let mut answer = client.stream(Method::GET, &path).await?;
        while let Some(record) = answer.line::<AuditRecord>(QUIET).await? {
            self.show(&record, context)?;
        }
        Err(CliError::Connection("it has stopped".to_owned()))
    }

    fn show(&self, record: &AuditRecord, context: &Context) -> Result<(), CliError> {
        if self.json {
            return context.out.line(in_json(record)?);
        }
        context.out.line(sentence(record))
    }
}

/// The last `count` records, newest first.
async fn last_records(
    client: &mut Client,
    filter: &Filter,
    count: usize,
) -> Result<Vec<AuditRecord>, CliError> {
    let path = filter.on(ApiPath::new("/v1/audit")).with("order", "newest");
    let mut records: Vec<AuditRecord> = Vec::new();
    let mut after: Option<String> = None;
    while records.len() < count {
        let limit = (count - records.len()).min(PAGE).to_string();
        let path = path
            .clone()
            .with("limit", &limit)
            .maybe("after", after.as_deref());
        let page: Page<AuditRecord> = client.get(&path).await?;
        records.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    Ok(records)
}

/// A record in a line: time, outcome, who, from where, what, on what, why.
fn sentence(record: &AuditRecord) -> String {
    let mut words = [&record.time, &record.outcome, &record.door, &record.caller]
        .map(ToOwned::to_owned)
        .to_vec();
    words.extend(record.peer.as_ref().map(|peer| format!("from {peer}")));
    words.push(record.operation.clone());
    let target = match (record.resource.as_str(), record.account.as_str()) {
        ("", _) => String::new(),
        (resource, "") => resource.to_owned(),
        (resource, account) => format!("{resource}/{account}"),
    };
    words.push(target);
    let more = [
        ("reason", &record.reason),
        ("ticket", &record.ticket),
        ("detail", &record.detail),
    ];
    let more = more.iter().filter(|(_, text)| !text.is_empty());
    words.extend(more.map(|(name, text)| format!("{name}: {text}")));
    words.push(format!("[{}]", record.request));
    words.retain(|word| !word.is_empty());
    visible(&words.join("  "))
}

impl Verify {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let found = match context.client().await {
            Ok(mut client) => self.ask(&mut client).await?,
            Err(CliError::NoServer(_)) => self.check(context).await?,
            Err(other) => return Err(other),
        };
        if self.json.json {
            return context.out.json(&found);
        }
        context.out.line(format_args!(
            "{} records, nothing is missing",
            found.records
        ))?;
        if let Some(torn) = &found.torn {
            context.out.line(format_args!(
                "a crash tore off what nobody was told of: {torn}"
            ))?;
        }
        context.out.line(format_args!("head {}", found.head))
    }

    async fn ask(&self, client: &mut Client) -> Result<Verification, CliError> {
        let path = ApiPath::new("/v1/audit/verify");
        let path = path.maybe("expect_head", self.expect_head.as_deref());
        let mut answer = client.stream(Method::POST, &path).await?;
        let mut shown = Progress::begin("records", None);
        let ended = loop {
            match answer.line::<VerifyProgress>(QUIET).await {
                Ok(Some(VerifyProgress {
                    error: Some(error), ..
                })) => {
                    break Err(CliError::Failed(error));
                }
                Ok(Some(VerifyProgress {
                    finished: Some(found),
                    ..
                })) => break Ok(found),
                Ok(Some(at)) => shown.at(at.records),
                Ok(None) => break Err(CliError::Connection("its answer broke off".to_owned())),
                Err(error) => break Err(error),
            }
        };
        shown.end();
        ended
    }

    /// The same on a stopped server.
    async fn check(&self, context: &Context) -> Result<Verification, CliError> {
        let expected = match &self.expect_head {
            Some(text) => Some(read_head(text).ok_or_else(|| {
                CliError::Usage(
                    "--expect-head is NUMBER:HASH, as an earlier check printed it".to_owned(),
                )
            })?),
            None => None,
        };
        let report = crate::app::verify_audit(&context.folder(), expected).await?;
        Ok(verification(&report))
    }
}

impl Resume {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        if self.reason.trim().is_empty() {
            return Err(CliError::Usage(
                "--reason is empty: say why, for the trail".to_owned(),
            ));
        }
        let path = ApiPath::new("/v1/audit/resume");
        let resumed = match context.client().await {
            Ok(mut client) => {
                let order = ResumeOrder {
                    reason: self.reason,
                };
                client.send(Method::POST, &path, &order).await?
            }
            Err(CliError::NoServer(_)) => {
                let resumed = crate::app::resume_audit(&context.folder(), &self.reason).await?;
                resumption(&resumed)
            }
            Err(other) => return Err(other),
        };
        if self.json.json {
            return context.out.json(&resumed);
        }
        context.out.line(in_words(&resumed))
    }
}

/// What became of the order to go on, in a sentence.
fn in_words(resumed: &ResumedTrail) -> String {
    let ResumedTrail { needed, next, .. } = resumed;
    match (needed, resumed.lost_first, resumed.lost_last) {
        (false, ..) => "nothing is lost: the trail goes on as before".to_owned(),
        (true, Some(first), Some(last)) => {
            format!("records {first} to {last} are lost; the trail goes on with record {next}")
        }
        (true, ..) => format!("no record is lost; the trail goes on with record {next}"),
    }
}

impl Export {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let mut client = context.client().await?;
        let format = self.format.to_possible_value();
        let path = ApiPath::new("/v1/audit/export")
            .maybe("format", format.as_ref().map(|value| value.get_name()))
            .maybe("since", self.since.as_deref())
            .maybe("until", self.until.as_deref());
        let mut answer = client.stream(Method::GET, &path).await?;
        let Some(file) = &self.out else {
            while let Some(bytes) = answer.chunk(QUIET).await.map_err(broke_off)? {
                context.out.raw(&bytes)?;
            }
            return Ok(());
        };
        let mut out = create(file, 0o600, Existing::Keep)?;
        while let Some(bytes) = answer.chunk(QUIET).await.map_err(broke_off)? {
            out.write_all(&bytes).map_err(CliError::file(file))?;
        }
        out.sync_all().map_err(CliError::file(file))
    }
}

/// The server ends an export before its time where the trail is damaged.
fn broke_off(error: CliError) -> CliError {
    match error {
        CliError::Connection(why) => CliError::Failed(format!(
            "the export broke off ({why}): `claviger audit verify` says whether the trail is damaged"
        )),
        other => other,
    }
}

fn in_json(record: &AuditRecord) -> Result<String, CliError> {
    serde_json::to_string(record).map_err(|error| CliError::Failed(error.to_string()))
}

/// Records asked for at once.
const PAGE: usize = 1000;
/// How long a followed trail may be silent; the server sends an empty line now and then.
const QUIET: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> AuditRecord {
        AuditRecord {
            seq: 7,
            time: "2027-01-31T12:00:00Z".to_owned(),
            request: "00000000000000ab".to_owned(),
            caller: "billing\u{1b}[2J".to_owned(),
            org: String::new(),
            door: "xmlrpc".to_owned(),
            peer: Some("192.0.2.7".to_owned()),
            operation: "retrieve".to_owned(),
            resource: "db1".to_owned(),
            account: "root".to_owned(),
            reason: "=cmd()".to_owned(),
            ticket: String::new(),
            outcome: "refused: not-shared".to_owned(),
            detail: String::new(),
        }
    }

    #[test]
    fn a_record_is_a_line_that_no_name_in_it_can_break() {
        assert_eq!(
            sentence(&record()),
            "2027-01-31T12:00:00Z  refused: not-shared  xmlrpc  billing\\u{1b}[2J  from 192.0.2.7  \
             retrieve  db1/root  reason: =cmd()  [00000000000000ab]"
        );
    }
}
