//! The packets of MySQL's protocol, as far as logging in and one sentence need them.

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use crate::connectors::Trouble;
use crate::connectors::mysql::proof::{caching_sha2, native};
use crate::domain::Password;

/// Whatever bytes go over.
pub(super) trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

/// What the server says first.
pub(super) struct Greeting {
    version: String,
    salt: Vec<u8>,
    plugin: String,
    offers_tls: bool,
}

impl Greeting {
    pub(super) fn is_mariadb(&self) -> bool {
        self.version.contains("MariaDB")
    }
}

/// A conversation.
pub(super) struct Talk<L> {
    line: L,
    /// The number of the next packet.
    turn: u8,
    /// Whether nobody else hears it.
    sealed: bool,
}

impl<L: Line> Talk<L> {
    pub(super) fn over(line: L) -> Self {
        Self {
            line,
            turn: 0,
            sealed: false,
        }
    }

    /// Goes on inside TLS.
    pub(super) fn sealed(line: L, turn: u8) -> Self {
        Self {
            line,
            turn,
            sealed: true,
        }
    }

    pub(super) fn boxed(self) -> Talk<Box<dyn Line>>
    where
        L: 'static,
    {
        Talk {
            line: Box::new(self.line),
            turn: self.turn,
            sealed: self.sealed,
        }
    }

    pub(super) fn into_line(self) -> L {
        self.line
    }

    pub(super) fn turn(&self) -> u8 {
        self.turn
    }

    pub(super) async fn greeting(&mut self) -> Result<Greeting, Trouble> {
        let packet = self.hear().await?;
        match packet.first() {
            Some(10) => greeting(&packet).ok_or(Trouble::Cut),
            Some(0xFF) => Err(complaint(&packet).1),
            _ => Err(Trouble::Cut),
        }
    }

    /// Says that TLS comes next.
    pub(super) async fn begin_tls(&mut self, greeting: &Greeting) -> Result<(), Trouble> {
        if !greeting.offers_tls {
            return Err(Trouble::Unencrypted);
        }
        self.tell(&opening(TLS)).await
    }

    /// Whether the server lets `name` in with `password`.
    pub(super) async fn log_in(
        &mut self,
        greeting: &Greeting,
        name: &str,
        password: &Password,
    ) -> Result<bool, Trouble> {
        let tls = if self.sealed { TLS } else { 0 };
        let mut packet = Zeroizing::new(opening(tls));
        packet.extend_from_slice(name.as_bytes());
        packet.push(0);
        let (plugin, proof) = match self.proof(&greeting.plugin, &greeting.salt, password) {
            Ok(proof) => (greeting.plugin.as_str(), proof),
            // It is asked for another one then.
            Err(_) => (
                NATIVE,
                Zeroizing::new(native(text(password), &greeting.salt)),
            ),
        };
        packet.push(u8::try_from(proof.len()).map_err(|_| Trouble::Cut)?);
        packet.extend_from_slice(&proof);
        packet.extend_from_slice(plugin.as_bytes());
        packet.push(0);
        self.tell(&packet).await?;
        for _ in 0..MOST_TURNS {
            let packet = self.hear().await?;
            match packet.split_first() {
                Some((0, _)) => return Ok(true),
                Some((0xFF, _)) => return said_no(&packet),
                Some((0xFE, rest)) => self.switch(rest, password).await?,
                // `caching_sha2_password`: 3 is known, 4 is to be said in full.
                Some((1, [3])) => {}
                Some((1, [4])) => self.in_full(password).await?,
                _ => return Err(Trouble::Cut),
            }
        }
        Err(Trouble::Cut)
    }

    /// One sentence that has no rows for an answer.
    pub(super) async fn say(&mut self, sentence: &str) -> Result<(), Trouble> {
        self.turn = 0;
        let mut packet = Zeroizing::new(Vec::with_capacity(1 + sentence.len()));
        packet.push(3);
        packet.extend_from_slice(sentence.as_bytes());
        self.tell(&packet).await?;
        let packet = self.hear().await?;
        match packet.first() {
            Some(0) => Ok(()),
            Some(0xFF) => Err(complaint(&packet).1),
            _ => Err(Trouble::Cut),
        }
    }

    async fn switch(&mut self, rest: &[u8], password: &Password) -> Result<(), Trouble> {
        let (plugin, salt) = until_zero(rest).ok_or(Trouble::Cut)?;
        let plugin = std::str::from_utf8(plugin).map_err(|_| Trouble::Cut)?;
        let proof = self.proof(plugin, salt, password)?;
        self.tell(&proof).await
    }

    fn proof(
        &self,
        plugin: &str,
        salt: &[u8],
        password: &Password,
    ) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let salt = salt.get(..20).unwrap_or(salt);
        match plugin {
            NATIVE => Ok(Zeroizing::new(native(text(password), salt))),
            "caching_sha2_password" => Ok(Zeroizing::new(caching_sha2(text(password), salt))),
            "mysql_clear_password" | "sha256_password" if self.sealed => {
                Ok(Zeroizing::new([text(password), &[0]].concat()))
            }
            "mysql_clear_password" | "sha256_password" => Err(Trouble::Unencrypted),
            _ => Err(Trouble::Setting(
                "the account logs in by a plugin that is not known here",
            )),
        }
    }

    async fn in_full(&mut self, password: &Password) -> Result<(), Trouble> {
        if !self.sealed {
            return Err(Trouble::Unencrypted);
        }
        let packet = Zeroizing::new([text(password), &[0]].concat());
        self.tell(&packet).await
    }

    async fn tell(&mut self, packet: &[u8]) -> Result<(), Trouble> {
        let length = u32::try_from(packet.len()).map_err(|_| Trouble::Cut)?;
        let [_, a, b, c] = length.to_be_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(4 + packet.len()));
        bytes.extend_from_slice(&[c, b, a, self.turn]);
        bytes.extend_from_slice(packet);
        self.turn = self.turn.wrapping_add(1);
        self.line
            .write_all(&bytes)
            .await
            .map_err(|_| Trouble::Cut)?;
        self.line.flush().await.map_err(|_| Trouble::Cut)
    }

    async fn hear(&mut self) -> Result<Vec<u8>, Trouble> {
        let mut head = [0; 4];
        let cut = |_| Trouble::Cut;
        self.line.read_exact(&mut head).await.map_err(cut)?;
        let [c, b, a, turn] = head;
        let length = u32::from_be_bytes([0, a, b, c]);
        let length = usize::try_from(length).ok().filter(|it| *it <= LONGEST);
        let mut packet = vec![0; length.ok_or(Trouble::Cut)?];
        self.line.read_exact(&mut packet).await.map_err(cut)?;
        self.turn = turn.wrapping_add(1);
        Ok(packet)
    }
}

/// What the client can do, the longest packet, the character set (utf8mb4), and room.
fn opening(more: u32) -> Vec<u8> {
    let mut packet = Vec::with_capacity(512);
    packet.extend_from_slice(&(ABILITIES | more).to_le_bytes());
    packet.extend_from_slice(&0x0100_0000u32.to_le_bytes());
    packet.push(45);
    packet.extend_from_slice(&[0; 23]);
    packet
}

fn greeting(packet: &[u8]) -> Option<Greeting> {
    let (version, rest) = until_zero(packet.get(1..)?)?;
    let (first, rest) = rest.get(4..)?.split_at_checked(8)?;
    let (low, rest) = rest.get(1..)?.split_first_chunk::<2>()?;
    let (high, rest) = rest.get(3..)?.split_first_chunk::<2>()?;
    let (length, rest) = rest.split_first()?;
    let abilities = u32::from_le_bytes([low[0], low[1], high[0], high[1]]);
    let second = usize::from(*length).saturating_sub(8).max(13);
    let (second, rest) = rest.get(10..)?.split_at_checked(second)?;
    let plugin = until_zero(rest).map_or(rest, |(plugin, _)| plugin);
    Some(Greeting {
        version: String::from_utf8_lossy(version).into_owned(),
        salt: [first, second.get(..12)?].concat(),
        plugin: String::from_utf8_lossy(plugin).into_owned(),
        offers_tls: abilities & TLS != 0,
    })
}

fn said_no(packet: &[u8]) -> Result<bool, Trouble> {
    match complaint(packet) {
        (ACCESS_DENIED, _) => Ok(false),
        // It has expired: so it was the right one.
        (MUST_CHANGE, _) => Ok(true),
        (_, trouble) => Err(trouble),
    }
}

/// Its number and words: `FF`, number, `#` and five letters, words.
fn complaint(packet: &[u8]) -> (u16, Trouble) {
    let number = packet.get(1..3).and_then(|bytes| bytes.try_into().ok());
    let words = packet.get(3..).unwrap_or_default();
    let words = match words.split_first() {
        Some((b'#', rest)) => rest.get(5..).unwrap_or_default(),
        _ => words,
    };
    let number = number.map_or(0, u16::from_le_bytes);
    let words = match number {
        // It quotes the sentence, and what is in it.
        SYNTAX => "it does not understand the sentence (error 1064)".into(),
        _ => String::from_utf8_lossy(words),
    };
    let trouble = Trouble::refused(&words, &[]);
    match is_in_doubt(number) {
        true => (number, trouble.in_doubt()),
        false => (number, trouble),
    }
}

/// Whether it is no refusal of the server's own: it ends, it was interrupted, or a proxy before it
/// has lost it (from 2000 on the numbers are clients', from 9000 on proxies').
fn is_in_doubt(number: u16) -> bool {
    matches!(number, 1053 | 1152 | 1158..=1161 | 1184 | 1317 | 1927 | 2000..=2999 | 9000..)
}

fn until_zero(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..at)?, bytes.get(at + 1..)?))
}

fn text(password: &Password) -> &[u8] {
    password.expose().as_bytes()
}

const NATIVE: &str = "mysql_native_password";
/// `CLIENT_SSL`.
const TLS: u32 = 0x800;
/// Long passwords, protocol 4.1, transactions, proofs of any length up to 255, plugins.
const ABILITIES: u32 = 0x1 | 0x200 | 0x2000 | 0x8000 | 0x8_0000;
const ACCESS_DENIED: u16 = 1045;
const SYNTAX: u16 = 1064;
const MUST_CHANGE: u16 = 1862;
const MOST_TURNS: usize = 6;
const LONGEST: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_of_mariadb_is_read() {
        let mut packet = vec![10];
        packet.extend_from_slice(b"5.5.5-10.11.6-MariaDB\0");
        packet.extend_from_slice(&[1, 0, 0, 0]);
        packet.extend_from_slice(b"12345678\0");
        packet.extend_from_slice(&[0xFE, 0xFF, 45, 2, 0, 0xFF, 0x81, 21]);
        packet.extend_from_slice(&[0; 10]);
        packet.extend_from_slice(b"abcdefghijkl\0mysql_native_password\0");

        let read = greeting(&packet).unwrap();

        assert!(read.is_mariadb() && read.offers_tls);
        assert_eq!(read.salt, b"12345678abcdefghijkl");
        assert_eq!(read.plugin, NATIVE);
        for end in 0..50 {
            assert!(greeting(&packet[..end]).is_none(), "{end}");
        }
    }

    #[test]
    fn a_complaint_is_read_and_access_denied_is_no() {
        let denied = b"\xFF\x15\x04#28000Access denied";

        assert_eq!(said_no(denied), Ok(false));
        assert_eq!(
            said_no(b"\xFF\x10\x04#08004Too many connections"),
            Err(Trouble::Refused("Too many connections".to_owned()))
        );
        let (_, lost) = complaint(b"\xFF\xDD\x07#HY000Lost connection to backend server");
        assert!(matches!(lost, Trouble::Unsaid(_)), "{lost}");
        let (_, quoting) = complaint(b"\xFF\x28\x04#42000syntax near 's3cret'");
        assert!(!quoting.to_string().contains("s3cret"), "{quoting}");
    }
}
