//! A password that somebody types.

use std::process::Command;

use super::{House, PASSWORD, house};

/// What `RESET_LOCAL db1 root -` does when `keys` are typed.
fn typed(house: &House, keys: &str) -> (i64, bool, String) {
    let mut command = Command::new(house.toolkit.join("PMP_API.sh"));
    command.args(["RESET_LOCAL", "db1", "root", "-"]);
    harness::typed(command.env("CLAVIGER_CONNECT_TIMEOUT", "1m"), keys)
}

#[test]
fn a_password_typed_for_a_script_is_taken_and_not_shown() {
    let house = house("retrieve,reset");

    for keys in ["\u{3}", "half a pass\u{3}", "\u{1c}"] {
        let (status, echo, seen) = typed(&house, keys);
        assert_eq!((status, echo), (2, true), "{seen}");
        assert!(seen.contains("interrupted: nothing was done"), "{seen}");
        assert!(!seen.contains("half"), "{seen}");
    }
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, format!("{PASSWORD}\n"));
    let (status, echo, seen) = typed(&house, "Typed-by-Hand-7\n");

    assert_eq!((status, echo), (0, true), "{seen}");
    assert!(!seen.contains("Typed"), "{seen}");
    let got = house.api(&["RETRIEVE", "db1", "root"]).ok();
    assert_eq!(got.stdout, "Typed-by-Hand-7\n");
}
