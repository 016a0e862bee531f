//! Lists, printed page by page as they come: however many rows there are, only a page is held.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cli::fields::AsJson;
use crate::cli::{ApiPath, CliError, Context};

/// Prints every row at `path`: as one JSON array, or in columns under `heads`.
///
/// # Errors
/// What the server says.
pub(crate) async fn list<T: Serialize + DeserializeOwned>(
    context: &Context,
    path: &ApiPath,
    json: &AsJson,
    heads: &[&str],
    row: impl Fn(T) -> Vec<String>,
) -> Result<(), CliError> {
    list_to(context, (path, usize::MAX), json, heads, row).await
}

/// As [`list`], up to so many rows.
///
/// # Errors
/// What the server says.
pub(crate) async fn list_to<T: Serialize + DeserializeOwned>(
    context: &Context,
    (path, most): (&ApiPath, usize),
    json: &AsJson,
    heads: &[&str],
    row: impl Fn(T) -> Vec<String>,
) -> Result<(), CliError> {
    let mut client = context.client().await?;
    if json.json {
        let mut before = "[";
        client
            .pages_to(path, most, |page: Vec<T>| {
                page.iter().try_for_each(|item| {
                    let text = indented(item)?;
                    context.out.raw(format!("{before}\n{text}").as_bytes())?;
                    before = ",";
                    Ok(())
                })
            })
            .await?;
        return context.out.line(if before == "[" { "[]" } else { "\n]" });
    }
    let mut first = true;
    client
        .pages_to(path, most, |page: Vec<T>| {
            let rows: Vec<_> = page.into_iter().map(&row).collect();
            if rows.is_empty() && !first {
                return Ok(());
            }
            let shown = if first { heads } else { &[] };
            first = false;
            context.out.table(shown, rows)
        })
        .await
}

/// An entry of a JSON array, two blanks in.
fn indented(item: &impl Serialize) -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(item)
        .map_err(|error| CliError::Failed(format!("this cannot be written as JSON: {error}")))?;
    Ok(format!("  {}", text.replace('\n', "\n  ")))
}

/// Rows asked for at once; the server may give fewer.
pub(crate) const PAGE: &str = "1000";
