//! What comes with a request: parameters and INPUT_DATA, from the query or the body.

use input_data::form::{self, Form};
use input_data::{Details, FieldError, Limits, Value, parse};
use zeroize::Zeroizing;

use crate::doors::rest::route::number;
use crate::vault::NewPassword;

/// Why what came cannot be worked with, in words for the caller that repeat nothing of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unfit(pub(super) String);

impl From<FieldError> for Unfit {
    fn from(error: FieldError) -> Self {
        Self(error.to_string())
    }
}

/// A query, or why it cannot be read.
pub(super) fn query(text: Option<&str>, limits: &Limits) -> Result<Form, Unfit> {
    let read = form::parse(text.unwrap_or_default().as_bytes(), limits);
    read.map_err(|error| Unfit(format!("the query: {error}")))
}

/// What came with a request: wiped when dropped.
#[derive(Debug)]
pub(super) struct Input {
    query: Form,
    body: Form,
    document: Option<Value>,
}

impl Input {
    /// Reads a body, whatever its type is said to be, and INPUT_DATA wherever it is.
    ///
    /// # Errors
    /// [`Unfit`] when the body or the document cannot be read, or there are two.
    pub(super) fn read(query: Form, body: &[u8], limits: &Limits) -> Result<Self, Unfit> {
        let body =
            form::parse(body, limits).map_err(|error| Unfit(format!("the body: {error}")))?;
        let filled = |form: &Form| {
            form.input_data()
                .is_some_and(|text| !text.trim().is_empty())
        };
        let text = match (filled(&query), filled(&body)) {
            (true, true) => {
                let twice = "INPUT_DATA is in the query and in the body";
                return Err(Unfit(twice.to_owned()));
            }
            (true, false) => query.input_data(),
            (false, true) => body.input_data(),
            (false, false) => None,
        };
        let document = text
            .map(|text| parse(text, limits))
            .transpose()
            .map_err(|error| Unfit(format!("INPUT_DATA: {error}")))?;
        Ok(Self {
            query,
            body,
            document,
        })
    }

    /// Whether there is any INPUT_DATA.
    pub(super) fn has_document(&self) -> bool {
        self.document.is_some()
    }

    /// The fields of INPUT_DATA; none of them is there where there is none.
    ///
    /// # Errors
    /// [`Unfit`] when it has no `operation.Details`.
    pub(super) fn fields(&self) -> Result<Fields<'_>, Unfit> {
        let details = self.document.as_ref().map(Details::of).transpose()?;
        Ok(Fields(details))
    }

    /// A parameter of the query or the body, or a field of INPUT_DATA; an empty one is none.
    pub(super) fn parameter(&self, name: &'static str) -> Result<Option<&str>, Unfit> {
        let found = self.query.get(name).or_else(|| self.body.get(name));
        match found.filter(|text| !text.is_empty()) {
            Some(text) => Ok(Some(text)),
            None => self.fields()?.optional(name),
        }
    }

    /// A parameter that must be there.
    pub(super) fn needed(&self, name: &'static str) -> Result<&str, Unfit> {
        self.parameter(name)?.ok_or_else(|| missing(name))
    }

    /// An id that must be there.
    pub(super) fn id(&self, name: &'static str) -> Result<u64, Unfit> {
        number(self.needed(name)?).ok_or_else(|| no_number(name))
    }
}

/// The fields in `operation.Details`, or of one record in a list of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fields<'a>(Option<Details<'a>>);

impl<'a> Fields<'a> {
    /// The text of a field that must be there and not be empty.
    pub(super) fn text(&self, name: &'static str) -> Result<&'a str, Unfit> {
        self.optional(name)?.ok_or_else(|| missing(name))
    }

    /// The text of a field; an empty one is none, since clients send it for what they leave out.
    pub(super) fn optional(&self, name: &'static str) -> Result<Option<&'a str>, Unfit> {
        match &self.0 {
            None => Ok(None),
            Some(details) => Ok(details.optional(name)?),
        }
    }

    /// The text of a field, empty where it is left out.
    pub(super) fn or_empty(&self, name: &'static str) -> Result<&'a str, Unfit> {
        Ok(self.optional(name)?.unwrap_or_default())
    }

    /// The text of a field where an empty one means something.
    pub(super) fn given(&self, name: &'static str) -> Result<Option<String>, Unfit> {
        match &self.0 {
            None => Ok(None),
            Some(details) => Ok(details.given(name)?.map(str::to_owned)),
        }
    }

    /// Whether a field says true; false where it is left out.
    pub(super) fn flag(&self, name: &'static str) -> Result<bool, Unfit> {
        match &self.0 {
            None => Ok(false),
            Some(details) => Ok(details.flag(name)?.unwrap_or(false)),
        }
    }

    /// Whether a field says false; that it is left out says nothing.
    pub(super) fn denies(&self, name: &'static str) -> Result<bool, Unfit> {
        match &self.0 {
            None => Ok(false),
            Some(details) => Ok(details.flag(name)? == Some(false)),
        }
    }

    /// A whole number.
    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, Unfit> {
        let text = self.optional(name)?;
        text.map(|text| number(text).ok_or_else(|| no_number(name)))
            .transpose()
    }

    /// The texts of a list.
    pub(super) fn texts(&self, name: &'static str) -> Result<Vec<&'a str>, Unfit> {
        match &self.0 {
            None => Ok(Vec::new()),
            Some(details) => Ok(details.texts(name)?),
        }
    }

    /// The records of a list.
    pub(super) fn records(&self, name: &'static str) -> Result<Vec<Self>, Unfit> {
        let Some(details) = &self.0 else {
            return Ok(Vec::new());
        };
        let records = details.records(name)?.into_iter();
        Ok(records.map(|record| Self(Some(record))).collect())
    }

    /// Whether a field is there, be it empty.
    pub(super) fn has(&self, name: &'static str) -> bool {
        self.0.is_some_and(|details| details.has(name))
    }

    /// A password; one that is left out or empty is to be generated.
    pub(super) fn password(&self, name: &'static str) -> Result<NewPassword, Unfit> {
        let text = Zeroizing::new(self.or_empty(name)?.to_owned());
        NewPassword::parse(text).map_err(|error| Unfit(format!("{name}: {error}")))
    }
}

fn missing(name: &'static str) -> Unfit {
    Unfit(format!("{name} is missing"))
}

fn no_number(name: &'static str) -> Unfit {
    Unfit(format!("{name} is no number"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATA: &str = r#"INPUT_DATA={"operation":{"Details":{"REASON":"why","N":"7"}}}"#;

    fn read(url: &str, body: &str) -> Result<Input, Unfit> {
        let limits = Limits::default();
        Input::read(query(Some(url), &limits)?, body.as_bytes(), &limits)
    }

    fn unfit(url: &str, body: &str) -> String {
        read(url, body).unwrap_err().0
    }

    #[test]
    fn input_data_is_found_in_the_query_and_in_the_body() {
        for (url, body) in [(DATA, ""), ("", DATA), ("INPUT_DATA=", DATA), ("A=1", DATA)] {
            let input = read(url, body).unwrap();
            assert_eq!(input.fields().unwrap().text("REASON"), Ok("why"));
            assert_eq!(input.fields().unwrap().number("N"), Ok(Some(7)));
        }
        let none = read("", "").unwrap();
        assert!(!none.has_document());
        assert_eq!(none.fields().unwrap().optional("REASON"), Ok(None));
    }

    #[test]
    fn two_documents_are_one_too_many() {
        let words = "INPUT_DATA is in the query and in the body";
        assert_eq!(unfit(DATA, DATA), words);
    }

    #[test]
    fn a_parameter_is_taken_from_wherever_it_is() {
        let query = read("RESOURCENAME=db1", "").unwrap();
        assert_eq!(query.needed("RESOURCENAME"), Ok("db1"));
        let body = read("", "RESOURCENAME=db%201").unwrap();
        assert_eq!(body.needed("RESOURCENAME"), Ok("db 1"));
        let field = read("", DATA).unwrap();
        assert_eq!(field.needed("REASON"), Ok("why"));
        let words = Unfit("RESOURCENAME is missing".to_owned());
        assert_eq!(field.needed("RESOURCENAME"), Err(words));
    }

    #[test]
    fn what_cannot_be_read_is_told_without_what_it_says() {
        assert_eq!(
            unfit("", "{\"operation\":{}}"),
            "the body: a document where form data belongs, which begins with `INPUT_DATA=` at line 1, column 1 (byte 0)"
        );
        assert_eq!(
            unfit("AUTHTOKEN=%zz", ""),
            "the query: a per cent sign without two hexadecimal digits at line 1, column 11 (byte 10)"
        );
        let error = unfit(
            "",
            "INPUT_DATA={\"operation\":{\"Details\":{\"PASSWORD\":\"s3cret",
        );
        assert!(
            error.starts_with("INPUT_DATA") || error.starts_with("the body"),
            "{error}"
        );
        assert!(!error.contains("s3cret"));
        let bare = read("", "INPUT_DATA={\"operation\":{}}").unwrap();
        let words = Unfit("operation.Details is missing".to_owned());
        assert_eq!(bare.fields().map(drop), Err(words));
    }
}
