//! Directories: the password modify operation (RFC 3062), or Active Directory's `unicodePwd`. The
//! four messages that this takes are written in `message.rs`, names in `dn.rs`.

mod dn;
mod message;

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite};
use zeroize::Zeroizing;

use crate::connectors::dial::{dial, peer, pinned, tls, untold};
use crate::connectors::ldap::message::{Answer, Talk};
use crate::connectors::{Connector, ConnectorError, Order, Proof, Site, Trouble, one_line};
use crate::domain::{Connector as Settings, Directory, Password, Pin, Wire};

/// Speaks to directories.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ldap;

#[async_trait]
impl Connector for Ldap {
    fn suits(&self, password: &Password) -> Result<(), Trouble> {
        one_line(password, (CONTROL, TOO_LONG), LONGEST)
    }

    async fn change(&self, site: &Site<'_>, order: &Order<'_>) -> Result<(), ConnectorError> {
        let (template, directory) = settings(site).map_err(Trouble::before)?;
        let login = order.login();
        let Proof::Password(password) = login.proof else {
            return Err(Trouble::Setting("a directory takes no SSH key").before());
        };
        let name = match order.admin {
            Some(admin) => dn::of_admin(template, admin.name),
            None => dn::of(template, order.account),
        };
        let entering = async {
            let mut talk = line(site).await?;
            match lets_in(&talk.bind(&name, password).await?)? {
                true => Ok(talk),
                false => Err(Trouble::LoginRefused(login.name.to_owned())),
            }
        };
        let mut talk = untold(site, entering).await?;
        let name = dn::of(template, order.account);
        let old = order.admin.is_none().then_some(order.old);
        let answer = match directory {
            Directory::Rfc3062 => talk.modify_password(&name, old, order.new).await,
            Directory::Active => {
                let old = old.map(quoted);
                let old = old.as_ref().map(|old| old.as_slice());
                talk.replace_unicode(&name, old, &quoted(order.new)).await
            }
        };
        let answer = answer.map_err(Trouble::after)?;
        match answer.code {
            0 => Ok(()),
            _ => {
                let secrets = [order.old.expose(), order.new.expose()];
                let trouble = Trouble::refused(&answer.in_words(), &secrets);
                Err(match IN_DOUBT.contains(&answer.code) {
                    true => trouble.in_doubt().after(),
                    false => trouble.after(),
                })
            }
        }
    }

    async fn verify(
        &self,
        site: &Site<'_>,
        account: &str,
        password: &Password,
    ) -> Result<bool, ConnectorError> {
        let (template, _) = settings(site).map_err(Trouble::before)?;
        let mut talk = line(site).await.map_err(Trouble::before)?;
        let name = dn::of(template, account);
        let bound = talk.bind(&name, password).await.map_err(Trouble::before)?;
        lets_in(&bound).map_err(Trouble::before)
    }

    async fn shown(&self, site: &Site<'_>) -> Result<Option<Pin>, ConnectorError> {
        let plain = dial(site).await.map_err(Trouble::before)?;
        let address = peer(&plain).map_err(Trouble::before)?;
        let plain = match site.target.wire {
            Wire::DangerPlain => return Ok(None),
            Wire::Sealed => plain,
            Wire::StartTls => {
                let mut talk = Talk::over(plain);
                talk.begin_tls().await.map_err(Trouble::before)?;
                talk.into_line()
            }
        };
        let (_stream, shown) = tls(plain, address, None).await.map_err(Trouble::before)?;
        Ok(Some(shown))
    }
}

/// Whatever bytes go over.
trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

async fn line(site: &Site<'_>) -> Result<Talk<Box<dyn Line>>, Trouble> {
    let plain = dial(site).await?;
    let address = peer(&plain)?;
    let plain = match site.target.wire {
        Wire::DangerPlain => return Ok(Talk::over(Box::new(plain))),
        Wire::Sealed => plain,
        Wire::StartTls => {
            let mut talk = Talk::over(plain);
            talk.begin_tls().await?;
            talk.into_line()
        }
    };
    let (stream, shown) = tls(plain, address, site.target.pin).await?;
    pinned(site, shown)?;
    Ok(Talk::over(Box::new(stream)))
}

fn settings<'a>(site: &Site<'a>) -> Result<(&'a str, Directory), Trouble> {
    match &site.target.connector {
        Settings::Ldap { dn, directory } => Ok((dn, *directory)),
        _ => Err(Trouble::Setting("it is no directory")),
    }
}

/// Whether a bind says that the password was right.
fn lets_in(answer: &Answer) -> Result<bool, Trouble> {
    match answer.code {
        0 => Ok(true),
        // Active Directory: right, and expired or to be changed.
        INVALID_CREDENTIALS if ["data 532", "data 773"].iter().any(|it| answer.says(it)) => {
            Ok(true)
        }
        // Locked, disabled, expired, or not now and not from here: neither yes nor no.
        INVALID_CREDENTIALS if SHUT.iter().any(|it| answer.says(it)) => {
            Err(Trouble::refused(&answer.in_words(), &[]))
        }
        INVALID_CREDENTIALS => Ok(false),
        _ => Err(Trouble::refused(&answer.in_words(), &[])),
    }
}

/// In quotes and UTF-16, as Active Directory wants it ([MS-ADTS] 3.1.1.3.1.5).
fn quoted(password: &Password) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(2 * password.expose().len() + 4));
    let units = std::iter::once(QUOTE)
        .chain(password.expose().encode_utf16())
        .chain(std::iter::once(QUOTE));
    for unit in units {
        bytes.extend_from_slice(&unit.to_le_bytes());
    }
    bytes
}

/// `invalidCredentials`, RFC 4511 appendix A.
const INVALID_CREDENTIALS: u8 = 49;
/// Active Directory's words in `invalidCredentials` that say nothing about the password.
const SHUT: [&str; 5] = ["data 530", "data 531", "data 533", "data 701", "data 775"];
/// Time limit, administrative limit, busy, unavailable, other: also what a server says that passes
/// changes on and has lost the one behind it (RFC 4511, appendix A.2).
const IN_DOUBT: [u8; 5] = [3, 11, 51, 52, 80];
const QUOTE: u16 = 0x22;
const LONGEST: usize = 900;
const CONTROL: &str = "a password in a directory can hold no control character";
const TOO_LONG: &str = "a password in a directory can have 900 bytes at most";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_that_is_locked_says_nothing_about_its_password() {
        let said = |words: &str| lets_in(&Answer::new(49, words));

        assert_eq!(
            said("AcceptSecurityContext error, data 52e, v4563"),
            Ok(false)
        );
        assert_eq!(
            said("AcceptSecurityContext error, data 773, v4563"),
            Ok(true)
        );
        for data in ["530", "531", "533", "701", "775"] {
            let answer = said(&format!("AcceptSecurityContext error, data {data}, v4563"));
            assert!(matches!(answer, Err(Trouble::Refused(_))), "{answer:?}");
        }
    }

    #[test]
    fn active_directory_gets_quotes_and_utf_16() {
        let password = Password::parse(Zeroizing::new("aä".to_owned())).unwrap();

        assert_eq!(*quoted(&password), [0x22, 0, 0x61, 0, 0xE4, 0, 0x22, 0]);
    }
}
