//! Where one HTTP/1.1 message ends and the next begins, and whether all would agree on that.
//!
//! hyper decides what is served. It answers a request that has both `Content-Length` and
//! `Transfer-Encoding`, or the same length twice, by one rule of several, and hides that it did.
//! This follows the same bytes just far enough to refuse such a request, and to know whether a
//! quiet connection is idle or stuck in the middle of a head.

/// A follower of the bytes that one peer sends.
#[derive(Debug, Default)]
pub(crate) struct Framing {
    place: Place,
    line: Vec<u8>,
    length: Length,
    heads: u64,
    ambiguous: bool,
}

/// Where the last byte stood.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Place {
    /// Between two messages.
    #[default]
    Between,
    /// In a head, behind its first byte.
    Head,
    /// In a body, with so many bytes to come.
    Body(u64),
    /// In the line that says how long the next chunk is.
    ChunkSize,
    /// In a chunk, with so many bytes to come, its line end included.
    Chunk(u64),
    /// Behind the last chunk.
    Trailers,
    /// In something that is no HTTP.
    Lost,
}

/// What a head has said so far of its body's length.
#[derive(Clone, Copy, Debug, Default)]
struct Length {
    bytes: Option<u64>,
    lengths: u8,
    codings: u8,
}

/// The longest line that is kept when it comes in pieces: enough for every field looked at.
const KEPT: usize = 64;

impl Framing {
    /// Where the last byte stood.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// How many heads have ended.
    pub(crate) fn heads(&self) -> u64 {
        self.heads
    }

    /// Whether any head so far gave its body's length twice.
    pub(crate) fn is_ambiguous(&self) -> bool {
        self.ambiguous
    }

    /// What follows is no HTTP.
    pub(crate) fn give_up(&mut self) {
        self.place = Place::Lost;
    }

    /// Follows `bytes`, in whatever pieces they come.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            bytes = match self.place {
                Place::Lost => return,
                Place::Body(left) => self.skip(bytes, left, Place::Body, Place::Between),
                Place::Chunk(left) => self.skip(bytes, left, Place::Chunk, Place::ChunkSize),
                Place::Between | Place::Head | Place::ChunkSize | Place::Trailers => {
                    self.take_line(bytes)
                }
            };
        }
    }

    /// Skips what belongs to a counted stretch; gives the rest.
    fn skip<'a>(
        &mut self,
        bytes: &'a [u8],
        left: u64,
        inside: fn(u64) -> Place,
        after: Place,
    ) -> &'a [u8] {
        let here = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let left = left.saturating_sub(here as u64);
        self.place = if left == 0 { after } else { inside(left) };
        bytes.get(here..).unwrap_or_default()
    }

    /// Reads up to the end of the line; gives the rest.
    fn take_line<'a>(&mut self, bytes: &'a [u8]) -> &'a [u8] {
        let Some(end) = bytes.iter().position(|&byte| byte == b'\n') else {
            self.keep(bytes);
            self.enter_head();
            return &[];
        };
        let (line, rest) = bytes.split_at(end);
        if self.line.is_empty() {
            self.end_line(line);
        } else {
            self.keep(line);
            let line = std::mem::take(&mut self.line);
            self.end_line(&line);
        }
        rest.get(1..).unwrap_or_default()
    }

    fn keep(&mut self, piece: &[u8]) {
        let room = KEPT.saturating_sub(self.line.len()).min(piece.len());
        self.line
            .extend_from_slice(piece.get(..room).unwrap_or_default());
    }

    fn enter_head(&mut self) {
        if self.place == Place::Between {
            self.place = Place::Head;
        }
    }

    fn end_line(&mut self, line: &[u8]) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (self.place, line.is_empty()) {
            // RFC 9112 §2.2: empty lines before a request line are skipped
            (Place::Between, true) => {}
            (Place::Between, false) => self.place = Place::Head,
            (Place::Head, true) => self.end_head(),
            (Place::Head, false) => self.read_field(line),
            (Place::ChunkSize, _) => self.end_chunk_size(line),
            (Place::Trailers, true) => self.place = Place::Between,
            (Place::Trailers, false) | (Place::Body(_) | Place::Chunk(_) | Place::Lost, _) => {}
        }
    }

    fn read_field(&mut self, line: &[u8]) {
        let Some(colon) = line.iter().position(|&byte| byte == b':') else {
            return;
        };
        let (name, value) = line.split_at(colon);
        if name.eq_ignore_ascii_case(b"content-length") {
            self.length.lengths = self.length.lengths.saturating_add(1);
            self.length.bytes = parse_length(value.get(1..).unwrap_or_default());
            self.ambiguous |= self.length.bytes.is_none();
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            self.length.codings = self.length.codings.saturating_add(1);
        }
    }

    fn end_head(&mut self) {
        let Length {
            bytes,
            lengths,
            codings,
        } = std::mem::take(&mut self.length);
        self.heads += 1;
        self.ambiguous |= u16::from(lengths) + u16::from(codings) > 1;
        self.place = match (codings, bytes) {
            (1.., _) => Place::ChunkSize,
            (0, Some(bytes @ 1..)) => Place::Body(bytes),
            (0, Some(0) | None) => Place::Between,
        };
    }

    fn end_chunk_size(&mut self, line: &[u8]) {
        let mut digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit());
        let size = digits.try_fold(0_u64, |size, &digit| {
            let digit = u64::from(char::from(digit).to_digit(16)?);
            size.checked_mul(16)?.checked_add(digit)
        });
        self.place = match size {
            Some(0) => Place::Trailers,
            Some(size) => Place::Chunk(size.saturating_add(2)),
            None => Place::Lost,
        };
    }
}

/// Reads a length of digits only, with blanks around it.
fn parse_length(value: &[u8]) -> Option<u64> {
    let digits = value.trim_ascii();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is found must not depend on the pieces that the bytes come in.
    fn follow(text: &str) -> (Place, bool) {
        let mut whole = Framing::default();
        whole.feed(text.as_bytes());
        for piece in [1, 2, 7] {
            let mut pieces = Framing::default();
            text.as_bytes()
                .chunks(piece)
                .for_each(|bytes| pieces.feed(bytes));
            assert_eq!(pieces.place(), whole.place(), "in pieces of {piece}");
            assert_eq!(
                pieces.is_ambiguous(),
                whole.is_ambiguous(),
                "in pieces of {piece}"
            );
        }
        (whole.place(), whole.is_ambiguous())
    }

    #[test]
    fn the_place_is_told_at_every_point() {
        let table = [
            ("", Place::Between),
            ("\r\n", Place::Between),
            ("P", Place::Head),
            ("POST / HTTP/1.1\r\nHost: a\r\n", Place::Head),
            ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", Place::Between),
            (
                "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nab",
                Place::Body(3),
            ),
            (
                "POST / HTTP/1.1\r\ncontent-LENGTH:5\r\n\r\nabcde",
                Place::Between,
            ),
            ("POST / HTTP/1.1\nContent-Length: 2\n\nabG", Place::Head),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n",
                Place::ChunkSize,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nab",
                Place::Chunk(3),
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
                Place::Trailers,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nA: b\r\n\r\n",
                Place::Between,
            ),
            (
                "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
                Place::Lost,
            ),
        ];

        for (text, place) in table {
            assert_eq!(follow(text), (place, false), "{text:?}");
        }
    }

    #[test]
    fn two_lengths_are_ambiguous_and_one_is_not() {
        let head = |fields: &str| format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
        let table = [
            ("Content-Length: 4\r\nContent-Length: 4\r\n", true),
            ("Content-Length: 4\r\ncontent-length: 5\r\n", true),
            ("Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", true),
            ("Transfer-Encoding: chunked\r\nContent-Length: 0\r\n", true),
            (
                "Transfer-Encoding: chunked\r\ntransfer-encoding: identity\r\n",
                true,
            ),
            ("Content-Length: 4, 4\r\n", true),
            ("Content-Length: +4\r\n", true),
            ("Content-Length:\r\n", true),
            ("Content-Length: 4\r\n", false),
            ("Transfer-Encoding: chunked\r\n", false),
            ("X-Content-Length: 4\r\nContent-Length: 4\r\n", false),
            ("", false),
        ];

        for (fields, ambiguous) in table {
            assert_eq!(follow(&head(fields)).1, ambiguous, "{fields:?}");
        }
    }

    #[test]
    fn a_body_that_looks_like_a_head_is_none() {
        let body = "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n";
        let text = format!(
            "POST / HTTP/1.1\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );

        assert_eq!(follow(&text), (Place::Between, false));
    }

    #[test]
    fn the_second_of_two_requests_in_one_piece_is_seen() {
        let first = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n";
        let second = "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n";

        assert!(follow(&format!("{first}{second}")).1);
        assert!(!follow(&format!("{first}{first}")).1);
    }
}
