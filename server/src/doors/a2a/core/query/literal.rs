//! A value as a filter writes it, and how it compares with those of a row.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::{Number, Value};

/// A value as a filter writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Literal {
    /// `null`
    Null,
    /// Anything else: as it is written, and without case.
    Text {
        /// As it is written.
        exact: String,
        /// In lower case.
        lower: String,
        /// The moment that it is, if it is one (RFC 3339).
        moment: Option<Timestamp>,
    },
}

impl Literal {
    /// A text in quotes.
    pub(super) fn text(exact: String) -> Self {
        let lower = exact.to_lowercase();
        let moment = moment(&exact);
        Self::Text {
            exact,
            lower,
            moment,
        }
    }

    /// A word without quotes: `null`, a truth, a number or a time. Nothing else needs none.
    pub(super) fn word(word: String) -> Option<Self> {
        let is = |other: &str| word.eq_ignore_ascii_case(other);
        if is("null") {
            return Some(Self::Null);
        }
        let digit = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        let number = digit(word.strip_prefix('-').unwrap_or(&word));
        (number || is("true") || is("false")).then(|| Self::text(word))
    }

    /// Whether a row's value is this one.
    pub(super) fn equals(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Null, value) => value.is_null(),
            (Self::Text { exact, .. }, Value::String(text)) => {
                exact == text || self.moment_of(text) == Some(Ordering::Equal)
            }
            (Self::Text { lower, .. }, Value::Bool(truth)) => truth_of(lower) == Some(*truth),
            (Self::Text { exact, lower, .. }, Value::Number(number)) => {
                // What is nought or one for some clients is a truth for others.
                let truth = matches!(lower.as_str(), "true" | "false").then(|| truth_of(lower));
                match truth.flatten() {
                    Some(truth) => number.as_u64() == Some(u64::from(truth)),
                    None => compared(number, exact) == Some(Ordering::Equal),
                }
            }
            (Self::Text { .. }, Value::Null | Value::Array(_) | Value::Object(_)) => false,
        }
    }

    /// How a row's value stands to this one; not at all where one of them is nothing.
    pub(super) fn order_of(&self, value: &Value) -> Option<Ordering> {
        match (self, value) {
            (Self::Text { exact, .. }, Value::String(text)) => {
                let order = self.moment_of(text);
                Some(order.unwrap_or_else(|| text.as_str().cmp(exact)))
            }
            (Self::Text { exact, .. }, Value::Number(number)) => compared(number, exact),
            _ => None,
        }
    }

    /// How a row's moment stands to this one, where both are moments.
    fn moment_of(&self, text: &str) -> Option<Ordering> {
        let Self::Text {
            moment: Some(own), ..
        } = self
        else {
            return None;
        };
        Some(moment(text)?.cmp(own))
    }

    /// Whether `test` holds of a row's value, as text, and of this one.
    pub(super) fn fits(&self, value: &Value, test: fn(&str, &str) -> bool) -> bool {
        let Self::Text { exact, .. } = self else {
            return false;
        };
        with_text(value, |text| test(text, exact))
    }

    /// The same, whatever the case.
    pub(super) fn fits_folded(&self, value: &Value, test: fn(&str, &str) -> bool) -> bool {
        let Self::Text { lower, .. } = self else {
            return false;
        };
        with_text(value, |text| test(&text.to_lowercase(), lower))
    }
}

fn moment(text: &str) -> Option<Timestamp> {
    let dated =
        text.len() >= "2027-01-31T12:00Z".len() && text.starts_with(|c: char| c.is_ascii_digit());
    dated.then(|| text.parse().ok()).flatten()
}

fn truth_of(lower: &str) -> Option<bool> {
    match lower {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

fn with_text(value: &Value, test: impl Fn(&str) -> bool) -> bool {
    match value {
        Value::String(text) => test(text),
        Value::Number(number) => test(&number.to_string()),
        Value::Bool(truth) => test(&truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    }
}

/// Whole numbers to the last digit, others as floating point has them.
fn compared(number: &Number, text: &str) -> Option<Ordering> {
    if let (Some(own), Ok(other)) = (number.as_i128(), text.parse::<i128>()) {
        return Some(own.cmp(&other));
    }
    number.as_f64()?.partial_cmp(&text.parse().ok()?)
}
