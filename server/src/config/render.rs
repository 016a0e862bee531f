//! Writing the file with every setting explained.

use crate::config::Config;
use crate::config::section::{Section, Setting};

const HEAD: &str = "\
# The settings of a Claviger server.
#
# A setting that is missing, or has a # before it, has the default shown here. One that is empty,
# unknown or malformed stops the start. Spans of time are written 250ms, 10s, 5m, 1h, 30d; sizes
# 512B, 16KiB, 1MiB, 2GiB; files and folders are beside this file unless they begin with /.
# The server reads this file when it starts.
";

impl Config {
    /// The text of a file with these settings, each explained.
    #[must_use]
    pub fn to_commented_toml(&self) -> String {
        let mut text = HEAD.to_owned();
        section("doors.xmlrpc", &self.doors.xmlrpc, &mut text);
        section("doors.rest", &self.doors.rest, &mut text);
        section("doors.ssh", &self.doors.ssh, &mut text);
        section("doors.a2a", &self.doors.a2a, &mut text);
        section("tls", &self.tls, &mut text);
        section("health", &self.health, &mut text);
        section("admin", &self.admin, &mut text);
        section("store", &self.store, &mut text);
        section("audit", &self.audit, &mut text);
        section("master_key", &self.master_key, &mut text);
        section("log", &self.log, &mut text);
        section("limits", &self.limits, &mut text);
        section("reset", &self.reset, &mut text);
        section("ha", &self.ha, &mut text);
        text
    }
}

fn section<S: Section>(name: &str, section: &S, text: &mut String) {
    text.push_str("\n\n");
    comment(S::ABOUT, text);
    text.push_str(&format!("[{name}]\n"));
    for setting in section.settings() {
        line(&setting, text);
    }
}

fn line(setting: &Setting, text: &mut String) {
    text.push('\n');
    comment(setting.about, text);
    let name = setting.name;
    match (&setting.value, setting.example) {
        (Some(value), _) => text.push_str(&format!("{name} = {value}\n")),
        (None, Some(example)) => text.push_str(&format!("# {name} = {example}\n")),
        (None, None) => text.push_str(&format!("# {name} =\n")),
    }
}

fn comment(lines: &[&str], text: &mut String) {
    for line in lines {
        text.push_str(&format!("#{line}\n"));
    }
}
