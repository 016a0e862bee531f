//! Double quotes in request lines: no URL may hold one, and a curl line with JSON in its query does.

use tokio::io::ReadBuf;
use zeroize::Zeroizing;

/// Follows the request lines of one connection.
#[derive(Debug, Default)]
pub(crate) struct Quotes {
    in_line: bool,
}

impl Quotes {
    /// Writes `%22` for every double quote of a request line in what `buffer` holds from `before`
    /// on; `begins` says that a request begins there. Where there is no room, nothing is written,
    /// and the request is none.
    pub(crate) fn encode(&mut self, buffer: &mut ReadBuf<'_>, before: usize, begins: bool) {
        self.in_line |= begins;
        if !self.in_line {
            return;
        }
        let read = buffer.filled().get(before..).unwrap_or_default();
        let end = read.iter().position(|&byte| byte == b'\n');
        self.in_line = end.is_none();
        let line = end.and_then(|end| read.get(..end)).unwrap_or(read);
        let quotes = line.iter().filter(|&&byte| byte == b'"').count();
        if quotes == 0 || quotes * 2 > buffer.remaining() {
            return;
        }
        let length = line.len();
        // The line may hold a token.
        let copy = Zeroizing::new(read.to_vec());
        buffer.set_filled(before);
        for (at, byte) in copy.iter().enumerate() {
            if *byte == b'"' && at < length {
                buffer.put_slice(b"%22");
            } else {
                buffer.put_slice(&[*byte]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes out where `pieces` come in one after the other, the first of them the beginning
    /// of a request.
    fn encoded(pieces: &[&str], room: usize) -> String {
        let mut quotes = Quotes::default();
        let mut out = String::new();
        for (number, piece) in pieces.iter().enumerate() {
            let mut memory = vec![0; room];
            let mut buffer = ReadBuf::new(&mut memory);
            buffer.put_slice(piece.as_bytes());
            quotes.encode(&mut buffer, 0, number == 0);
            out.push_str(std::str::from_utf8(buffer.filled()).unwrap());
        }
        out
    }

    #[test]
    fn quotes_are_encoded_in_the_request_line_only() {
        let request = "GET /?D={\"a\":\"b\"} HTTP/1.1\r\nX: \"y\"\r\n\r\n\"body\"";
        let expected = "GET /?D={%22a%22:%22b%22} HTTP/1.1\r\nX: \"y\"\r\n\r\n\"body\"";

        assert_eq!(encoded(&[request], 256), expected);
        for cut in 1..request.len() {
            let (first, second) = request.split_at(cut);
            assert_eq!(encoded(&[first, second], 256), expected, "cut at {cut}");
        }
    }

    #[test]
    fn what_has_no_quotes_or_no_room_stays_as_it_is() {
        assert_eq!(encoded(&["GET / HTTP/1.1\r\n"], 64), "GET / HTTP/1.1\r\n");
        assert_eq!(encoded(&["GET /\"\"\r\n"], 11), "GET /\"\"\r\n");
    }
}
