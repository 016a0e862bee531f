//! The parameters of a request: its query, or its body whatever the `Content-Type` says.

use crate::document::Reader;
use crate::names::{first_repeated, known};
use crate::percent::{Plus, decode};
use crate::{Error, ErrorKind, Limits, Position, Text};

/// The parameter that holds the document.
const INPUT_DATA: &str = "INPUT_DATA";

/// Reads the query of a URL (without its `?`) or a body.
///
/// All parameters are percent-decoded, once, with `+` for a blank; `INPUT_DATA` only if it is
/// percent-encoded, which its text as a whole tells. See the crate's documentation.
///
/// # Errors
/// The first thing that is wrong, and where in `input`.
pub fn parse(input: &[u8], limits: &Limits) -> Result<Form, Error> {
    if input.len() > limits.bytes {
        return Err(in_bytes(
            ErrorKind::TooLarge(limits.bytes),
            input,
            limits.bytes,
        ));
    }
    let text = std::str::from_utf8(input)
        .map_err(|error| in_bytes(ErrorKind::NotUtf8, input, error.valid_up_to()))?;
    let mut parser = Parser {
        // A file that was sent as a body ends with a line end, which is no part of a parameter.
        text: text.trim_end_matches(['\r', '\n']),
        offset: 0,
        limits,
    };
    let mut parameters = Vec::new();
    let mut offsets = Vec::new();
    while let Some(offset) = parser.next_parameter() {
        if parameters.len() >= limits.parameters {
            let kind = ErrorKind::TooManyParameters(limits.parameters);
            return Err(Error::at(kind, text, offset));
        }
        offsets.push(offset);
        parameters.push(parser.parameter()?);
    }
    if let Some(at) = first_repeated(parameters.iter().map(|(name, _)| name)) {
        let name = parameters
            .get(at)
            .and_then(|(name, _)| known(name.as_str()));
        let offset = offsets.get(at).copied().unwrap_or_default();
        return Err(Error::at(ErrorKind::DuplicateParameter(name), text, offset));
    }
    Ok(Form { parameters })
}

/// The parameters of a query or a body, no two of one name.
#[derive(Debug)]
pub struct Form {
    parameters: Vec<(Text, Text)>,
}

impl Form {
    /// The document as it was meant: what [`crate::parse`] reads.
    #[must_use]
    pub fn input_data(&self) -> Option<&str> {
        self.get(INPUT_DATA)
    }

    /// The parameter of exactly this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }

    /// Takes the parameter of exactly this name out of the form, without a copy.
    pub fn take(&mut self, name: &str) -> Option<Text> {
        let mut names = self.parameters.iter().map(|(known, _)| known.as_str());
        let at = names.position(|known| known == name)?;
        Some(self.parameters.swap_remove(at).1)
    }

    /// All parameters, names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let pairs = self.parameters.iter();
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The number of parameters.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parameters.len()
    }

    /// Whether there are no parameters.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parameters.is_empty()
    }
}

struct Parser<'a> {
    text: &'a str,
    offset: usize,
    limits: &'a Limits,
}

impl<'a> Parser<'a> {
    /// Where the next parameter begins, if there is one.
    fn next_parameter(&mut self) -> Option<usize> {
        let rest = self.text.get(self.offset..).unwrap_or_default();
        self.offset += rest.bytes().take_while(|byte| *byte == b'&').count();
        (self.offset < self.text.len()).then_some(self.offset)
    }

    fn parameter(&mut self) -> Result<(Text, Text), Error> {
        let start = self.offset;
        let segment = self.segment(start);
        if segment.trim_start().starts_with(['{', '[']) {
            return Err(Error::at(ErrorKind::BareDocument, self.text, start));
        }
        let (name, value) = segment.split_once('=').unwrap_or((segment, ""));
        self.offset = start + segment.len();
        let value_start = self.offset - value.len();
        let name = self.text(start, start + name.len())?;
        let value = match name.as_str() {
            INPUT_DATA => self.input_data(value_start)?,
            _ => self.text(value_start, self.offset)?,
        };
        Ok((name, value))
    }

    /// Decodes a name, or a value other than that of `INPUT_DATA`.
    fn text(&self, start: usize, end: usize) -> Result<Text, Error> {
        let text = decode(self.text, start..end, Plus::Blank)?;
        if text.len() > self.limits.text {
            let kind = ErrorKind::TextTooLong(self.limits.text);
            return Err(Error::at(kind, self.text, start));
        }
        Ok(text)
    }

    /// Reads the value that begins at `start`, in whichever form it comes.
    fn input_data(&mut self, start: usize) -> Result<Text, Error> {
        let rest = self.text.get(start..).unwrap_or_default();
        match Encoding::of(self.segment(start), rest) {
            Encoding::Form => decode(self.text, start..self.offset, Plus::Blank),
            Encoding::Url => decode(self.text, start..self.offset, Plus::Plus),
            Encoding::Raw => self.raw(start),
            Encoding::Mixed => Err(Error::at(ErrorKind::MixedEncoding, self.text, start)),
        }
    }

    /// Takes the value that begins at `start` as it stands. An ampersand may be part of a text in
    /// it, so it ends at the first one after its document.
    fn raw(&mut self, start: usize) -> Result<Text, Error> {
        if begins_document(self.segment(start)) {
            // The reader itself finds the end, so that the two never disagree about it.
            let mut reader = Reader::new(self.text, start, self.limits);
            reader.document()?;
            self.offset = reader.offset();
            self.offset += self.segment(self.offset).len();
        }
        let value = self.text.get(start..self.offset).unwrap_or_default();
        Ok(Text::from(value))
    }

    /// What stands from `start` up to the next ampersand.
    fn segment(&self, start: usize) -> &'a str {
        let rest = self.text.get(start..).unwrap_or_default();
        rest.split('&').next().unwrap_or_default()
    }
}

/// How the value of `INPUT_DATA` is written.
#[derive(Clone, Copy)]
enum Encoding {
    /// As it is meant.
    Raw,
    /// Percent-encoded as a form is, with `+` for a blank.
    Form,
    /// Percent-encoded as browsers and Node do it in the query of a URL: braces are left as they
    /// are, and so is `+`.
    Url,
    /// Percent-encoded at its beginning, not at all later.
    Mixed,
}

impl Encoding {
    /// No encoder leaves a quote or a blank, only those of URLs leave a brace. `rest` is what
    /// stands in the form from the value on, `segment` its beginning up to the first ampersand.
    fn of(segment: &str, rest: &str) -> Self {
        let is_bare = |byte: u8| byte == b'"' || byte <= b' ';
        if !segment.contains('{') && !segment.bytes().any(is_bare) {
            return Self::Form;
        }
        let begins_encoded = ["{%22", "{%27", "{%20"]
            .iter()
            .any(|it| rest.starts_with(it));
        if begins_encoded && !rest.bytes().any(is_bare) {
            return Self::Url;
        }
        if segment.trim_start().starts_with('%') {
            return Self::Mixed;
        }
        Self::Raw
    }
}

fn begins_document(segment: &str) -> bool {
    let segment = segment.trim_start();
    let segment = segment.strip_prefix('\\').unwrap_or(segment);
    segment.starts_with(['{', '[', '"', '\''])
}

/// `kind` at byte `offset` of `input`, which may not be UTF-8 beyond it.
fn in_bytes(kind: ErrorKind, input: &[u8], offset: usize) -> Error {
    let before = input.get(..offset).unwrap_or(input);
    Error {
        kind,
        position: Position::after(&String::from_utf8_lossy(before), offset),
    }
}
