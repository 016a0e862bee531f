//! Reading what is to be imported, line by line: CSV, JSON, lines of JSON, or a sealed export.

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::admin::wire::{SecretText, TransferRow};
use crate::cli::CliError;
use crate::cli::import::Format;
use crate::cli::line_count::Counted;
use crate::cli::secret_input::from_file;
use crate::crypto::{Parcel, Passphrase};

/// A line of the file, and what stands in it.
#[derive(Debug)]
pub(crate) struct Line {
    /// Which line, or which entry of a JSON array, from 1.
    pub(crate) place: u64,
    /// The account, or what is wrong.
    pub(crate) row: Result<TransferRow, String>,
}

/// A file that can be read more than once.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    path: PathBuf,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Csv,
    Json,
    Sealed(Arc<Passphrase>),
}

impl Opened {
    /// Finds out what the file is.
    ///
    /// # Errors
    /// [`CliError::File`] when it cannot be read, [`CliError::Usage`] when it is sealed and no
    /// passphrase was given.
    pub(crate) fn find(
        path: &Path,
        format: Option<Format>,
        passphrase: Option<&Path>,
    ) -> Result<Self, CliError> {
        let mut start = Vec::new();
        let file = File::open(path).map_err(CliError::file(path))?;
        file.take(Parcel::MAGIC.len() as u64)
            .read_to_end(&mut start)
            .map_err(CliError::file(path))?;
        let form = match (start == Parcel::MAGIC, passphrase, format) {
            (true, Some(passphrase), _) => {
                let text = from_file(passphrase, "passphrase")?;
                let passphrase = Passphrase::new(&text);
                Form::Sealed(Arc::new(
                    passphrase.map_err(|error| CliError::Failed(error.to_string()))?,
                ))
            }
            (true, None, _) => {
                return Err(CliError::Usage(format!(
                    "{} is sealed: give --passphrase-file",
                    path.display()
                )));
            }
            (false, _, Some(Format::Csv)) => Form::Csv,
            (false, _, Some(Format::Json)) => Form::Json,
            (false, _, None) => by_name(path),
        };
        Ok(Self {
            path: path.to_owned(),
            form,
        })
    }
}

fn by_name(path: &Path) -> Form {
    let end = path
        .extension()
        .and_then(|end| end.to_str())
        .unwrap_or_default();
    match end.to_ascii_lowercase().as_str() {
        "json" | "jsonl" | "ndjson" => Form::Json,
        _ => Form::Csv,
    }
}

/// Gives every line of the file to `each`.
///
/// # Errors
/// [`CliError::File`] when it cannot be read, [`CliError::Failed`] when it is no such file at
/// all; what `each` says.
pub(crate) fn read(
    opened: &Opened,
    each: &mut dyn FnMut(Line) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let file = File::open(&opened.path).map_err(CliError::file(&opened.path))?;
    match &opened.form {
        Form::Csv => csv_lines(BufReader::new(file), &opened.path, each),
        Form::Json => json(BufReader::new(file), &opened.path, each),
        Form::Sealed(passphrase) => {
            let inside = Parcel::open(BufReader::new(file), passphrase)
                .map_err(|error| CliError::Failed(format!("{}: {error}", opened.path.display())))?;
            json_lines(BufReader::new(inside), &opened.path, each)
        }
    }
}

fn csv_lines(
    from: impl Read,
    path: &Path,
    each: &mut dyn FnMut(Line) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let (from, lines) = Counted::new(from);
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(from);
    let broken = |error: &csv::Error| {
        let why = match error.kind() {
            csv::ErrorKind::Utf8 { .. } => "line 1 is no text in UTF-8".to_owned(),
            _ => error.to_string(),
        };
        CliError::Failed(format!("{}: {why}", path.display()))
    };
    let heads = reader.headers().map_err(|error| broken(&error))?.clone();
    let columns = Columns::of(&heads)
        .map_err(|why| CliError::Failed(format!("{}, line 1: {why}", path.display())))?;
    let mut record = csv::ByteRecord::new();
    while reader
        .read_byte_record(&mut record)
        .map_err(|error| broken(&error))?
    {
        // The reader's own line is the one where it began to look, blank lines included, and it is
        // one too few where lines end in CR LF.
        let last = lines.line_of(reader.position().byte().saturating_sub(1));
        let inside = record
            .as_slice()
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count() as u64;
        let place = last.saturating_sub(inside);
        each(Line {
            place,
            row: columns.row(&record, heads.len()),
        })?;
    }
    Ok(())
}

/// Where each member stands.
#[derive(Debug)]
struct Columns(Vec<Column>);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Resource,
    Kind,
    Address,
    Description,
    Owner,
    Account,
    Password,
    Notes,
}

impl Columns {
    fn of(heads: &csv::StringRecord) -> Result<Self, String> {
        // Never what stands there: without a line of heads, that may be a password.
        let known = |(at, head): (usize, &str)| {
            Column::of(head).ok_or_else(|| {
                format!(
                    "the head of column {} is unknown; the first line must name the columns: \
                     resource, account, and any of type, address, description, owner, password, \
                     notes",
                    at + 1
                )
            })
        };
        let columns: Vec<Column> = heads
            .iter()
            .enumerate()
            .map(known)
            .collect::<Result<_, _>>()?;
        for needed in [Column::Resource, Column::Account] {
            if !columns.contains(&needed) {
                return Err("the heads must name at least `resource` and `account`".to_owned());
            }
        }
        for (at, column) in columns.iter().enumerate() {
            if columns.iter().skip(at + 1).any(|other| other == column) {
                return Err("a head stands there twice".to_owned());
            }
        }
        Ok(Self(columns))
    }

    fn row(&self, record: &csv::ByteRecord, width: usize) -> Result<TransferRow, String> {
        if record.len() != width {
            return Err(format!("it has {} columns, not {width}", record.len()));
        }
        let mut row = TransferRow::default();
        for (column, cell) in self.0.iter().zip(record) {
            let cell = str::from_utf8(cell).map_err(|_| "it is no text in UTF-8")?;
            let given = || (!cell.is_empty()).then(|| cell.to_owned());
            match column {
                Column::Resource => cell.clone_into(&mut row.resource),
                Column::Account => cell.clone_into(&mut row.account),
                Column::Kind => row.kind = given(),
                Column::Address => row.address = given(),
                Column::Description => row.description = given(),
                Column::Owner => row.owner = given(),
                Column::Notes => row.notes = given(),
                Column::Password => {
                    row.password = given().map(|text| SecretText::new(Zeroizing::new(text)));
                }
            }
        }
        Ok(row)
    }
}

impl Column {
    fn of(head: &str) -> Option<Self> {
        // A spreadsheet's mark at the beginning is no part of the head.
        let head = head
            .trim_start_matches('\u{feff}')
            .trim()
            .to_ascii_lowercase();
        Some(match head.as_str() {
            "resource" => Self::Resource,
            "type" => Self::Kind,
            "address" => Self::Address,
            "description" => Self::Description,
            "owner" => Self::Owner,
            "account" => Self::Account,
            "password" => Self::Password,
            "notes" => Self::Notes,
            _ => return None,
        })
    }
}

fn json(
    mut from: impl BufRead,
    path: &Path,
    each: &mut dyn FnMut(Line) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let start = from.fill_buf().map_err(CliError::file(path))?;
    let array = start.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[');
    if array {
        json_array(from, path, each)
    } else {
        json_lines(from, path, each)
    }
}

fn json_lines(
    mut from: impl BufRead,
    path: &Path,
    each: &mut dyn FnMut(Line) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut text = Zeroizing::new(Vec::new());
    for place in 1.. {
        text.clear();
        let limited = &mut from.by_ref().take(LINE_LIMIT);
        let read = limited
            .read_until(b'\n', &mut text)
            .map_err(CliError::file(path))?;
        if read == 0 {
            return Ok(());
        }
        if read as u64 == LINE_LIMIT && !text.ends_with(b"\n") {
            return Err(CliError::Failed(format!(
                "{}, line {place}: it is longer than 1 MiB",
                path.display()
            )));
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let row = serde_json::from_slice(&text).map_err(|error| without_values(&error));
        each(Line { place, row })?;
    }
    Ok(())
}

fn json_array(
    from: impl Read,
    path: &Path,
    each: &mut dyn FnMut(Line) -> Result<(), CliError>,
) -> Result<(), CliError> {
    let mut stopped = None;
    let mut entries = serde_json::Deserializer::from_reader(from);
    let read = entries.deserialize_seq(Entries {
        each,
        stopped: &mut stopped,
    });
    let read = read.and_then(|()| entries.end());
    match (stopped, read) {
        (Some(error), _) => Err(error),
        (None, Err(error)) => Err(CliError::Failed(format!("{}: {error}", path.display()))),
        (None, Ok(())) => Ok(()),
    }
}

/// Goes through an array without keeping it.
struct Entries<'a> {
    each: &'a mut dyn FnMut(Line) -> Result<(), CliError>,
    stopped: &'a mut Option<CliError>,
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let mut place = 0;
        while let Some(row) = entries.next_element_seed(Entry)? {
            place += 1;
            if let Err(error) = (self.each)(Line { place, row }) {
                *self.stopped = Some(error);
                while entries.next_element::<IgnoredAny>()?.is_some() {}
                return Ok(());
            }
        }
        Ok(())
    }
}

/// One entry: well formed JSON that is no account is a bad line, not the end of the file.
struct Entry;

impl<'de> DeserializeSeed<'de> for Entry {
    type Value = Result<TransferRow, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        let value = <serde_json::Value as serde::Deserialize>::deserialize(deserializer)?;
        Ok(serde_json::from_value(value).map_err(|error| without_values(&error)))
    }
}

/// What is wrong, without the value that is wrong: it may be a password.
fn without_values(error: &serde_json::Error) -> String {
    let text = error.to_string();
    if error.is_data() && text.starts_with("invalid") {
        return "it is no object whose members are all texts".to_owned();
    }
    text
}

const LINE_LIMIT: u64 = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    type Read = Result<Vec<(u64, Result<(String, String, Option<String>), String>)>, String>;

    fn all(form: Form, text: &[u8]) -> Read {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("file");
        std::fs::write(&path, text).unwrap();
        let mut found = Vec::new();
        read(&Opened { path, form }, &mut |line| {
            let row = line.row.map(|row| {
                let password = row.password.map(|secret| secret.expose().to_string());
                (row.resource, row.account, password)
            });
            found.push((line.place, row));
            Ok(())
        })
        .map_err(|error| error.to_string())?;
        Ok(found)
    }

    fn row(
        resource: &str,
        account: &str,
        password: Option<&str>,
    ) -> (String, String, Option<String>) {
        (
            resource.to_owned(),
            account.to_owned(),
            password.map(ToOwned::to_owned),
        )
    }

    #[test]
    fn a_csv_file_names_its_bad_lines_and_goes_on() {
        let text = "\u{feff}Account, resource ,password\nroot,db1,\"a,\"\"b\"\n\n\nx,db2\n\
                    two,db3,\"a\nb\"\n\u{e4},db4,\nlast,db5,";
        let latin1 = |text: &str| text.replace('\u{e4}', "?").into_bytes();
        let mut bytes = latin1(text);
        let at = bytes.iter().rposition(|&byte| byte == b'?').unwrap();
        bytes[at] = 0xe4;
        let with_returns: Vec<u8> = bytes
            .iter()
            .flat_map(|&byte| {
                if byte == b'\n' {
                    vec![b'\r', b'\n']
                } else {
                    vec![byte]
                }
            })
            .collect();

        for (text, line_end) in [(bytes, "\n"), (with_returns, "\r\n")] {
            let found = all(Form::Csv, &text).unwrap();

            assert_eq!(
                found,
                [
                    (2, Ok(row("db1", "root", Some("a,\"b")))),
                    (5, Err("it has 2 columns, not 3".to_owned())),
                    (6, Ok(row("db3", "two", Some(&format!("a{line_end}b"))))),
                    (8, Err("it is no text in UTF-8".to_owned())),
                    (9, Ok(row("db5", "last", None))),
                ]
            );
        }
    }

    #[test]
    fn heads_that_are_unknown_missing_or_double_stop_the_import() {
        for heads in [
            "resource",
            "resource,account,pasword",
            "resource,account,account",
        ] {
            assert!(all(Form::Csv, heads.as_bytes()).is_err(), "{heads}");
        }
    }

    #[test]
    fn no_error_shows_what_stands_in_the_file() {
        let csv = all(Form::Csv, b"db1,root,hunter2\n").unwrap_err();
        let lines = r#"{"resource":"db1","account":"root","password":12345678}
                       "hunter2"
                       ["hunter2"]"#;
        let array = r#"[{"resource":"db1","account":"root","password":12345678},"hunter2"]"#;

        assert!(
            !csv.contains("hunter2") && csv.contains("column 1"),
            "{csv}"
        );
        for text in [lines, array] {
            for (_, row) in all(Form::Json, text.as_bytes()).unwrap() {
                assert_eq!(
                    row.unwrap_err(),
                    "it is no object whose members are all texts"
                );
            }
        }
    }

    #[test]
    fn an_array_and_lines_of_json_are_read_alike() {
        let good = r#"{"resource":"db1","account":"root","password":"x"}"#;
        let bad = r#"{"resource":"db1","pasword":"x"}"#;
        let array = format!(" [{good}, {bad}, 7, {good}]");
        let lines = format!("{good}\n{bad}\n\nnonsense\n{good}");

        for (text, places) in [(array, [1, 2, 3, 4]), (lines, [1, 2, 4, 5])] {
            let found = all(Form::Json, text.as_bytes()).unwrap();

            assert_eq!(
                found.iter().map(|(place, _)| *place).collect::<Vec<_>>(),
                places
            );
            let bad: Vec<bool> = found.iter().map(|(_, row)| row.is_err()).collect();
            assert_eq!(bad, [false, true, true, false]);
            assert_eq!(found[0].1, Ok(row("db1", "root", Some("x"))));
        }
    }

    #[test]
    fn a_broken_array_is_an_error_after_what_was_good() {
        let error = all(Form::Json, br#"[{"resource":"a","account":"b"}, {"#).unwrap_err();

        assert!(error.contains("EOF"), "{error}");
    }
}
