//! What goes over the agent's socket, once each way.
//!
//! Request: `"CLA1" || resource || account || reason || ticket`; answer: `status(1) || text`, the
//! text being the password where the status is 0, and words otherwise. Every text is
//! `length(4, big endian) || UTF-8`.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::Secret;
use crate::program::source::Wanted;

/// What the agent answers.
pub(super) enum Answer {
    Password(Secret),
    No { status: u8, message: String },
}

/// Sends what is wanted.
pub(super) async fn send(
    stream: &mut (impl AsyncWrite + Unpin),
    wanted: &Wanted,
) -> io::Result<()> {
    let mut bytes = MARK.to_vec();
    for text in [
        &wanted.resource,
        &wanted.account,
        &wanted.reason,
        &wanted.ticket,
    ] {
        append(&mut bytes, text, ASKED)?;
    }
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Reads what is wanted.
pub(super) async fn wanted(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Wanted> {
    let mut mark = [0; MARK.len()];
    stream.read_exact(&mut mark).await?;
    if mark != *MARK {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut next = async || Ok::<_, io::Error>(text(stream, ASKED).await?.to_string());
    Ok(Wanted {
        resource: next().await?,
        account: next().await?,
        reason: next().await?,
        ticket: next().await?,
    })
}

/// Sends an answer.
pub(super) async fn reply(
    stream: &mut (impl AsyncWrite + Unpin),
    answer: &Answer,
) -> io::Result<()> {
    let (status, text) = match answer {
        Answer::Password(password) => (0, password.expose()),
        Answer::No { status, message } => (*status, message.as_str()),
    };
    // Room for all at once: a text that grew would leave copies behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(text.len() + 5));
    bytes.push(status);
    append(&mut bytes, text, ANSWERED)?;
    stream.write_all(&bytes).await?;
    stream.flush().await
}

/// Reads an answer.
pub(super) async fn answer(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Answer> {
    let status = stream.read_u8().await?;
    let mut text = text(stream, ANSWERED).await?;
    let text = std::mem::take(&mut *text);
    Ok(match status {
        0 => Answer::Password(Secret::from(text)),
        status => Answer::No {
            status,
            message: text,
        },
    })
}

fn append(bytes: &mut Vec<u8>, text: &str, limit: u32) -> io::Result<()> {
    let length = u32::try_from(text.len()).unwrap_or(u32::MAX);
    if length > limit {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
    Ok(())
}

async fn text(stream: &mut (impl AsyncRead + Unpin), limit: u32) -> io::Result<Zeroizing<String>> {
    let length = stream.read_u32().await?;
    if length > limit {
        return Err(io::ErrorKind::InvalidData.into());
    }
    let mut bytes = Zeroizing::new(vec![0; length as usize]);
    stream.read_exact(&mut bytes).await?;
    let text = str::from_utf8(&bytes).map_err(|_| io::ErrorKind::InvalidData)?;
    Ok(Zeroizing::new(text.to_owned()))
}

const MARK: &[u8; 4] = b"CLA1";
/// The most bytes of a text that is asked with.
const ASKED: u32 = 16 * 1024;
/// The most bytes of a text that is answered: as much as the client takes from the server.
const ANSWERED: u32 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn wish() -> Wanted {
        Wanted {
            resource: "r é".to_owned(),
            account: "a".to_owned(),
            reason: "why\nso".to_owned(),
            ticket: String::new(),
        }
    }

    #[tokio::test]
    async fn what_is_sent_is_what_is_read() {
        let mut bytes = Vec::new();
        send(&mut bytes, &wish()).await.unwrap();
        assert_eq!(wanted(&mut bytes.as_slice()).await.unwrap(), wish());

        let mut bytes = Vec::new();
        let password = Answer::Password(Secret::from("s3cret"));
        reply(&mut bytes, &password).await.unwrap();
        match answer(&mut bytes.as_slice()).await.unwrap() {
            Answer::Password(password) => assert_eq!(password.expose(), "s3cret"),
            Answer::No { message, .. } => panic!("{message}"),
        }

        let mut bytes = Vec::new();
        let no = Answer::No {
            status: 3,
            message: "no".to_owned(),
        };
        reply(&mut bytes, &no).await.unwrap();
        match answer(&mut bytes.as_slice()).await.unwrap() {
            Answer::No { status: 3, message } => assert_eq!(message, "no"),
            _ => panic!("another answer"),
        }
    }

    #[tokio::test]
    async fn what_is_no_request_is_refused_before_room_is_made_for_it() {
        let mut whole = Vec::new();
        send(&mut whole, &wish()).await.unwrap();
        for end in 0..whole.len() {
            let cut = wanted(&mut whole.get(..end).unwrap()).await;
            assert!(cut.is_err(), "{end} bytes");
        }
        let huge = [&MARK[..], &u32::MAX.to_be_bytes()].concat();
        let told = wanted(&mut huge.as_slice()).await.unwrap_err();
        assert_eq!(told.kind(), io::ErrorKind::InvalidData);
        let other = wanted(&mut &b"GET / HTTP/1.1\r\n"[..]).await.unwrap_err();
        assert_eq!(other.kind(), io::ErrorKind::InvalidData);
        let long = Wanted {
            resource: "x".repeat(ASKED as usize + 1),
            ..wish()
        };
        assert!(send(&mut Vec::new(), &long).await.is_err());
    }
}
