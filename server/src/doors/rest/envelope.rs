//! The envelope that every answer comes in, and the bytes of it.

use std::borrow::Cow;
use std::io;

use serde::ser::{Serialize, SerializeMap, Serializer};
use zeroize::Zeroizing;

use crate::domain::Password;
use crate::doors::body;

/// An answer, before it is bytes.
#[derive(Debug)]
pub(super) struct Envelope<'a> {
    /// The operation's name.
    pub(super) name: &'a str,
    /// How it ended.
    pub(super) result: Ended<'a>,
}

/// How an operation ended.
#[derive(Debug)]
pub(super) enum Ended<'a> {
    Success(&'a Done),
    Failed { message: &'a str, code: u16 },
}

/// What a successful operation has to say.
#[derive(Debug)]
pub(super) struct Done {
    message: Cow<'static, str>,
    details: Option<Detail>,
    total: Option<u64>,
    file: Option<File>,
}

/// What is answered as it is, without an envelope.
pub(super) struct File {
    pub(super) name: String,
    pub(super) bytes: Zeroizing<Vec<u8>>,
}

impl std::fmt::Debug for File {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "File({} bytes)", self.bytes.len())
    }
}

impl Done {
    /// A file, and what it is called: in letters that no header stumbles over.
    pub(super) fn file(name: &str, bytes: Zeroizing<Vec<u8>>) -> Self {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        let name = name.chars().map(|c| if plain(c) { c } else { '_' });
        Self {
            file: Some(File {
                name: name.collect(),
                bytes,
            }),
            ..Self::new("")
        }
    }

    /// The file, where it is one.
    pub(super) fn take_file(&mut self) -> Option<File> {
        self.file.take()
    }

    /// Only that it is done.
    pub(super) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            message: message.into(),
            details: None,
            total: None,
            file: None,
        }
    }

    /// With details.
    pub(super) fn with(mut self, details: impl Into<Detail>) -> Self {
        self.details = Some(details.into());
        self
    }

    /// With so many rows in all. Where there are none, there are no details either.
    pub(super) fn rows(mut self, rows: Vec<Detail>, total: u64) -> Self {
        self.total = Some(total);
        self.details = (!rows.is_empty()).then_some(Detail::List(rows));
        self
    }

    /// With so many rows in all, somewhere in the details.
    pub(super) fn total(mut self, total: u64) -> Self {
        self.total = Some(total);
        self
    }
}

/// A value of the details. Every scalar is a text, numbers and truth values too.
#[derive(Debug)]
pub(super) enum Detail {
    Text(Cow<'static, str>),
    Secret(Secret),
    Fields(Fields),
    List(Vec<Self>),
}

/// A text that nobody may see but whoever asked: wiped on drop.
pub(super) struct Secret(Zeroizing<String>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Secret {
    pub(super) fn new(text: Zeroizing<String>) -> Self {
        Self(text)
    }
}

/// Named values, in order.
#[derive(Debug, Default)]
pub(super) struct Fields(Vec<(Cow<'static, str>, Detail)>);

impl Fields {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// One more.
    pub(super) fn with(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<Detail>,
    ) -> Self {
        self.0.push((name.into(), value.into()));
        self
    }

    /// The texts of a JSON document that goes into a text of another one.
    pub(super) fn to_json(&self) -> Secret {
        let bytes = written(self);
        // What serde writes is UTF-8.
        let text = std::str::from_utf8(&bytes).unwrap_or_default();
        Secret(Zeroizing::new(text.to_owned()))
    }
}

impl From<&'static str> for Detail {
    fn from(text: &'static str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }
}

impl From<String> for Detail {
    fn from(text: String) -> Self {
        Self::Text(Cow::Owned(text))
    }
}

impl From<u64> for Detail {
    fn from(number: u64) -> Self {
        Self::from(number.to_string())
    }
}

impl From<bool> for Detail {
    fn from(flag: bool) -> Self {
        Self::from(if flag { "true" } else { "false" })
    }
}

impl From<&Password> for Detail {
    fn from(password: &Password) -> Self {
        Self::Secret(Secret(Zeroizing::new(password.expose().to_owned())))
    }
}

impl From<Secret> for Detail {
    fn from(secret: Secret) -> Self {
        Self::Secret(secret)
    }
}

impl From<Fields> for Detail {
    fn from(fields: Fields) -> Self {
        Self::Fields(fields)
    }
}

impl From<Vec<Self>> for Detail {
    fn from(list: Vec<Self>) -> Self {
        Self::List(list)
    }
}

impl Envelope<'_> {
    /// The answer's bytes, wiped once they are sent.
    pub(super) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        written(self)
    }
}

fn written(what: &impl Serialize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Wiped(Zeroizing::new(Vec::with_capacity(FIRST)));
    // Neither the texts nor the memory below can fail to be written.
    let _never = serde_json::to_writer(&mut bytes, what);
    bytes.0
}

/// What most answers need.
const FIRST: usize = 512;

/// Memory that leaves no copy behind where it moves to grow.
struct Wiped(Zeroizing<Vec<u8>>);

impl io::Write for Wiped {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        body::append(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Serialize for Envelope<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut outer = serializer.serialize_map(Some(1))?;
        outer.serialize_entry("operation", &Inner(self))?;
        outer.end()
    }
}

/// What is in the envelope.
struct Inner<'a>(&'a Envelope<'a>);

impl Serialize for Inner<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("name", self.0.name)?;
        map.serialize_entry("result", &self.0.result)?;
        if let Ended::Success(done) = &self.0.result {
            if let Some(total) = done.total {
                map.serialize_entry("totalRows", &total)?;
            }
            if let Some(details) = &done.details {
                map.serialize_entry("Details", details)?;
            }
        }
        map.end()
    }
}

impl Serialize for Ended<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::Success(done) => {
                map.serialize_entry("status", "Success")?;
                map.serialize_entry("message", &done.message)?;
            }
            Self::Failed { message, code } => {
                map.serialize_entry("status", "Failed")?;
                map.serialize_entry("message", message)?;
                map.serialize_entry("statusCode", &code.to_string())?;
            }
        }
        map.end()
    }
}

impl Serialize for Detail {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Secret(secret) => serializer.serialize_str(&secret.0),
            Self::Fields(fields) => fields.serialize(serializer),
            Self::List(list) => serializer.collect_seq(list),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str, result: Ended<'_>) -> String {
        let bytes = Envelope { name, result }.to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn a_success_has_what_there_is_and_nothing_else() {
        let bare = Done::new("Password changed successfully");
        assert_eq!(
            text("CHANGE PASSWORD", Ended::Success(&bare)),
            r#"{"operation":{"name":"CHANGE PASSWORD","result":{"status":"Success","message":"Password changed successfully"}}}"#
        );
        let row = Fields::new().with("RESOURCE ID", 303).with("ON", true);
        let rows = Done::new("ok").rows(vec![row.into()], 7);
        assert_eq!(
            text("A", Ended::Success(&rows)),
            r#"{"operation":{"name":"A","result":{"status":"Success","message":"ok"},"totalRows":7,"Details":[{"RESOURCE ID":"303","ON":"true"}]}}"#
        );
    }

    #[test]
    fn an_empty_list_has_no_details() {
        let none = Done::new("ok").rows(Vec::new(), 0);

        assert_eq!(
            text("A", Ended::Success(&none)),
            r#"{"operation":{"name":"A","result":{"status":"Success","message":"ok"},"totalRows":0}}"#
        );
    }

    #[test]
    fn a_failure_has_its_code_as_a_text() {
        let failed = Ended::Failed {
            message: "no \"x\"",
            code: 7,
        };

        assert_eq!(
            text("A", failed),
            r#"{"operation":{"name":"A","result":{"status":"Failed","message":"no \"x\"","statusCode":"7"}}}"#
        );
    }

    #[test]
    fn a_secret_is_written_as_it_is_and_never_shown() {
        let secret = Secret::new(Zeroizing::new("a\"b&c=d%20+é\n".to_owned()));
        let fields = Fields::new().with("PASSWORD", secret);

        assert!(format!("{fields:?}").contains("Secret(..)"));
        assert_eq!(
            fields.to_json().0.as_str(),
            r#"{"PASSWORD":"a\"b&c=d%20+é\n"}"#
        );
    }

    #[test]
    fn a_long_answer_is_whole() {
        let rows = (0..1000)
            .map(|number| Detail::from(number * 1_000_003))
            .collect();
        let done = Done::new("ok").rows(rows, 1000);

        let bytes = text("A", Ended::Success(&done));
        let read: serde_json::Value = serde_json::from_str(&bytes).unwrap();
        assert_eq!(read["operation"]["Details"][999], "999002997");
    }
}
