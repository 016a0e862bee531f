//! The fields of an operation.

use crate::{FieldError, Object, Value};

/// The fields in a document's `operation.Details`, or those of one record in a list of them.
///
/// Names are compared exactly; members that nobody asks for are not looked at.
#[derive(Clone, Copy, Debug)]
pub struct Details<'a> {
    members: &'a Object,
}

impl<'a> Details<'a> {
    /// The fields of `document`.
    ///
    /// # Errors
    /// [`FieldError::Missing`] and [`FieldError::NotObject`], of `operation` or
    /// `operation.Details`.
    pub fn of(document: &'a Value) -> Result<Self, FieldError> {
        let document = document
            .as_object()
            .ok_or(FieldError::NotObject("INPUT_DATA"))?;
        let operation = inner(document.get("operation"), "operation")?;
        let members = inner(operation.get("Details"), "operation.Details")?;
        Ok(Self { members })
    }

    /// The text of a field that must be there. It may be empty.
    ///
    /// # Errors
    /// [`FieldError::Missing`] if it is absent or null, [`FieldError::NotText`].
    pub fn text(&self, name: &'static str) -> Result<&'a str, FieldError> {
        self.given(name)?.ok_or(FieldError::Missing(name))
    }

    /// The text of a field, if there is one: `None` too where it is empty, since clients send
    /// empty texts for what they leave out.
    ///
    /// # Errors
    /// [`FieldError::NotText`].
    pub fn optional(&self, name: &'static str) -> Result<Option<&'a str>, FieldError> {
        Ok(self.given(name)?.filter(|text| !text.is_empty()))
    }

    /// The text of a field, where an empty one means something, as *delete it* in a change.
    ///
    /// # Errors
    /// [`FieldError::NotText`].
    pub fn given(&self, name: &'static str) -> Result<Option<&'a str>, FieldError> {
        match self.value(name) {
            None => Ok(None),
            Some(value) => value.as_text().map(Some).ok_or(FieldError::NotText(name)),
        }
    }

    /// Whether a field says true or false, as a boolean or as a text of any case; `None` if it is
    /// absent, null or empty.
    ///
    /// # Errors
    /// [`FieldError::NotFlag`].
    pub fn flag(&self, name: &'static str) -> Result<Option<bool>, FieldError> {
        match self.filled(name) {
            None => Ok(None),
            Some(value) => value.as_flag().map(Some).ok_or(FieldError::NotFlag(name)),
        }
    }

    /// The elements of a field; none if it is absent, null or an empty text.
    ///
    /// # Errors
    /// [`FieldError::NotList`].
    pub fn list(&self, name: &'static str) -> Result<&'a [Value], FieldError> {
        match self.filled(name) {
            None => Ok(&[]),
            Some(value) => value.as_list().ok_or(FieldError::NotList(name)),
        }
    }

    /// The elements of a field that is a list of texts.
    ///
    /// # Errors
    /// [`FieldError::NotList`]; [`FieldError::NotText`] of an element.
    pub fn texts(&self, name: &'static str) -> Result<Vec<&'a str>, FieldError> {
        let elements = self.list(name)?.iter();
        elements
            .map(|element| element.as_text().ok_or(FieldError::NotText(name)))
            .collect()
    }

    /// The elements of a field that is a list of objects, as `ACCOUNTLIST` is.
    ///
    /// # Errors
    /// [`FieldError::NotList`]; [`FieldError::NotObject`] of an element.
    pub fn records(&self, name: &'static str) -> Result<Vec<Self>, FieldError> {
        let elements = self.list(name)?.iter();
        elements
            .map(|element| match element.as_object() {
                Some(members) => Ok(Self { members }),
                None => Err(FieldError::NotObject(name)),
            })
            .collect()
    }

    /// Whether a field is there at all, be it null.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.members.get(name).is_some()
    }

    /// A field that is there and not null.
    fn value(&self, name: &str) -> Option<&'a Value> {
        self.members.get(name).filter(|value| !value.is_null())
    }

    /// A field that is there, not null and not an empty text.
    fn filled(&self, name: &str) -> Option<&'a Value> {
        self.value(name).filter(|value| value.as_text() != Some(""))
    }
}

fn inner<'a>(value: Option<&'a Value>, name: &'static str) -> Result<&'a Object, FieldError> {
    match value {
        None | Some(Value::Null) => Err(FieldError::Missing(name)),
        Some(value) => value.as_object().ok_or(FieldError::NotObject(name)),
    }
}
