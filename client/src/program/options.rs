//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, Args, CommandFactory, Parser, Subcommand};

/// Asks Claviger for passwords, so that no script carries them.
#[derive(Parser)]
#[command(
    name = "claviger-client",
    version,
    subcommand_required = true,
    arg_required_else_help = false,
    after_help = STATUSES
)]
pub(super) struct Line {
    #[command(flatten)]
    pub(super) reach: Reach,
    #[command(subcommand)]
    pub(super) command: Command,
}

/// Where the server is, and who asks: a file says it, or these options.
#[derive(Args, Clone)]
#[command(next_help_heading = "Server and certificate")]
pub(super) struct Reach {
    /// PMP_API.conf or JAVA_API.conf
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "CLAVIGER_CONF",
        hide_env_values = true
    )]
    pub(super) conf: Option<PathBuf>,
    /// The server, in place of --conf; port 7070 unless another is said
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    pub(super) server: Option<String>,
    /// The server that answers retrievals while the first is down
    #[arg(long, global = true, value_name = "HOST[:PORT]")]
    pub(super) secondary: Option<String>,
    /// The client certificate (PEM or DER)
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) cert: Option<PathBuf>,
    /// Its private key
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,
    /// The CA of the server's certificate, or that certificate itself
    #[arg(long, global = true, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// How long connecting may take, handshake included: 5s, 1m
    #[arg(
        long,
        global = true,
        value_name = "TIME",
        default_value = "5s",
        value_parser = duration,
        env = "CLAVIGER_CONNECT_TIMEOUT"
    )]
    pub(super) connect_timeout: Duration,
    /// How long one attempt may take, once connected
    #[arg(long, global = true, value_name = "TIME", default_value = "30s", value_parser = duration)]
    pub(super) timeout: Duration,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Print the password of an account, alone
    #[command(name = "RETRIEVE", alias = "retrieve")]
    Retrieve(Retrieve),
    /// Change the password of an account in the vault
    #[command(name = "RESET_LOCAL", alias = "reset_local")]
    ResetLocal(Reset),
    /// Change the password of an account on the resource itself, and then in the vault
    #[command(name = "RESET_REMOTE", alias = "reset_remote")]
    ResetRemote(Reset),
    /// Create a resource with an account
    #[command(name = "CREATE", alias = "create")]
    Create(Create),
    /// Print the manual page, or write one for every command
    #[command(
        name = "man",
        after_help = "Example:\n  claviger-client man --out /usr/local/share/man/man1"
    )]
    Man(Man),
    /// Run a program with passwords in its environment
    #[cfg(unix)]
    #[command(
        after_help = "Example:\n  claviger-client exec --env DB_PASSWORD=db1/app -- ./nightly --full"
    )]
    Exec(Exec),
    /// Answer for the server on a Unix socket, and for a stated time without it
    #[cfg(unix)]
    #[command(
        after_help = "Example:\n  claviger-client --conf PMP_API.conf agent --socket /run/app/agent/sock --keep 10m"
    )]
    Agent(Agent),
}

/// Which account.
#[derive(Args)]
pub(super) struct Target {
    /// The resource, exactly as it is called
    pub(super) resource: String,
    /// The account, exactly as it is called
    pub(super) account: String,
}

/// Why a password is wanted, where that is demanded.
#[derive(Args)]
pub(super) struct Why {
    /// The reason, where one is demanded
    #[arg(long, value_name = "TEXT")]
    pub(super) reason: Option<String>,
    /// The ticket, where one is demanded
    #[arg(long, value_name = "ID")]
    pub(super) ticket: Option<String>,
}

/// Whom to ask.
#[derive(Args)]
pub(super) struct Ask {
    /// The socket of an agent that is asked in place of the server
    #[arg(
        long,
        value_name = "SOCKET",
        env = "CLAVIGER_AGENT",
        hide_env_values = true
    )]
    pub(super) agent: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Man {
    /// Write claviger-client.1, claviger-client-RETRIEVE.1, … into this folder
    #[arg(long, value_name = "FOLDER")]
    pub(super) out: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct Retrieve {
    #[command(flatten)]
    pub(super) target: Target,
    #[command(flatten)]
    pub(super) why: Why,
    #[command(flatten)]
    pub(super) ask: Ask,
}

#[derive(Args)]
#[command(after_help = VISIBLE)]
pub(super) struct Reset {
    #[command(flatten)]
    pub(super) target: Target,
    /// The new password; `-` reads it from standard input
    #[arg(
        value_name = "NEW_PASSWORD",
        required_unless_present = "generate",
        allow_hyphen_values = true
    )]
    pub(super) password: Option<String>,
    /// Have the server generate it; it is printed on a second line
    #[arg(long, conflicts_with = "password")]
    pub(super) generate: bool,
    #[command(flatten)]
    pub(super) why: Why,
}

#[derive(Args)]
#[command(after_help = VISIBLE)]
pub(super) struct Create {
    #[command(flatten)]
    pub(super) target: Target,
    /// The password; `-` reads it from standard input. Without one the server generates it, and it
    /// is printed on a second line
    #[arg(value_name = "PASSWORD", allow_hyphen_values = true)]
    pub(super) password: Option<String>,
    /// What kind of thing the resource is [default: ResourceType of the file, or Linux]
    #[arg(long = "type", value_name = "TYPE")]
    pub(super) kind: Option<String>,
    /// What else there is to know
    #[arg(long, value_name = "TEXT")]
    pub(super) notes: Option<String>,
}

#[cfg(unix)]
#[derive(Args)]
pub(super) struct Exec {
    /// A variable and the account whose password it gets; the account begins behind the last `/`.
    /// May be given several times
    #[arg(long, value_name = "NAME=RESOURCE/ACCOUNT", required = true)]
    pub(super) env: Vec<String>,
    #[command(flatten)]
    pub(super) why: Why,
    #[command(flatten)]
    pub(super) ask: Ask,
    /// The program and its arguments, behind `--`
    #[arg(last = true, required = true, value_name = "PROGRAM")]
    pub(super) program: Vec<OsString>,
}

#[cfg(unix)]
#[derive(Args)]
pub(super) struct Agent {
    /// The socket to make, in a folder that is its owner's alone; the folder is made where there is
    /// none
    #[arg(long, value_name = "PATH")]
    pub(super) socket: PathBuf,
    /// How long a password is answered without the server, from when the server gave it: 90s, 10m
    #[arg(long, value_name = "TIME", default_value = "10m", value_parser = duration)]
    pub(super) keep: Duration,
    /// The most passwords that are kept
    #[arg(long, value_name = "NUMBER", default_value_t = 1000)]
    pub(super) most: usize,
    /// The most programs that are served at once
    #[arg(long, value_name = "NUMBER", default_value_t = 64)]
    pub(super) clients: usize,
}

/// Reads `30s`, `10m`, `2h`.
fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || "a time is a number with s, m or h, like 90s".to_owned();
    let unit = text.chars().next_back().ok_or_else(wrong)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        _ => return Err(wrong()),
    };
    let number = text.strip_suffix(unit).unwrap_or_default();
    let number: u32 = number.parse().map_err(|_| wrong())?;
    if number == 0 {
        return Err("the time is longer than none".to_owned());
    }
    Ok(Duration::from_secs(u64::from(number) * seconds))
}

/// What is wrong with a command line, in one line without anything of what was typed that may be a
/// password.
pub(super) fn complaint(wrong: &clap::Error) -> String {
    let named = match wrong.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(name)) => name.clone(),
        Some(ContextValue::Strings(names)) => names.join(" "),
        _ => String::new(),
    };
    let what = match wrong.kind() {
        ErrorKind::MissingRequiredArgument => format!("{named} is missing"),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "the command is missing".to_owned()
        }
        ErrorKind::InvalidSubcommand => "there is no such command".to_owned(),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            format!("the value of {named} makes no sense")
        }
        ErrorKind::ArgumentConflict => format!("{named} does not go with the rest"),
        // What is unknown is a word that was typed.
        _ => "there is an unknown option, or a word too many: quote what holds blanks".to_owned(),
    };
    format!("{what} (claviger-client --help says more)")
}

/// Whether help is asked for behind the names of what is to be changed: there a password was meant,
/// and nobody who set none may be told that all is well.
pub(super) fn is_help_behind_names(words: impl IntoIterator<Item = OsString>) -> bool {
    let mut line = Line::command().ignore_errors(true);
    for name in CHANGES {
        line = line.mut_subcommand(name, |command| {
            let help = Arg::new("help").long("help").short('h');
            command
                .disable_help_flag(true)
                .arg(help.action(ArgAction::SetTrue))
        });
    }
    line.try_get_matches_from(words).is_ok_and(|found| {
        let change = found
            .subcommand()
            .filter(|(name, _)| CHANGES.contains(name));
        change.is_some_and(|(_, given)| given.contains_id("resource"))
    })
}

const CHANGES: [&str; 3] = ["RESET_LOCAL", "RESET_REMOTE", "CREATE"];

pub(super) const HELP_BEHIND_NAMES: &str = "help stands right behind the command, and nothing was \
    done: a password that looks like an option is written behind `--`, or read by `-`";

const STATUSES: &str =
    "Exit status: 0 done; 1 refused, or there is no such thing; 2 the command line or the
configuration makes no sense; 3 a rule demands more: a reason, a ticket, a better password;
4 the password could not be changed on the resource itself; 5 the server cannot be had, or only
reads. `exec` ends as its program does; 126 or 127 where that cannot be run.

What goes wrong is one line on standard error that begins with `ERROR: `.";

const VISIBLE: &str = "A password among the arguments stands in the list of processes, where every \
user of this machine reads it: give `-` and the password on standard input instead. One that \
looks like an option of this program is taken for that: write `-- \"$PASSWORD\"`, or `-`.";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Line, clap::Error> {
        Line::try_parse_from([&["claviger-client"], words].concat())
    }

    fn told(words: &[&str]) -> String {
        complaint(&parse(words).err().unwrap())
    }

    #[test]
    fn the_definitions_hold_together() {
        <Line as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn a_password_that_begins_with_a_hyphen_is_a_password() {
        for word in ["-", "--x", "-rf", "--", "-1"] {
            let words = if word == "--" {
                vec!["RESET_LOCAL", "r", "a", "--", word]
            } else {
                vec!["RESET_LOCAL", "r", "a", word]
            };
            let line = parse(&words).unwrap();
            let Command::ResetLocal(reset) = line.command else {
                panic!("another command");
            };
            assert_eq!(reset.password.as_deref(), Some(word));
        }
        let line = parse(&["RESET_LOCAL", "r", "a", "-x", "--reason", "why"]).unwrap();
        let Command::ResetLocal(reset) = line.command else {
            panic!("another command");
        };
        assert_eq!(reset.password.as_deref(), Some("-x"));
        assert_eq!(reset.why.reason.as_deref(), Some("why"));
    }

    #[test]
    fn help_is_asked_for_behind_the_command_and_not_in_place_of_a_password() {
        let asked = |words: &[&str]| {
            let words = [&["claviger-client", "--conf", "f"], words].concat();
            is_help_behind_names(words.into_iter().map(OsString::from))
        };
        for words in [
            &["RESET_LOCAL", "r", "a", "--help"][..],
            &["RESET_LOCAL", "r", "a", "-h"],
            &["reset_remote", "r", "a", "--help", "--reason", "why"],
            &["CREATE", "r", "a", "pass", "--help"],
            &["CREATE", "r", "--help"],
        ] {
            assert!(asked(words), "{words:?}");
        }
        for words in [
            &["--help"][..],
            &["help", "CREATE"],
            &["CREATE", "--help"],
            &["RESET_LOCAL", "-h"],
            &["RETRIEVE", "CREATE", "a", "--help"],
        ] {
            assert!(!asked(words), "{words:?}");
        }
        let behind = parse(&["RESET_LOCAL", "r", "a", "--", "--help"]).unwrap();
        let Command::ResetLocal(reset) = behind.command else {
            panic!("another command");
        };
        assert_eq!(reset.password.as_deref(), Some("--help"));
    }

    #[test]
    fn nothing_of_what_was_typed_is_repeated_where_it_may_be_a_password() {
        for words in [
            &["RESET_LOCAL", "r", "a", "can", "ary"][..],
            &["CREATE", "r", "a", "can", "ary"],
            &["RETRIEVE", "r", "a", "canary"],
            &["RETRIEVE", "r", "a", "--canary"],
            &["canary"],
        ] {
            let told = told(words);
            assert!(!told.contains("ary"), "{told}");
        }
        assert!(told(&["RETRIEVE", "r"]).contains("<ACCOUNT> is missing"));
        assert!(told(&["RESET_LOCAL", "r", "a"]).contains("NEW_PASSWORD"));
    }

    #[test]
    fn a_time_is_a_number_with_its_unit() {
        assert_eq!(duration("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("2h"), Ok(Duration::from_secs(7200)));
        for text in [
            "",
            "s",
            "10",
            "0s",
            "-1s",
            "1d",
            "1.5m",
            "99999999999s",
            "é",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
