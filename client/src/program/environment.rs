//! `exec`: a program with passwords in its environment.

use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::program::options::{Exec, Reach};
use crate::program::source::{Source, Wanted};
use crate::program::trouble::Trouble;

/// Puts the program in place of this one: it has the passwords in its environment, the same
/// process id, and nothing of them among its arguments.
pub(super) async fn run(exec: Exec, reach: Reach) -> Result<(), Trouble> {
    let Some((program, arguments)) = exec.program.split_first() else {
        return Err(Trouble::Usage("the program is missing".to_owned()));
    };
    let variables = exec
        .env
        .iter()
        .map(|text| variable(text))
        .collect::<Result<Vec<_>, _>>()?;
    let source = Source::new(exec.ask.agent, reach)?;
    let mut command = Command::new(program);
    command.args(arguments);
    for (name, resource, account) in variables {
        let wanted = Wanted::new(resource, account, &exec.why);
        let password = source.retrieve(&wanted).await?;
        if password.expose().contains('\0') {
            let words = format!("the password for {name} holds a zero byte: no variable can");
            return Err(Trouble::Usage(words));
        }
        command.env(name, password.expose());
    }
    // It comes back only where it cannot.
    let source = command.exec();
    let program = program.to_string_lossy().into_owned();
    Err(Trouble::Run { program, source })
}

/// Reads `NAME=RESOURCE/ACCOUNT`.
fn variable(text: &str) -> Result<(&str, &str, &str), Trouble> {
    let wrong = || Trouble::Usage("--env is written NAME=RESOURCE/ACCOUNT".to_owned());
    let (name, target) = text.split_once('=').ok_or_else(wrong)?;
    let (resource, account) = target.rsplit_once('/').ok_or_else(wrong)?;
    let sound = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let begins = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if !begins || !name.chars().all(sound) || resource.is_empty() || account.is_empty() {
        return Err(wrong());
    }
    Ok((name, resource, account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_has_a_name_a_resource_and_an_account() {
        let read = variable("DB_PASSWORD=a=b/c/root").unwrap();
        assert_eq!(read, ("DB_PASSWORD", "a=b/c", "root"));
        for text in [
            "", "A", "A=", "A=b", "A=/b", "A=b/", "=a/b", "1A=a/b", "A B=a/b", "é=a/b",
        ] {
            assert!(variable(text).is_err(), "{text}");
        }
    }
}
