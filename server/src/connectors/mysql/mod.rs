//! MySQL and MariaDB: `ALTER USER`, with the few packets of their protocol that this takes
//! (`wire.rs`) and their ways to log in (`proof.rs`). Client libraries for it verify certificates by
//! CA only; here the one certificate that is pinned counts.

mod proof;
mod wire;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use zeroize::Zeroizing;

use crate::connectors::dial::{dial, peer, pinned, tls, untold};
use crate::connectors::mysql::proof::kept;
use crate::connectors::mysql::wire::{Greeting, Line, Talk};
use crate::connectors::{Admin, Connector, ConnectorError, Order, Proof, Site, Trouble, one_line};
use crate::domain::{Connector as Settings, Password, Pin, Wire};

/// Speaks to MySQL and MariaDB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mysql;

#[async_trait]
impl Connector for Mysql {
    fn suits(&self, password: &Password) -> Result<(), Trouble> {
        one_line(password, (CONTROL, TOO_LONG), LONGEST)
    }

    async fn change(&self, site: &Site<'_>, order: &Order<'_>) -> Result<(), ConnectorError> {
        let login = order.login();
        let begun = Instant::now();
        let entering = async {
            let (mut talk, greeting) = greeted(site).await?;
            if !log_in(&mut talk, &greeting, &login).await? {
                return Err(Trouble::LoginRefused(login.name.to_owned()));
            }
            let left = site.patience.saturating_sub(begun.elapsed());
            talk.say(&manners(left)).await?;
            Ok((talk, greeting))
        };
        let (mut talk, greeting) = untold(site, entering).await?;
        let sentence = sentence(site, order, &greeting).map_err(Trouble::before)?;
        match talk.say(&sentence).await {
            Ok(()) => Ok(()),
            Err(Trouble::Refused(words)) => {
                Err(Trouble::refused(&words, &[order.new.expose()]).after())
            }
            Err(Trouble::Unsaid(words)) => {
                let trouble = Trouble::refused(&words, &[order.new.expose()]);
                Err(trouble.in_doubt().after())
            }
            Err(trouble) => Err(trouble.after()),
        }
    }

    async fn verify(
        &self,
        site: &Site<'_>,
        account: &str,
        password: &Password,
    ) -> Result<bool, ConnectorError> {
        let login = Admin::by(account, password);
        let (mut talk, greeting) = greeted(site).await.map_err(Trouble::before)?;
        let entered = log_in(&mut talk, &greeting, &login).await;
        entered.map_err(Trouble::before)
    }

    async fn shown(&self, site: &Site<'_>) -> Result<Option<Pin>, ConnectorError> {
        if site.target.wire == Wire::DangerPlain {
            return Ok(None);
        }
        let plain = dial(site).await.map_err(Trouble::before)?;
        let address = peer(&plain).map_err(Trouble::before)?;
        let mut talk = Talk::over(plain);
        let greeting = talk.greeting().await.map_err(Trouble::before)?;
        talk.begin_tls(&greeting).await.map_err(Trouble::before)?;
        let shaken = tls(talk.into_line(), address, None).await;
        let (_stream, shown) = shaken.map_err(Trouble::before)?;
        Ok(Some(shown))
    }
}

async fn greeted(site: &Site<'_>) -> Result<(Talk<Box<dyn Line>>, Greeting), Trouble> {
    let plain = dial(site).await?;
    let address = peer(&plain)?;
    let mut talk = Talk::over(plain);
    let greeting = talk.greeting().await?;
    if site.target.wire == Wire::DangerPlain {
        return Ok((talk.boxed(), greeting));
    }
    talk.begin_tls(&greeting).await?;
    let turn = talk.turn();
    let (stream, shown) = tls(talk.into_line(), address, site.target.pin).await?;
    pinned(site, shown)?;
    let talk = Talk::sealed(stream, turn);
    Ok((talk.boxed(), greeting))
}

async fn log_in(
    talk: &mut Talk<Box<dyn Line>>,
    greeting: &Greeting,
    login: &Admin<'_>,
) -> Result<bool, Trouble> {
    match login.proof {
        Proof::Password(password) => talk.log_in(greeting, login.name, password).await,
        Proof::SshKey(_) => Err(Trouble::Setting("MySQL takes no SSH key")),
    }
}

/// From then on a quote, doubled, is all that a text must look out for, and a sentence that waits for
/// a lock is given up before nobody listens any more.
fn manners(left: Duration) -> String {
    let left = (left - left / 10).as_secs().max(1);
    format!("SET SESSION sql_mode='NO_BACKSLASH_ESCAPES', SESSION lock_wait_timeout={left}")
}

/// An administrative account names whom it means. Whoever changes its own says so, which needs no
/// privilege. MySQL hides passwords from its logs; MariaDB does not, and is told what it keeps.
fn sentence(
    site: &Site<'_>,
    order: &Order<'_>,
    greeting: &Greeting,
) -> Result<Zeroizing<String>, Trouble> {
    let Settings::Mysql { from } = &site.target.connector else {
        return Err(Trouble::Setting("it is no MySQL"));
    };
    let new = order.new.expose();
    let mut text = Zeroizing::new(String::with_capacity(2 * LONGEST + 2048));
    match (order.admin, greeting.is_mariadb()) {
        (Some(_), mariadb) => {
            text.push_str("ALTER USER ");
            quote(order.account, &mut text);
            text.push('@');
            quote(from, &mut text);
            match mariadb {
                true => {
                    text.push_str(" IDENTIFIED BY PASSWORD ");
                    quote(&kept(new.as_bytes()), &mut text);
                }
                false => {
                    text.push_str(" IDENTIFIED BY ");
                    quote(new, &mut text);
                }
            }
        }
        (None, true) => {
            text.push_str("SET PASSWORD = ");
            quote(&kept(new.as_bytes()), &mut text);
        }
        (None, false) => {
            text.push_str("ALTER USER CURRENT_USER() IDENTIFIED BY ");
            quote(new, &mut text);
        }
    }
    Ok(text)
}

fn quote(part: &str, into: &mut String) {
    into.push('\'');
    for c in part.chars() {
        if c == '\'' {
            into.push('\'');
        }
        into.push(c);
    }
    into.push('\'');
}

/// What its clients send.
const LONGEST: usize = 250;
const CONTROL: &str = "a password on MySQL can hold no control character";
const TOO_LONG: &str = "a password on MySQL can have 250 bytes at most";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_waited_for_less_long_than_this_side_waits() {
        for (left, seconds) in [(10, 9), (1, 1), (0, 1)] {
            let said = manners(Duration::from_secs(left));
            assert!(
                said.ends_with(&format!("lock_wait_timeout={seconds}")),
                "{said}"
            );
        }
    }

    #[test]
    fn nothing_gets_out_of_its_quotes() {
        let mut text = String::new();
        quote(r#"a'b''c\'"; DROP"#, &mut text);
        assert_eq!(text, r#"'a''b''''c\''"; DROP'"#);
    }
}
