use proptest::prelude::*;
use serde_json::json;

use super::*;

const TABLE: Table = Table {
    names: &[
        "Id",
        "Name",
        "Disabled",
        "Tags",
        "Note",
        "At",
        "Off",
        "Asset.Name",
        "AssetName",
    ],
    renamed: &[("AssetName", "SystemName")],
    aliases: &[("Name", "Title")],
};

fn row() -> Value {
    json!({
        "Id": 7,
        "Name": "it's Bob",
        "Disabled": false,
        "Tags": ["red", "blue"],
        "Note": null,
        "At": "2026-11-22T20:09:24.551Z",
        "Off": 0,
        "Asset": {"Name": "db-1"},
        "AssetName": "db-1",
    })
}

fn holds(filter: &str) -> bool {
    let filter = Filter::parse(filter, &TABLE).unwrap_or_else(|fault| panic!("{filter}: {fault}"));
    filter.holds(&row())
}

#[test]
fn every_operator_says_yes_and_no() {
    let table = [
        ("Id eq 7", "Id eq 8"),
        ("Id eq '7'", "Id eq '07x'"),
        ("Id ne 8", "Id ne 7"),
        ("Id gt 6", "Id gt 7"),
        ("Id ge 7", "Id ge 8"),
        ("Id lt 10", "Id lt 7"),
        ("Id le 7", "Id le 6.5"),
        ("Name contains \"Bob\"", "Name contains \"bob\""),
        ("Name icontains 'BOB'", "Name icontains 'rob'"),
        ("AssetName eq 'db-1'", "AssetName eq 'DB-1'"),
        ("AssetName ieq 'DB-1'", "AssetName ieq 'DB-'"),
        ("Name sw 'it'", "Name sw 'IT'"),
        ("Name isw 'IT'", "Name isw 'Bob'"),
        ("Name ew 'Bob'", "Name ew 'bob'"),
        ("Name iew 'BOB'", "Name iew 'it'"),
        ("Id in [1, 7]", "Id in [1,8]"),
        ("AssetName in ['a','db-1']", "AssetName in ['a']"),
        ("Disabled eq false", "Disabled eq true"),
        ("Disabled ne TRUE", "Disabled ne False"),
        ("Note eq null", "Note ne null"),
        ("Id ne null", "Id eq null"),
        ("Tags contains 'red'", "Tags contains 'green'"),
        ("Tags eq 'blue'", "Tags ne 'blue'"),
        ("Name gt 'a'", "Name gt 'z'"),
        ("At gt 2026-11-22T20:09:24Z", "At lt 2026-11-22T20:09:24Z"),
        (
            "At ge '2026-11-22T21:09:00+01:00'",
            "At ge '2026-11-22T21:10:00+01:00'",
        ),
        (
            "At eq '2026-11-22T15:09:24.551-05:00'",
            "At eq '2026-11-22T20:09:24Z'",
        ),
        ("Off eq false", "Off eq true"),
        ("Off eq 0", "Off ne false"),
        ("Disabled eq 0", "Disabled eq 1"),
    ];

    for (yes, no) in table {
        assert!(holds(yes), "{yes}");
        assert!(!holds(no), "{no}");
    }
}

#[test]
fn names_and_operators_have_no_case_and_old_names_count() {
    for yes in [
        "nAmE EQ 'it\\'s Bob'",
        "SYSTEMNAME eq 'db-1'",
        "title Sw 'it'",
        "asset.name eq 'db-1'",
    ] {
        assert!(holds(yes), "{yes}");
    }
}

#[test]
fn not_binds_before_and_and_and_before_or() {
    let table = [
        ("Id eq 7 or Id eq 1 and Id eq 2", true),
        ("(Id eq 7 or Id eq 1) and Id eq 2", false),
        ("not Id eq 1 and Id eq 7", true),
        ("not (Id eq 1 or Id eq 7)", false),
        ("NOT NOT Id eq 7 AND ((Id eq 7))", true),
    ];

    for (filter, expected) in table {
        assert_eq!(holds(filter), expected, "{filter}");
    }
}

#[test]
fn what_is_no_filter_is_refused_with_its_code() {
    let table = [
        ("Nmae eq 'x'", 70009),
        ("Name startswith 'x'", 70003),
        ("Name eq", 70003),
        ("Name eq x", 70003),
        ("Name", 70003),
        ("", 70003),
        ("()", 70003),
        ("(Id eq 1", 70003),
        ("Id eq 1)", 70003),
        ("Id in []", 70003),
        ("Id in [1", 70003),
        ("Id in 1", 70003),
        ("Id not in [1]", 70003),
        ("Id eq 1 and", 70003),
        ("and Id eq 1", 70009),
        ("Id eq 1 Id eq 2", 70003),
        ("Id eq 1, 2", 70003),
        ("'Id' eq 1", 70003),
    ];

    for (filter, code) in table {
        let refused = Filter::parse(filter, &TABLE).map_err(|fault| fault.code());
        assert_eq!(refused, Err(code), "{filter}");
    }
}

#[test]
fn a_filter_is_nested_so_deep_and_has_so_many_words() {
    let nested = |depth| format!("{}Id eq 7{}", "(".repeat(depth), ")".repeat(depth));
    assert!(holds(&nested(DEEPEST - 1)));
    assert!(Filter::parse(&nested(DEEPEST), &TABLE).is_err());
    assert!(Filter::parse(&"not ".repeat(DEEPEST), &TABLE).is_err());

    let list = |count: usize| format!("Id in [{}7]", "1,".repeat(count));
    assert!(holds(&list(120)));
    assert!(Filter::parse(&list(130), &TABLE).is_err());
}

#[test]
fn ids_are_compared_to_the_last_digit() {
    let large = json!({"Id": u64::MAX});
    let holds = |text| Filter::parse(text, &TABLE).unwrap().holds(&large);

    assert!(holds("Id eq 18446744073709551615"));
    assert!(!holds("Id eq 18446744073709551614"));
    assert!(holds("Id gt 18446744073709551614"));
}

#[test]
fn the_words_of_a_refusal_are_short_and_printable() {
    let long = format!("{}\u{7} eq 1", "x\u{1b}".repeat(500));
    let fault = Filter::parse(&long, &TABLE).unwrap_err().to_string();

    assert!(fault.len() < 600 && fault.is_ascii(), "{fault}");
    assert!(!fault.contains('\u{1b}'));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in ".{0,200}") {
        if let Ok(filter) = Filter::parse(&text, &TABLE) {
            filter.holds(&row());
        }
    }

    #[test]
    fn no_row_of_a_filters_own_words_makes_it_panic(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "(", ")", "[", "]", ",", "and", "or", "not", "in", "eq", "icontains", "Id", "Name",
                "Tags", "Asset.Name", "'x'", "\"y", "7", "-1.5e300", "null", "true", "\\", "é",
            ]),
            0..60,
        ),
    ) {
        if let Ok(filter) = Filter::parse(&words.join(" "), &TABLE) {
            filter.holds(&row());
        }
    }

    #[test]
    fn a_quoted_text_equals_itself(text in "\\PC{0,40}") {
        let quoted: String = text
            .chars()
            .flat_map(|c| if matches!(c, '\'' | '\\') { vec!['\\', c] } else { vec![c] })
            .collect();
        let filter = Filter::parse(&format!("Name eq '{quoted}'"), &TABLE).unwrap();

        let row = json!({"Name": text});
        prop_assert!(filter.holds(&row));
    }
}
