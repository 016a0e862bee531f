//! The cases of a command, and what holds for all of them.

use proptest::prelude::{Strategy, any, prop_oneof, proptest};
use proptest::sample::select;

use super::*;

/// The values that were given, in the order of [`Name::ALL`].
fn given(text: &str) -> Result<Vec<(&'static str, String)>, String> {
    let command = Command::parse(text.as_bytes()).map_err(|usage| usage.to_string())?;
    let said = Name::ALL
        .into_iter()
        .map(|name| (name.as_str(), command.get(name).to_owned()));
    Ok(said.filter(|(_, value)| !value.is_empty()).collect())
}

#[track_caller]
fn reads(text: &str, values: &[(&'static str, &str)]) {
    let expected: Vec<_> = values
        .iter()
        .map(|(name, value)| (*name, (*value).to_owned()))
        .collect();
    assert_eq!(given(text), Ok(expected), "{text}");
}

#[track_caller]
fn refuses(text: &str, why: &str) {
    let told = given(text).unwrap_err();
    assert!(told.starts_with(why), "{text}: {told}");
}

#[test]
fn the_seeds_lines_are_read() {
    reads(
        "RETRIEVE --resource=test-server --account=root --reason=Testing password retrieval using ssh client API",
        &[
            ("resource", "test-server"),
            ("account", "root"),
            ("reason", "Testing password retrieval using ssh client API"),
        ],
    );
    reads(
        "RESET_REMOTE --resource=test-server --account=root --newpassword=rootnew --reason=Rotating Password",
        &[
            ("resource", "test-server"),
            ("account", "root"),
            ("newpassword", "rootnew"),
            ("reason", "Rotating Password"),
        ],
    );
    reads(
        "CREATE --resource=testresource --account=testaccount --newpassword=test password --resourcetype=Windows --notes=A New resource is added",
        &[
            ("resource", "testresource"),
            ("account", "testaccount"),
            ("newpassword", "test password"),
            ("resourcetype", "Windows"),
            ("notes", "A New resource is added"),
        ],
    );
}

#[test]
fn the_seeds_own_slips_are_refused_with_the_blank_that_is_missing() {
    refuses(
        "RESET_LOCAL --resource=test-server --account=root--newpassword=rootnew --reason=Rotating Password",
        "there is no blank before --newpassword=",
    );
    refuses(
        "CREATE --resource=testresource --account=testaccount --newpassword=test password--resourcetype=Windows--notes=A New resource is added",
        "there is no blank before --resourcetype=",
    );
}

#[test]
fn options_come_in_any_order_and_values_are_kept_to_the_letter() {
    reads(
        "  RETRIEVE   --account=a b   --resource=-x--y -- z",
        &[("resource", "-x--y -- z"), ("account", "a b")],
    );
    reads(
        "RETRIEVE --resource=it's \"so\" --account=x=y --ticketid=4711",
        &[
            ("resource", "it's \"so\""),
            ("account", "x=y"),
            ("ticketid", "4711"),
        ],
    );
    reads(
        "RETRIEVE --resource=r --account=a --reason=",
        &[("resource", "r"), ("account", "a")],
    );
    reads("LIST", &[]);
    reads("HELP ", &[]);
}

#[test]
fn a_password_holds_dashes_where_no_option_could_begin_or_in_quotes() {
    for (said, password) in [
        ("test-pass--word-", "test-pass--word-"),
        ("-test pass-word", "-test pass-word"),
        ("'test -password --x'", "test -password --x"),
    ] {
        reads(
            &format!("RESET_LOCAL --resource=r --account=a --newpassword={said} --reason=b - c"),
            &[
                ("resource", "r"),
                ("account", "a"),
                ("newpassword", password),
                ("reason", "b - c"),
            ],
        );
    }
}

#[test]
fn a_quoted_value_ends_at_its_quote_and_holds_what_it_says() {
    reads(
        r#"RESET_LOCAL --resource="a --account=b" --account='c d' --newpassword=' \'x\\ --reason="y'"#,
        &[
            ("resource", "a --account=b"),
            ("account", "c d"),
            ("newpassword", r#" 'x\ --reason="y"#),
        ],
    );
    refuses(
        "RETRIEVE --resource='a --account=b",
        "a quote is not closed",
    );
    refuses(
        "RETRIEVE --resource='a'--account=b",
        "behind a closing quote",
    );
    refuses(
        "RETRIEVE --resource='a'b --account=b",
        "behind a closing quote",
    );
    refuses(
        r"RETRIEVE --resource='a\n' --account=b",
        "in quotes, \\ stands",
    );
    refuses(
        "RETRIEVE --resource='a' and --account=b",
        "here stands no option",
    );
}

#[test]
fn what_could_mean_two_things_is_refused() {
    for (text, why) in [
        (
            "RETRIEVE --resource=a --acount=b",
            "there is an option that it does not know",
        ),
        (
            "CREATE --resource=a --account=b --note=c",
            "there is an option that it does not know",
        ),
        (
            "RETRIEVE --resource=a --account=b --reason c",
            "an option is written with its value",
        ),
        (
            "RETRIEVE --resource=a --account=b --reason",
            "an option is written with its value",
        ),
        (
            "RETRIEVE --resource=a --account=b --notes=c",
            "it takes no --notes=",
        ),
        (
            "RETRIEVE --resource=a --account=b --account=b",
            "--account= is there twice",
        ),
        (
            "RETRIEVE --resource=a --reason= --account=b --reason=",
            "--reason= is there twice",
        ),
        ("RETRIEVE --resource=a", "--account= is missing"),
        (
            "RETRIEVE --resource= --account= --reason=",
            "--resource= is missing",
        ),
        ("RETRIEVE a b", "here stands no option"),
        ("RETRIEVE -resource=a", "here stands no option"),
        ("RETRIEVE --RESOURCE=a --account=b", "here stands no option"),
        (
            "RESET_LOCAL --resource=a --account=b --newpassword=",
            "--newpassword= is empty",
        ),
        (
            "RESET_LOCAL --resource=a --account=b --newpassword=--reason=x",
            "there is no blank",
        ),
        (
            "RESET_LOCAL --resource=a --account=b --newpassword=x ",
            "quote a password",
        ),
        (
            "RESET_LOCAL --resource=a --account=b --newpassword= x",
            "quote a password",
        ),
        (
            "RESET_LOCAL --resource=a --account=b --newpassword=x  --reason=y",
            "quote a password",
        ),
        (
            "RESET_LOCAL --resource=a --account=b --newpassword=rootnew --resaon Rotating",
            "quote a password that holds a blank with a dash behind it",
        ),
        (
            "RESET_LOCAL --resource=a --account=b --newpassword=rootnew -reason=Rotating",
            "quote a password that holds a blank with a dash behind it",
        ),
        (
            "RESET_LOCAL --resource=a --account=b --newpassword=rootnew \u{2013}reason=x --reason=y",
            "quote a password that holds a blank with a dash behind it",
        ),
        (
            "CREATE --resource=a --account=b --newpassword=rootnew \u{2014} x",
            "quote a password that holds a blank with a dash behind it",
        ),
        ("HELP ME", "here stands no option"),
    ] {
        refuses(text, why);
    }
}

#[test]
fn a_mistyped_option_is_swallowed_by_no_value() {
    for slip in [
        "-newpassword=hunter2",
        "newpassword=hunter2",
        "NewPassword=hunter2",
        "newpassword =hunter2",
        "new_password: hunter2",
        "password=hunter2",
        "\u{2013}newpassword=hunter2",
        "\u{2014}newpassword hunter2",
        "\u{2212}p hunter2",
        "--newpassword:hunter2",
        "--Newpassword hunter2",
        "--password hunter2",
        "--newpasswd hunter2",
        "-p hunter2",
        "\u{a0}\u{2013}newpassword=hunter2",
    ] {
        for said in ["--reason=nightly run", "--ticketid=5", "--reason="] {
            for more in ["", " --ticketid=6", " --reason=x"] {
                let text = format!("RESET_LOCAL --resource=r --account=a {said} {slip}{more}");
                refuses(&text, "quote a value in which a word begins with a dash");
                assert!(!given(&text).unwrap_err().contains("hunter2"), "{text}");
            }
        }
        for said in ["--resource=r --account=a", "--account=a --resource=r"] {
            let text = format!("CREATE {said} {slip}");
            refuses(&text, "quote a value in which a word begins with a dash");
        }
    }
}

#[test]
fn free_text_with_the_likeness_of_an_option_is_quoted() {
    reads(
        "RESET_LOCAL --resource=r --account=a --reason='as -p said: password=x'",
        &[
            ("resource", "r"),
            ("account", "a"),
            ("reason", "as -p said: password=x"),
        ],
    );
    reads(
        "RESET_LOCAL --resource=web-1 b --account=-a --reason=why - because: x=1 -5 -- the reason",
        &[
            ("resource", "web-1 b"),
            ("account", "-a"),
            ("reason", "why - because: x=1 -5 -- the reason"),
        ],
    );
}

#[test]
fn what_is_no_command_names_those_there_are() {
    for text in [
        "",
        " ",
        "retrieve",
        "RETRIEVE;id",
        "scp -t /",
        "/bin/sh",
        "RETRIEVE\u{a0}--resource=a",
    ] {
        refuses(
            text,
            "there is no such command: there are RETRIEVE, RESET_LOCAL",
        );
    }
}

#[test]
fn a_command_is_one_line_of_text() {
    for text in [
        "RETRIEVE --resource=a\n--account=b",
        "RETRIEVE --resource=a --account=b\r\n",
        "RETRIEVE --resource=a\0 --account=b",
        "RETRIEVE --resource=a --account=b\t--reason=c",
        "RETRIEVE --resource=a --account=b --reason='\u{1b}[2J'",
        "RETRIEVE --resource=a --account=b\u{9b}",
    ] {
        refuses(text, "a command is one line");
    }
    let bytes = b"RETRIEVE --resource=\xff --account=b";
    let told = Command::parse(bytes).unwrap_err().to_string();
    assert_eq!(told, "a command is text in UTF-8");
}

#[test]
fn words_for_the_caller_never_hold_what_was_sent() {
    for text in [
        "RESET_LOCAL --resource=a --account=b --newpassword=hunter2--reason=x",
        "RESET_LOCAL --resource=a --account=b --newpassword=x --hunter2=y",
        "RESET_LOCAL --resource=a --account=b --newpassword='hunter2",
        "RESET_LOCAL --resource=a --account=b --newpassword='x'hunter2",
        "RESET_LOCAL --resource=a --account=b --newpassword=hunter2 --newpassword=x",
        "RESET_LOCAL hunter2",
        "hunter2",
    ] {
        let told = given(text).unwrap_err();
        assert!(!told.contains("hunter2"), "{told}");
    }
    let command = Command::parse(b"RESET_LOCAL --resource=a --account=b --newpassword=hunter2");
    assert_eq!(format!("{command:?}"), "Ok(Command(RESET_LOCAL))");
}

/// Any text of one line, with what is special more often than chance has it.
fn line() -> impl Strategy<Value = String> {
    let plain = any::<char>().prop_filter("one line", |sign| !sign.is_control());
    let special: Vec<char> = "-- =='\"\\  resonacutpwd".chars().collect();
    proptest::collection::vec(prop_oneof![plain, select(special)], 0..24)
        .prop_map(String::from_iter)
}

/// Without the two dashes, the blanks at its ends and the likeness of an option, which need quotes.
fn plain() -> impl Strategy<Value = String> {
    let plain = line().prop_map(|text| {
        let text: String = text.split("--").collect();
        text.trim_matches(['\'', '"', ' ', '-']).to_owned()
    });
    plain.prop_filter("nothing like an option", |text| !has_likeness(text))
}

fn in_quotes(text: &str, quote: char) -> String {
    let mut out = String::from(quote);
    for sign in text.chars() {
        if matches!(sign, '\\' | '\'' | '"') {
            out.push('\\');
        }
        out.push(sign);
    }
    out.push(quote);
    out
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _read = Command::parse(&bytes);
    }

    #[test]
    fn any_line_is_read_or_refused_and_holds_no_option_unquoted(text in line()) {
        let text = format!("RESET_LOCAL --resource=r --account=a --newpassword={text}");
        if let Ok(mut command) = Command::parse(text.as_bytes())
            && !text.contains(['\'', '"'])
        {
            let password = command.take_password();
            assert!(Name::ALL.iter().all(|name| !password.contains(&format!("--{}=", name.as_str()))));
            assert!(text.contains(password.as_str()));
        }
    }

    #[test]
    fn what_is_quoted_comes_out_as_it_went_in(value in line(), quote in select(vec!['\'', '"'])) {
        let quoted = in_quotes(&value, quote);
        let text = format!("RETRIEVE --reason={quoted} --account=a --resource=r");
        let command = Command::parse(text.as_bytes()).unwrap();

        assert_eq!(command.get(Name::Reason), value);
        assert_eq!((command.get(Name::Account), command.get(Name::Resource)), ("a", "r"));
    }

    #[test]
    fn what_is_plain_comes_out_as_it_went_in(value in plain(), other in plain()) {
        let text = format!("RETRIEVE --reason={value} --resource=r --ticketid={other} --account=a");
        let command = Command::parse(text.as_bytes()).unwrap();

        assert_eq!(command.get(Name::Reason), value);
        assert_eq!(command.get(Name::TicketId), other);
    }
}
