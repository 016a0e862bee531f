//! `/v1/exports`: the one place of this API where passwords come out, each recorded.

use axum::Json;
use axum::extract::State;

use crate::admin::Desk;
use crate::admin::asked::{Asked, Paged};
use crate::admin::problem::Refusal;
use crate::admin::wire::{Page, SecretText, TransferRow};
use crate::domain::ResourceId;
use crate::vault::Entry;

pub(crate) async fn export(
    State(desk): State<Desk>,
    asked: Asked<Paged>,
) -> Result<Json<Page<TransferRow>>, Refusal> {
    let after = asked.query.after()?.map(ResourceId);
    let limit = asked.query.limit(&desk);
    let (entries, next) = desk.vault.export(after, limit, &asked.caller).await?;
    let items = entries.into_iter().map(row).collect();
    Ok(Json(Page {
        items,
        next: next.map(|id| id.to_string()),
    }))
}

fn row(entry: Entry) -> TransferRow {
    let given = |text: String| (!text.is_empty()).then_some(text);
    TransferRow {
        resource: entry.resource,
        kind: given(entry.kind),
        address: given(entry.address),
        description: given(entry.description),
        owner: given(entry.owner),
        account: entry.account,
        password: entry.password.map(SecretText::new),
        notes: given(entry.notes),
    }
}
