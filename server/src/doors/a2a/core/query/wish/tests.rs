use serde_json::json;

use super::*;

const TABLE: Table = Table {
    names: &[
        "Id",
        "Name",
        "AssetName",
        "Key",
        "Asset",
        "Asset.Id",
        "Asset.Name",
    ],
    renamed: &[("AssetName", "SystemName")],
    aliases: &[],
};

fn wish(query: &[(&str, &'static str)], version: u8) -> Result<Wish, QueryFault> {
    let parameter = |name: &str| {
        query
            .iter()
            .find(|(own, _)| *own == name)
            .map(|(_, it)| *it)
    };
    Wish::read(parameter, &TABLE, version)
}

fn list(query: &[(&str, &'static str)], version: u8) -> Value {
    let wish = wish(query, version).unwrap();
    let mut gathered = wish.gather();
    for (id, name) in [(3, "bob"), (1, "Ann"), (2, "Zoe"), (4, "ann")] {
        let asset = json!({"Id": 9, "Name": "db"});
        let row = json!({"Id": id, "Name": name, "AssetName": "db", "Key": "k", "Asset": asset});
        if !gathered.take(Row::of(&row)) {
            break;
        }
    }
    assert!(!gathered.is_cut());
    serde_json::to_value(gathered.into_listing()).unwrap()
}

fn ids(query: &[(&str, &'static str)]) -> Vec<i64> {
    let listed = list(query, 4);
    let id = |row: &Value| row["Id"].as_i64().unwrap();
    listed.as_array().unwrap().iter().map(id).collect()
}

/// What is asked for.
type Parameters = &'static [(&'static str, &'static str)];
/// What is asked for, and the ids of what comes.
type Case = (Parameters, &'static [i64]);

#[test]
fn rows_are_filtered_ordered_and_cut_into_pages() {
    let table: [Case; 9] = [
        (&[], &[3, 1, 2, 4]),
        (&[("filter", "Id gt 1")], &[3, 2, 4]),
        (&[("filter", " ")], &[3, 1, 2, 4]),
        (&[("q", "AN")], &[1, 4]),
        (&[("orderby", "Name")], &[1, 4, 3, 2]),
        (&[("orderby", "-id")], &[4, 3, 2, 1]),
        (&[("orderby", "SystemName, -Name")], &[2, 3, 4, 1]),
        (&[("orderby", "Id"), ("limit", "3"), ("page", "1")], &[4]),
        (&[("page", "1")], &[]),
    ];

    for (query, expected) in table {
        assert_eq!(ids(query), expected, "{query:?}");
    }
}

#[test]
fn a_count_is_a_bare_number_of_what_the_filter_takes() {
    assert_eq!(
        list(
            &[("count", "true"), ("filter", "Id le 2"), ("limit", "1")],
            4
        ),
        json!(2)
    );
    assert_eq!(list(&[("count", "false"), ("limit", "0")], 4), json!([]));
}

#[test]
fn fields_are_chosen_or_left_out() {
    let first = |fields| list(&[("fields", fields), ("limit", "1")], 4)[0].clone();

    assert_eq!(first("key"), json!({"Key": "k"}));
    assert_eq!(
        first("Id,Asset.Name"),
        json!({"Id": 3, "Asset": {"Name": "db"}})
    );
    assert_eq!(
        first("-Asset,-key"),
        json!({"Id": 3, "Name": "bob", "AssetName": "db"})
    );
    assert_eq!(
        first("Id,Asset,-Asset.Id"),
        json!({"Id": 3, "Asset": {"Name": "db"}})
    );
}

#[test]
fn versions_2_and_3_are_answered_with_their_own_names() {
    for (version, expected) in [(2, "SystemName"), (3, "SystemName"), (4, "AssetName")] {
        let listed = list(&[("fields", "assetname"), ("limit", "1")], version);
        assert_eq!(listed, json!([{ expected: "db" }]), "v{version}");
    }
}

#[test]
fn what_there_is_not_is_refused_with_its_code() {
    let table = [
        (("fields", "Nmae"), 70002),
        (("fields", "-Nmae"), 70002),
        (("orderby", "-Nmae"), 70001),
        (("filter", "Nmae eq 1"), 70009),
        (("page", "-1"), 70000),
        (("limit", "many"), 70000),
        (("count", "yes"), 70000),
    ];

    for (parameter, code) in table {
        let refused = wish(&[parameter], 4)
            .map(|_| ())
            .map_err(|fault| fault.code());
        assert_eq!(refused, Err(code), "{parameter:?}");
    }
}

#[test]
fn no_answer_is_made_of_more_rows_than_may_be() {
    let all = wish(&[("limit", "99999")], 4).unwrap();
    let mut gathered = all.gather();
    let taken = (0..=MOST).take_while(|id| gathered.take(Row::of(&json!({"Id": id}))));
    assert_eq!(taken.count(), MOST);
    assert!(gathered.is_cut());
    assert!(matches!(gathered.into_listing(), Listing::Rows(rows) if rows.len() == MOST));

    let none = wish(&[("filter", "Id lt 0")], 4).unwrap();
    let mut gathered = none.gather();
    let looked = (0..=MOST_READ).take_while(|_| gathered.take(Row::default()));
    assert_eq!(looked.count(), MOST_READ);
    assert!(gathered.is_cut());
}

#[test]
fn no_row_is_too_far_behind_to_be_found_counted_or_turned_to() {
    let all = MOST + 501;
    let table: [(Parameters, Value); 5] = [
        (
            &[("filter", "Id eq 10480"), ("fields", "Id")],
            json!([{"Id": 10480}]),
        ),
        (
            &[("page", "5250"), ("limit", "2"), ("fields", "Id")],
            json!([{"Id": 10500}]),
        ),
        (
            &[
                ("page", "5250"),
                ("limit", "2"),
                ("orderby", "-Id"),
                ("fields", "Id"),
            ],
            json!([{"Id": 0}]),
        ),
        (
            &[
                ("page", "300"),
                ("limit", "1"),
                ("orderby", "-Id"),
                ("fields", "Id"),
            ],
            json!([{"Id": 10200}]),
        ),
        (&[("count", "true")], json!(10501)),
    ];

    for (query, expected) in table {
        let mut gathered = wish(query, 4).unwrap().gather();
        let _ = (0..all).all(|id| gathered.take(Row::of(&json!({"Id": id}))));
        assert!(!gathered.is_cut(), "{query:?}");
        let listed = serde_json::to_value(gathered.into_listing()).unwrap();
        assert_eq!(listed, expected, "{query:?}");
    }
}
