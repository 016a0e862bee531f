//! Reading the file.

use std::fs;
use std::io;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use crate::config::{Config, ConfigError, KeySource, Size};

impl Config {
    /// Reads `DIR/claviger.toml`.
    ///
    /// # Errors
    /// [`ConfigError`] when it is missing, unreadable, writable by others than its owner, or says
    /// something that no setting may say.
    pub fn load(data: &Path) -> Result<Self, ConfigError> {
        let path = data.join(Self::FILE);
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => ConfigError::Missing { path: path.clone() },
            _ => ConfigError::Unreadable {
                path: path.clone(),
                source,
            },
        };
        let text = fs::read_to_string(&path).map_err(unreadable)?;
        let mode = fs::metadata(&path).map_err(unreadable)?.mode();
        if mode & 0o022 != 0 {
            return Err(ConfigError::Writable { path });
        }
        Self::parse(&text, &path)
    }

    /// Reads the settings from `text`; `path` is for the errors.
    ///
    /// # Errors
    /// [`ConfigError`] when it says something that no setting may say.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|error| explain(&error, text, path))?;
        config.check(path)?;
        Ok(config)
    }

    /// The same of the SSH door: which setting, and why.
    fn check_ssh(&self) -> Result<(), (&'static str, &'static str)> {
        let door = &self.doors.ssh;
        // A packet of 256KiB is the longest that the SSH library takes.
        if door.max_command > Size::from_kib(128) {
            return Err(("doors.ssh.max_command", "it must be at most 128KiB"));
        }
        // A command comes in a packet, beside what opens its channel.
        if door.max_idle_input.bytes() < door.max_command.bytes().saturating_add(32 * 1024) {
            let reason = "it must be 32KiB more than max_command at least";
            return Err(("doors.ssh.max_idle_input", reason));
        }
        // Keys are exchanged, and six tried, in less.
        if door.max_login_input < Size::from_kib(16) {
            return Err(("doors.ssh.max_login_input", "it must be at least 16KiB"));
        }
        Ok(())
    }

    /// What a single value cannot show to be wrong.
    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let refuse = |key, reason| {
            Err(ConfigError::Together {
                path: path.to_owned(),
                key,
                reason,
            })
        };
        // hyper's own least.
        if self.doors.xmlrpc.max_header < Size::from_kib(8) {
            return refuse("doors.xmlrpc.max_header", "it must be at least 8KiB");
        }
        if self.doors.rest.max_header < Size::from_kib(8) {
            return refuse("doors.rest.max_header", "it must be at least 8KiB");
        }
        if self.doors.a2a.max_header < Size::from_kib(8) {
            return refuse("doors.a2a.max_header", "it must be at least 8KiB");
        }
        if let Err((key, reason)) = self.check_ssh() {
            return refuse(key, reason);
        }
        if self.tls.ocsp_hosts.as_deref().is_some_and(<[_]>::is_empty) {
            return refuse(
                "tls.ocsp_hosts",
                "it names no host: ocsp = \"off\" asks none",
            );
        }
        if self.tls.ocsp_proxy_login.is_some() && self.tls.ocsp_proxy.is_none() {
            return refuse(
                "tls.ocsp_proxy_login",
                "there is no ocsp_proxy that it is for",
            );
        }
        let command = self.master_key.command.as_deref();
        if self.master_key.source == KeySource::Command && command.is_none_or(<[_]>::is_empty) {
            return refuse(
                "master_key.command",
                "source = \"command\" needs a command to run",
            );
        }
        Ok(())
    }
}

fn explain(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let path = path.to_owned();
    let reason = error.message().lines().collect::<Vec<_>>().join(", ");
    let at = error.span().unwrap_or(Range { start: 0, end: 0 }).start;
    let line = text.get(..at).unwrap_or(text).matches('\n').count() + 1;
    match key_on(line, text) {
        Some(key) => ConfigError::Setting {
            path,
            line,
            key,
            reason,
        },
        None => ConfigError::Malformed { path, line, reason },
    }
}

/// The setting or section that `line` (from 1) is about, with its section before it.
fn key_on(line: usize, text: &str) -> Option<String> {
    let upto: Vec<&str> = text.lines().take(line).map(str::trim).collect();
    let (this, before) = upto.split_last()?;
    if let Some(section) = header(this) {
        return Some(section.to_owned());
    }
    let (key, _) = this.split_once('=')?;
    let section = before.iter().rev().find_map(|line| header(line));
    Some(match section {
        Some(section) => format!("{section}.{}", key.trim()),
        None => key.trim().to_owned(),
    })
}

fn header(line: &str) -> Option<&str> {
    line.strip_prefix('[')?.split(']').next().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Config, String> {
        Config::parse(text, Path::new("claviger.toml")).map_err(|e| e.to_string())
    }

    #[test]
    fn the_file_that_init_writes_says_the_defaults() {
        let text = Config::default().to_commented_toml();

        assert_eq!(parse(&text), Ok(Config::default()));
        assert_eq!(parse(""), Ok(Config::default()));
    }

    #[test]
    fn every_example_in_the_file_is_one_that_it_accepts() {
        let text = Config::default().to_commented_toml();
        let shown = |line: &str| line.starts_with("# ") && line.contains(" = ");
        let uncommented: Vec<&str> = text
            .lines()
            .map(|line| {
                if shown(line) {
                    line.trim_start_matches("# ")
                } else {
                    line
                }
            })
            .collect();

        let config = parse(&uncommented.join("\n")).unwrap();

        assert_ne!(config, Config::default());
        assert!(config.tls.ocsp_proxy.is_some());
        assert!(config.master_key.command.is_some());
        assert!(config.master_key.passphrase_file.is_some());
    }

    #[test]
    fn every_setting_is_explained_in_lines_of_a_hundred() {
        let text = Config::default().to_commented_toml();
        let lines: Vec<&str> = text.lines().collect();

        for pair in lines.windows(2) {
            let setting = pair[1].contains(" = ") || pair[1].starts_with('[');
            assert!(
                !setting || pair[0].starts_with("# "),
                "{} is not explained",
                pair[1]
            );
            assert!(pair[1].len() <= 100, "{}", pair[1]);
        }
    }

    #[test]
    fn a_wrong_value_is_one_line_that_names_the_key() {
        let cases = [
            (
                "[doors.xmlrpc]\nlisten = \"\"",
                "line 2, doors.xmlrpc.listen: \"\" is neither",
            ),
            (
                "[tls]\n\nocsp_proxy = \"\"\n",
                "line 3, tls.ocsp_proxy: it is empty",
            ),
            (
                "[tls]\nocsp = \"maybe\"",
                "line 2, tls.ocsp: unknown variant `maybe`",
            ),
            (
                "[limits]\ndrain_timeout = 5",
                "line 2, limits.drain_timeout: invalid type: integer",
            ),
            (
                "[limits]\ndrain_timeout = \"0s\"",
                "line 2, limits.drain_timeout: \"0s\" is not",
            ),
            (
                "[store]\nqueue = 0",
                "line 2, store.queue: 0 is not between 1 and",
            ),
            (
                "[store]\nqueue = -1",
                "line 2, store.queue: -1 is not between 1 and",
            ),
            (
                "[store]\nqueu = 1",
                "line 2, store.queu: unknown field `queu`",
            ),
            ("[stor]\nqueue = 1", "line 1, stor: unknown field `stor`"),
            ("[audit]\nsegment =", "line 2, audit.segment: "),
            (
                "[audit]\nsegment = \"1MiB\"\nsegment = \"2MiB\"",
                "line 3, audit.segment: duplicate key",
            ),
            ("nonsense", "line 1: "),
            (
                "[master_key]\nsource = \"command\"",
                "master_key.command: source = \"command\" needs",
            ),
            (
                "[master_key]\ncommand = [\"\"]",
                "line 2, master_key.command: it is empty",
            ),
            ("[tls]\nocsp_hosts = []", "tls.ocsp_hosts: it names no host"),
            (
                "[tls]\nocsp_proxy_login = \"login\"",
                "tls.ocsp_proxy_login: there is no ocsp_proxy",
            ),
            (
                "[doors.xmlrpc]\nmax_header = \"4KiB\"",
                "doors.xmlrpc.max_header: it must be at least",
            ),
            (
                "[doors.rest]\nmax_header = \"4KiB\"",
                "doors.rest.max_header: it must be at least",
            ),
        ];

        for (text, expected) in cases {
            let error = parse(text).unwrap_err();
            assert!(
                error.starts_with(&format!("claviger.toml, {expected}")),
                "{error}"
            );
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn the_limits_of_the_ssh_door_fit_together() {
        for (text, why) in [
            (
                "max_command = \"1MiB\"",
                "max_command: it must be at most 128KiB",
            ),
            (
                "max_idle_input = \"32KiB\"",
                "max_idle_input: it must be 32KiB more",
            ),
            (
                "max_login_input = \"1KiB\"",
                "max_login_input: it must be at least",
            ),
        ] {
            let wrong = parse(&format!("[doors.ssh]\n{text}")).unwrap_err();
            assert!(wrong.contains(&format!("doors.ssh.{why}")), "{wrong}");
        }
    }

    #[test]
    fn a_file_that_others_may_write_is_refused_and_a_missing_one_says_what_to_do() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let missing = Config::load(dir.path()).unwrap_err();
        let path = dir.path().join(Config::FILE);
        fs::write(&path, "").unwrap();
        let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();

        assert!(matches!(missing, ConfigError::Missing { .. }));
        set(0o620);
        assert!(matches!(
            Config::load(dir.path()),
            Err(ConfigError::Writable { .. })
        ));
        set(0o602);
        assert!(matches!(
            Config::load(dir.path()),
            Err(ConfigError::Writable { .. })
        ));
        set(0o644);
        assert_eq!(Config::load(dir.path()).unwrap(), Config::default());
    }
}
