//! PostgreSQL: `ALTER ROLE` with a SCRAM verifier that is computed here, so that neither the line nor
//! the server's log ever has the password.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_postgres::config::SslMode;
use tokio_postgres::error::SqlState;
use tokio_postgres::{Client, Config, Connection, Error, NoTls};

use crate::connectors::dial::{dial, peer, pinned, tls, untold};
use crate::connectors::{Admin, Connector, ConnectorError, Order, Proof, Site, Trouble, one_line};
use crate::domain::{Connector as Settings, Password, Pin, Wire};

/// Speaks to PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub(super) struct Postgres;

#[async_trait]
impl Connector for Postgres {
    fn suits(&self, password: &Password) -> Result<(), Trouble> {
        one_line(password, (CONTROL, TOO_LONG), LONGEST)
    }

    async fn change(&self, site: &Site<'_>, order: &Order<'_>) -> Result<(), ConnectorError> {
        let login = order.login();
        let begun = Instant::now();
        let entering = async { log_in(site, line(site).await?, &login).await };
        let entered = untold(site, entering).await?;
        let (client, connection) = match entered {
            Entered::Yes(entered) => *entered,
            Entered::No | Entered::ButNotHere => {
                return Err(Trouble::LoginRefused(login.name.to_owned()).before());
            }
        };
        let verifier = postgres_protocol::password::scram_sha_256(order.new.expose().as_bytes());
        let role = order.account.replace('"', "\"\"");
        // Letters, digits and `$:+/=` alone: nothing in it could end the text.
        let sentence = format!("ALTER ROLE \"{role}\" PASSWORD '{verifier}'");
        let bounds = bounds(site.patience.saturating_sub(begun.elapsed()));
        let changing = async {
            let bounded = client.batch_execute(&bounds).await;
            bounded.map_err(|error| refusal(&error, "").before())?;
            let changed = client.batch_execute(&sentence).await;
            changed.map_err(|error| refusal(&error, &verifier).after())
        };
        tokio::select! {
            changed = changing => changed,
            _ended = connection => Err(Trouble::Cut.after()),
        }
    }

    async fn verify(
        &self,
        site: &Site<'_>,
        account: &str,
        password: &Password,
    ) -> Result<bool, ConnectorError> {
        let login = Admin::by(account, password);
        let line = line(site).await.map_err(Trouble::before)?;
        let entered = log_in(site, line, &login).await.map_err(Trouble::before)?;
        Ok(!matches!(entered, Entered::No))
    }

    async fn shown(&self, site: &Site<'_>) -> Result<Option<Pin>, ConnectorError> {
        if site.target.wire == Wire::DangerPlain {
            return Ok(None);
        }
        let plain = begin_tls(site).await.map_err(Trouble::before)?;
        let address = peer(&plain).map_err(Trouble::before)?;
        let (_stream, shown) = tls(plain, address, None).await.map_err(Trouble::before)?;
        Ok(Some(shown))
    }
}

/// Whatever bytes go over.
trait Line: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Line for T {}

type Talk = Connection<Box<dyn Line>, tokio_postgres::tls::NoTlsStream>;

enum Entered {
    Yes(Box<(Client, Talk)>),
    /// The password is wrong.
    No,
    /// The password is right, and the database is not for this role.
    ButNotHere,
}

async fn line(site: &Site<'_>) -> Result<Box<dyn Line>, Trouble> {
    if site.target.wire == Wire::DangerPlain {
        return Ok(Box::new(dial(site).await?));
    }
    let plain = begin_tls(site).await?;
    let address = peer(&plain)?;
    let (stream, shown) = tls(plain, address, site.target.pin).await?;
    pinned(site, shown)?;
    Ok(Box::new(stream))
}

/// Asks for TLS: PostgreSQL's documentation, *Message Formats*, `SSLRequest`.
async fn begin_tls(site: &Site<'_>) -> Result<TcpStream, Trouble> {
    let mut line = dial(site).await?;
    let cut = |_| Trouble::Cut;
    line.write_all(&[0, 0, 0, 8, 4, 210, 22, 47])
        .await
        .map_err(cut)?;
    match line.read_u8().await.map_err(cut)? {
        b'S' => Ok(line),
        b'N' => Err(Trouble::Unencrypted),
        _ => Err(Trouble::Cut),
    }
}

async fn log_in(
    site: &Site<'_>,
    line: Box<dyn Line>,
    login: &Admin<'_>,
) -> Result<Entered, Trouble> {
    let Settings::Postgres { database } = &site.target.connector else {
        return Err(Trouble::Setting("it is no PostgreSQL"));
    };
    let Proof::Password(password) = login.proof else {
        return Err(Trouble::Setting("PostgreSQL takes no SSH key"));
    };
    let mut config = Config::new();
    config
        .user(login.name)
        .password(password.expose())
        .dbname(database)
        .application_name("claviger")
        .ssl_mode(SslMode::Disable);
    let error = match config.connect_raw(line, NoTls).await {
        Ok((client, connection)) => return Ok(Entered::Yes(Box::new((client, connection)))),
        Err(error) => error,
    };
    match error.code() {
        Some(&SqlState::INVALID_PASSWORD) => Ok(Entered::No),
        // These come after the password was looked at.
        Some(&SqlState::INVALID_CATALOG_NAME | &SqlState::INSUFFICIENT_PRIVILEGE) => {
            Ok(Entered::ButNotHere)
        }
        Some(_) => Err(refusal(&error, "")),
        None => Err(Trouble::Cut),
    }
}

/// The server gives up before nobody listens any more; otherwise a role that is locked would be
/// changed whenever the lock goes.
fn bounds(left: Duration) -> String {
    // 0 would be without end.
    let left = (left - left / 10).as_millis().max(1);
    format!("SET statement_timeout = {left}; SET lock_timeout = {left}")
}

fn refusal(error: &Error, secret: &str) -> Trouble {
    let Some(said) = error.as_db_error() else {
        return Trouble::Cut;
    };
    let trouble = match secret.is_empty() {
        true => Trouble::refused(said.message(), &[]),
        false => Trouble::refused(said.message(), &[secret]),
    };
    match is_in_doubt(said.code().code()) {
        true => trouble.in_doubt(),
        false => trouble,
    }
}

/// Whether a state is none that the server has come to by itself: a connection that was lost
/// behind a proxy, a server that ends or fails (PostgreSQL, appendix A).
fn is_in_doubt(state: &str) -> bool {
    let classes = ["08", "57P", "58", "XX"];
    state == "40003" || classes.iter().any(|class| state.starts_with(class))
}

/// Longer ones are cut by some of its clients.
const LONGEST: usize = 900;
const CONTROL: &str = "a password on PostgreSQL can hold no control character";
const TOO_LONG: &str = "a password on PostgreSQL can have 900 bytes at most";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_proxy_or_a_failing_server_says_is_no_refusal() {
        for state in [
            "08006", "08P01", "40003", "57P01", "57P02", "58030", "XX000",
        ] {
            assert!(is_in_doubt(state), "{state}");
        }
        for state in ["42501", "55P03", "57014", "22023", "40001", "0A000"] {
            assert!(!is_in_doubt(state), "{state}");
        }
    }

    #[test]
    fn the_server_gives_up_before_this_side_and_never_waits_without_end() {
        assert_eq!(
            bounds(Duration::from_secs(10)),
            "SET statement_timeout = 9000; SET lock_timeout = 9000"
        );
        assert_eq!(
            bounds(Duration::ZERO),
            "SET statement_timeout = 1; SET lock_timeout = 1"
        );
    }
}
