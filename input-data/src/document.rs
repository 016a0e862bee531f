//! A document, read from its first brace to its last.

use crate::cursor::Cursor;
use crate::names::{first_repeated, known};
use crate::{Error, ErrorKind, Limits, Object, Text, Value, quoted, unquoted};

/// Reads a document: JSON, and what clients send in its place. See the crate's documentation for
/// what is accepted and what is not.
///
/// # Errors
/// The first thing that is wrong, and where in `text`.
pub fn parse(text: &str, limits: &Limits) -> Result<Value, Error> {
    if text.len() > limits.bytes {
        let kind = ErrorKind::TooLarge(limits.bytes);
        return Err(Error::at(
            kind,
            text,
            text.floor_char_boundary(limits.bytes),
        ));
    }
    let mut reader = Reader::new(text, 0, limits);
    let value = reader.document()?;
    reader.rest_is_junk()?;
    Ok(value)
}

/// Reads one document.
pub(crate) struct Reader<'a> {
    cursor: Cursor<'a>,
    limits: &'a Limits,
    depth: usize,
    values: usize,
    /// Brackets are written with a backslash before them, as the first one is.
    escapes: bool,
    /// Some key or text had no quotes.
    unquoted: bool,
    /// The value that was read last had quotes.
    after_quote: bool,
}

impl<'a> Reader<'a> {
    /// A reader of the document that begins at byte `offset` of `text`.
    pub(crate) fn new(text: &'a str, offset: usize, limits: &'a Limits) -> Self {
        Self {
            cursor: Cursor::new(text, offset),
            limits,
            depth: 0,
            values: 0,
            escapes: false,
            unquoted: false,
            after_quote: false,
        }
    }

    /// Where the document ends, once it has been read.
    pub(crate) fn offset(&self) -> usize {
        self.cursor.offset()
    }

    /// Reads the document; what follows it is not looked at.
    pub(crate) fn document(&mut self) -> Result<Value, Error> {
        self.cursor.skip_blanks();
        let rest = self.cursor.rest();
        self.escapes = rest.starts_with("\\{") || rest.starts_with("\\[");
        if self.opens() || quoted::opening(rest).is_some() {
            return self.value();
        }
        // A text without quotes could not be told from junk here, so it is no document.
        match unquoted::meaning(rest.trim_end_matches([' ', '\t', '\n', '\r'])) {
            Value::Text(_) => Err(self.cursor.error(ErrorKind::NotADocument)),
            literal => {
                self.cursor.advance(rest.len());
                Ok(literal)
            }
        }
    }

    /// Looks for pieces of an unquoted text that was taken to end too early: `{P:a}b}` has the
    /// password `a}b` for its writer.
    fn rest_is_junk(&self) -> Result<(), Error> {
        match self.cursor.rest().find(['}', ']']) {
            Some(at) if self.unquoted => {
                let at = self.cursor.offset() + at;
                Err(self.cursor.error_at(ErrorKind::AmbiguousEnd, at))
            }
            _ => Ok(()),
        }
    }

    fn value(&mut self) -> Result<Value, Error> {
        self.count()?;
        match self.bracket() {
            Some((b'{', width)) => return self.inside(width, Self::object),
            Some((b'[', width)) => return self.inside(width, Self::list),
            _ => {}
        }
        match quoted::opening(self.cursor.rest()) {
            Some((quote, width)) => self.quoted(quote, width).map(Value::Text),
            None => self.unquoted(),
        }
    }

    /// Reads what is between an opening bracket of `width` bytes and its closing one.
    fn inside(
        &mut self,
        width: usize,
        read: fn(&mut Self) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let most = self.limits.effective_depth();
        if self.depth >= most {
            return Err(self.cursor.error(ErrorKind::TooDeep(most)));
        }
        self.depth += 1;
        self.cursor.advance(width);
        let value = read(self)?;
        self.depth -= 1;
        self.after_quote = false;
        Ok(value)
    }

    fn object(&mut self) -> Result<Value, Error> {
        let mut members = Vec::new();
        let mut offsets = Vec::new();
        loop {
            self.skip_blanks_and_comments();
            if self.closes(b'}') {
                break;
            }
            offsets.push(self.cursor.offset());
            members.push(self.member()?);
            self.separator(b'}', "an object")?;
        }
        self.distinct(&members, &offsets)?;
        Ok(Value::Object(Object::new(members)))
    }

    fn list(&mut self) -> Result<Value, Error> {
        let mut elements = Vec::new();
        loop {
            self.cursor.skip_blanks();
            if self.closes(b']') {
                return Ok(Value::List(elements));
            }
            if matches!(self.cursor.peek(), None | Some(b',' | b'}')) {
                return Err(self.unexpected("a value", "a list"));
            }
            elements.push(self.value()?);
            self.separator(b']', "a list")?;
        }
    }

    fn member(&mut self) -> Result<(Text, Value), Error> {
        let key = match quoted::opening(self.cursor.rest()) {
            Some((quote, width)) => self.quoted(quote, width)?,
            None => {
                let start = self.cursor.offset();
                let key = unquoted::key(&mut self.cursor)?;
                self.unquoted = true;
                self.short(key, start)?;
                Text::from(key)
            }
        };
        self.cursor.skip_blanks();
        if !self.cursor.skip(":") {
            return Err(self.unexpected("`:` after a key", "an object"));
        }
        self.cursor.skip_blanks();
        Ok((key, self.value()?))
    }

    fn quoted(&mut self, quote: u8, width: usize) -> Result<Text, Error> {
        let start = self.cursor.offset();
        self.cursor.advance(width);
        let text = quoted::read(&mut self.cursor, quote)?;
        self.short(text.as_str(), start)?;
        self.after_quote = true;
        Ok(text)
    }

    fn unquoted(&mut self) -> Result<Value, Error> {
        let start = self.cursor.offset();
        let text = unquoted::value(&mut self.cursor, self.escapes)?;
        self.short(text, start)?;
        let value = unquoted::meaning(text);
        self.unquoted |= matches!(value, Value::Text(_));
        self.after_quote = false;
        Ok(value)
    }

    /// Reads what separates a value from the next one, or nothing before the closing bracket.
    fn separator(&mut self, closing: u8, container: &'static str) -> Result<(), Error> {
        let after_quote = self.after_quote;
        let apart = self.skip_blanks_and_comments();
        if self.cursor.skip(",") || self.cursor.skip(";") {
            return Ok(());
        }
        if self
            .bracket()
            .is_some_and(|(bracket, _)| bracket == closing)
        {
            return Ok(());
        }
        // The comma is missing at the ends of lines in the vendor's own samples.
        if apart && closing == b'}' && quoted::opening(self.cursor.rest()).is_some() {
            return Ok(());
        }
        if after_quote && self.cursor.peek().is_some() {
            return Err(self.cursor.error(ErrorKind::AfterQuote));
        }
        let expected = match closing {
            b'}' => "`,` or `}`",
            _ => "`,` or `]`",
        };
        Err(self.unexpected(expected, container))
    }

    /// Skips blanks and `// …` to the ends of lines; whether there were any.
    fn skip_blanks_and_comments(&mut self) -> bool {
        let mut any = self.cursor.skip_blanks();
        while self.cursor.rest().starts_with("//") {
            self.cursor
                .take_until(|byte| byte == b'\n' || byte == b'\r');
            self.cursor.skip_blanks();
            any = true;
        }
        any
    }

    /// The bracket that comes next, and the bytes it takes.
    fn bracket(&self) -> Option<(u8, usize)> {
        let rest = self.cursor.rest();
        let (bare, width) = match rest.strip_prefix('\\').filter(|_| self.escapes) {
            Some(bare) => (bare, 2),
            None => (rest, 1),
        };
        let bracket = bare.bytes().next()?;
        matches!(bracket, b'{' | b'}' | b'[' | b']').then_some((bracket, width))
    }

    fn opens(&self) -> bool {
        matches!(self.bracket(), Some((b'{' | b'[', _)))
    }

    fn closes(&mut self, closing: u8) -> bool {
        match self.bracket() {
            Some((bracket, width)) if bracket == closing => {
                self.cursor.advance(width);
                true
            }
            _ => false,
        }
    }

    fn count(&mut self) -> Result<(), Error> {
        if self.values >= self.limits.values {
            let kind = ErrorKind::TooManyValues(self.limits.values);
            return Err(self.cursor.error(kind));
        }
        self.values += 1;
        Ok(())
    }

    fn short(&self, text: &str, start: usize) -> Result<(), Error> {
        if text.len() > self.limits.text {
            let kind = ErrorKind::TextTooLong(self.limits.text);
            return Err(self.cursor.error_at(kind, start));
        }
        Ok(())
    }

    fn distinct(&self, members: &[(Text, Value)], offsets: &[usize]) -> Result<(), Error> {
        let Some(at) = first_repeated(members.iter().map(|(key, _)| key)) else {
            return Ok(());
        };
        let name = members.get(at).and_then(|(key, _)| known(key.as_str()));
        let offset = offsets.get(at).copied().unwrap_or_default();
        Err(self
            .cursor
            .error_at(ErrorKind::DuplicateMember(name), offset))
    }

    /// `expected` does not come next; perhaps because nothing does.
    fn unexpected(&self, expected: &'static str, container: &'static str) -> Error {
        match self.cursor.peek() {
            None => self.cursor.error(ErrorKind::Unclosed(container)),
            Some(_) => self.cursor.error(ErrorKind::Expected(expected)),
        }
    }
}
