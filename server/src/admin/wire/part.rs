//! A part of a list that can be searched.

use serde::{Deserialize, Serialize};

/// A [`super::Page`] from anywhere in a list, or of what was searched for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part<T> {
    /// The rows.
    pub items: Vec<T>,
    /// What to give as `after` for the next page; null on the last one.
    pub next: Option<String>,
    /// How many rows there are in all, where `start` or `search` was given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Whether all rows were looked through; told beside `total`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub complete: Option<bool>,
}
