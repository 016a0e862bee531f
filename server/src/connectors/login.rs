//! Logging in to an SSH server. What it says is taken for a no only where it means the password: one
//! that takes no passwords, or wants more than one proof, says neither yes nor no.

use std::sync::Arc;

use russh::client::{AuthResult, KeyboardInteractiveAuthResponse as Interactive, Prompt};
use russh::keys::{PrivateKeyWithHashAlg, decode_secret_key};
use russh::{MethodKind, MethodSet};

use crate::connectors::error::one_clean_line;
use crate::connectors::ssh::Session;
use crate::connectors::{Admin, Proof, Trouble};
use crate::domain::Password;

/// The session, logged in; `None` when the target says no.
pub(super) async fn log_in(
    mut session: Session,
    login: &Admin<'_>,
) -> Result<Option<Session>, Trouble> {
    let answer = match login.proof {
        Proof::Password(password) => {
            session
                .authenticate_password(login.name, password.expose())
                .await
        }
        Proof::SshKey(text) => {
            let key = decode_secret_key(text, None).map_err(|_| Trouble::Setting(BAD_KEY))?;
            let hash = session.best_supported_rsa_hash().await;
            let hash = hash.map_err(|_| Trouble::Cut)?.flatten();
            let key = PrivateKeyWithHashAlg::new(Arc::new(key), hash);
            session.authenticate_publickey(login.name, key).await
        }
    };
    let (methods, more) = match answer.map_err(|_| Trouble::Cut)? {
        AuthResult::Success => return Ok(Some(session)),
        AuthResult::Failure {
            remaining_methods,
            partial_success,
        } => (remaining_methods, partial_success),
    };
    // A session that broke says so, too.
    if methods.is_empty() || session.is_closed() {
        return Err(Trouble::Cut);
    }
    match login.proof {
        _ if more => Err(wants_more(&methods)),
        Proof::SshKey(_) => Ok(None),
        Proof::Password(_) if methods.contains(&MethodKind::Password) => no_password(login.name),
        Proof::Password(password) if methods.contains(&MethodKind::KeyboardInteractive) => {
            answer_prompts(session, login.name, password).await
        }
        Proof::Password(_) => Err(Trouble::Unsaid(format!(
            "it wants {}, and takes no password",
            listed(&methods)
        ))),
    }
}

/// Where passwords are asked for as a dialog only.
async fn answer_prompts(
    mut session: Session,
    name: &str,
    password: &Password,
) -> Result<Option<Session>, Trouble> {
    let mut asked = session
        .authenticate_keyboard_interactive_start(name, None::<String>)
        .await;
    for _ in 0..MOST_PROMPTS {
        match asked.map_err(|_| Trouble::Cut)? {
            Interactive::Success => return Ok(Some(session)),
            Interactive::Failure { .. } if session.is_closed() => return Err(Trouble::Cut),
            Interactive::Failure {
                remaining_methods,
                partial_success: true,
            } => return Err(wants_more(&remaining_methods)),
            Interactive::Failure { .. } => return no_password(name),
            Interactive::InfoRequest { prompts, .. } => {
                if let Some(prompt) = prompts.iter().find(|prompt| !asks_for_password(prompt)) {
                    let question = one_clean_line(question(prompt));
                    return Err(Trouble::Unsaid(format!("it asks {question:?}")));
                }
                let answers = prompts.iter().map(|_| password.expose().to_owned());
                asked = session
                    .authenticate_keyboard_interactive_respond(answers.collect())
                    .await;
            }
        }
    }
    Err(Trouble::Cut)
}

/// Whether the answer is the password: not a code beside it, nor a new one.
fn asks_for_password(prompt: &Prompt) -> bool {
    let question = question(prompt).to_lowercase();
    let others = OTHERS.iter().any(|word| question.contains(word));
    !prompt.echo && !others && question.contains("password")
}

/// Its last line: what stands before it is said and not asked.
fn question(prompt: &Prompt) -> &str {
    let mut lines = prompt.prompt.lines().rev();
    lines
        .find(|line| !line.trim().is_empty())
        .unwrap_or_default()
}

/// A wrong password; but sshd says the same of a right one to `root` where it lets `root` in by
/// none, which is how it comes.
fn no_password<T>(name: &str) -> Result<Option<T>, Trouble> {
    match name {
        "root" => Err(Trouble::Unsaid(ROOT.to_owned())),
        _ => Ok(None),
    }
}

fn wants_more(methods: &MethodSet) -> Trouble {
    let methods = listed(methods);
    Trouble::Unsaid(format!(
        "it took what it was shown, and wants {methods} too"
    ))
}

fn listed(methods: &MethodSet) -> String {
    let names: Vec<&str> = methods.iter().map(Into::into).collect();
    names.join(" or ")
}

const MOST_PROMPTS: usize = 4;
const OTHERS: [&str; 9] = [
    "again", "code", "confirm", "current", "new", "old", "one-time", "otp", "retype",
];
const ROOT: &str = "the password is wrong, or root may not log in by one (PermitRootLogin)";
const BAD_KEY: &str = "the administrative account's SSH key cannot be read, or has a passphrase";

#[cfg(test)]
mod tests {
    use super::*;

    fn asks(prompt: &str, echo: bool) -> bool {
        let prompt = prompt.to_owned();
        asks_for_password(&Prompt { prompt, echo })
    }

    #[test]
    fn only_what_asks_for_the_password_is_answered_with_it() {
        for question in [
            "Password: ",
            "joe@db1's password:",
            "The new code of conduct\r\nPassword:\n",
        ] {
            assert!(asks(question, false), "{question}");
        }
        for question in [
            "Verification code: ",
            "One-time password (OATH) for `joe': ",
            "OTP Password:",
            "Current password: ",
            "New password: ",
            "Retype password: ",
            "",
        ] {
            assert!(!asks(question, false), "{question}");
        }
        assert!(!asks("Password: ", true));
    }

    #[test]
    fn roots_no_may_be_about_root() {
        assert_eq!(no_password::<()>("joe"), Ok(None));
        let root = no_password::<()>("root");
        assert_eq!(root, Err(Trouble::Unsaid(ROOT.to_owned())));
    }
}
