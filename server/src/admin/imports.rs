//! `/v1/imports`.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;

use crate::admin::Desk;
use crate::admin::asked::{Asked, SentLines};
use crate::admin::problem::Refusal;
use crate::admin::wire::{BadLine, ImportReport, TransferRow};
use crate::vault::Entry;

/// How to import.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct How {
    #[serde(rename = "organisation")]
    _organisation: Option<String>,
    dry_run: bool,
}

pub(crate) async fn import(
    State(desk): State<Desk>,
    asked: Asked<How>,
    SentLines(lines): SentLines<TransferRow>,
) -> Result<Json<ImportReport>, Refusal> {
    let mut report = ImportReport::default();
    let mut entries = Vec::with_capacity(lines.len());
    let mut places = Vec::with_capacity(lines.len());
    for (place, line) in (1..).zip(lines) {
        match line {
            Ok(row) => {
                places.push((place, row.password.is_none()));
                entries.push(entry(row));
            }
            Err(reason) => report.bad.push(BadLine {
                line: place,
                reason,
            }),
        }
    }
    let answers = desk
        .vault
        .import(entries, asked.query.dry_run, &asked.caller)
        .await?;
    for ((line, generated), answer) in places.into_iter().zip(answers) {
        match answer {
            Ok(()) => {
                report.accounts += 1;
                report.generated += u64::from(generated);
            }
            Err(error) => report.bad.push(BadLine {
                line,
                reason: error.0,
            }),
        }
    }
    report.bad.sort_by_key(|bad| bad.line);
    Ok(Json(report))
}

fn entry(row: TransferRow) -> Entry {
    Entry {
        resource: row.resource,
        kind: row.kind.unwrap_or_default(),
        address: row.address.unwrap_or_default(),
        description: row.description.unwrap_or_default(),
        owner: row.owner.unwrap_or_default(),
        account: row.account,
        notes: row.notes.unwrap_or_default(),
        password: row.password.map(crate::admin::wire::SecretText::expose),
    }
}
