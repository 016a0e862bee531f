//! `claviger status`.

use clap::Args;

use crate::admin::wire;
use crate::cli::fields::AsJson;
use crate::cli::{ApiPath, CliError, Context};

/// Show how the server is; fails when it does not work
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger status --json")]
pub(crate) struct Status {
    #[command(flatten)]
    json: AsJson,
}

impl Status {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        let status: wire::Status = context
            .client()
            .await?
            .get(&ApiPath::new("/v1/status"))
            .await?;
        if self.json.json {
            context.out.json(&status)?;
        } else {
            show(&status, context)?;
        }
        if status.state == "failing" {
            let why = status.problems.join("; ");
            return Err(CliError::Failed(format!("the server does not work: {why}")));
        }
        Ok(())
    }
}

fn show(status: &wire::Status, context: &Context) -> Result<(), CliError> {
    let mut facts = vec![
        ("state", status.state.clone()),
        ("version", status.version.clone()),
        ("started", status.started.clone()),
        ("mode", status.mode.clone()),
        ("engine", status.engine.clone()),
    ];
    for door in &status.doors {
        facts.push(("door", format!("{} on {}", door.name, door.listen)));
        if let Some(print) = &door.host_key {
            facts.push(("host key", print.clone()));
        }
    }
    facts.extend([
        ("audit head", status.audit_head.clone()),
        ("data key", data_key(status)),
    ]);
    for problem in &status.problems {
        facts.push(("problem", problem.clone()));
    }
    for certificate in &status.certificates {
        facts.push(("warning", warning(certificate)));
    }
    context.out.facts(&facts)
}

fn data_key(status: &wire::Status) -> String {
    if status.data_keys > 1 {
        return format!(
            "{} of {}: a rotation is not finished",
            status.data_key, status.data_keys
        );
    }
    status.data_key.to_string()
}

fn warning(certificate: &wire::ExpiringCertificate) -> String {
    let wire::ExpiringCertificate {
        use_for,
        subject,
        not_after,
        days_left,
        ..
    } = certificate;
    if *days_left < 0 {
        return format!("certificate of {use_for} ({subject}) expired on {not_after}");
    }
    format!("certificate of {use_for} ({subject}) ends in {days_left} days, on {not_after}")
}
