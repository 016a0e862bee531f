//! Just enough HTTP/1.1 to read an answer, so that the generator costs as little as it can.

use tokio::io::{AsyncRead, AsyncReadExt as _};

use crate::trouble::Trouble;

/// Reads one answer into `buffer`; returns its status and where its body begins.
///
/// # Errors
/// When the peer closes early, or says what is not HTTP.
pub async fn read_answer(
    stream: &mut (impl AsyncRead + Unpin),
    buffer: &mut Vec<u8>,
) -> Result<(u16, usize), Trouble> {
    buffer.clear();
    let head = loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            break at + 4;
        }
        more(stream, buffer).await?;
    };
    let status = status(buffer)?;
    match header(&buffer[..head], "content-length") {
        Some(length) => {
            let length: usize = length.parse().map_err(|_| Trouble::new("a bad length"))?;
            while buffer.len() < head + length {
                more(stream, buffer).await?;
            }
        }
        None if header(&buffer[..head], "transfer-encoding").is_some() => {
            while !buffer.ends_with(b"0\r\n\r\n") {
                more(stream, buffer).await?;
            }
        }
        None => {}
    }
    Ok((status, head))
}

/// Where `needle` begins in `hay`.
pub fn find(hay: &[u8], needle: &[u8]) -> Option<usize> {
    let (first, rest) = needle.split_first()?;
    let mut from = 0;
    while let Some(at) = hay.get(from..)?.iter().position(|byte| byte == first) {
        if hay[from + at + 1..].starts_with(rest) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}

fn status(answer: &[u8]) -> Result<u16, Trouble> {
    let digits = answer
        .strip_prefix(b"HTTP/1.1 ")
        .and_then(|rest| rest.get(..3));
    digits
        .and_then(|digits| std::str::from_utf8(digits).ok()?.parse().ok())
        .ok_or_else(|| Trouble::new("the answer is not HTTP/1.1"))
}

fn header<'a>(head: &'a [u8], name: &str) -> Option<&'a str> {
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (key, value) = std::str::from_utf8(line).ok()?.split_once(':')?;
        key.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

async fn more(stream: &mut (impl AsyncRead + Unpin), buffer: &mut Vec<u8>) -> Result<(), Trouble> {
    match stream.read_buf(buffer).await? {
        0 => Err(Trouble::new("the peer closed before its answer was whole")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_needle_is_found_where_it_is() {
        assert_eq!(find(b"aab", b"ab"), Some(1));
        assert_eq!(find(b"aab", b"abc"), None);
        assert_eq!(find(b"", b"a"), None);
    }
}
