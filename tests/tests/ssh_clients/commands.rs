//! What the commands do, by the lines of the seed and by others.

use harness::SetUp;

use crate::{PASSWORD, Stand};

#[test]
fn the_seeds_lines_work_as_they_are() {
    let stand = Stand::seeded();
    let seed = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        stand.ssh(&[&["-q"], &words[..]].concat())
    };

    let first = seed(
        "RETRIEVE --resource=test-server --account=root --reason=Testing password retrieval using ssh client API",
    );
    let local = seed(
        "RESET_LOCAL --resource=test-server --account=root --newpassword=rootnewX1 --reason=Rotating Password",
    );
    let second = seed("RETRIEVE --resource=test-server --account=root --reason=Testing password");
    let slip = seed(
        "RESET_LOCAL --resource=test-server --account=root--newpassword=rootnew --reason=Rotating Password",
    );
    let remote = seed(
        "RESET_REMOTE --resource=test-server --account=root --newpassword=rootnewX2 --reason=Rotating Password",
    );

    assert_eq!(first.ok().stdout, format!("{PASSWORD}\n"));
    assert_eq!(local.ok().stdout, "Password changed successfully\n");
    assert_eq!(second.ok().stdout, "rootnewX1\n");
    let slip = slip.ended(2);
    assert!(
        slip.stderr
            .starts_with("ERROR: there is no blank before --newpassword="),
        "{slip}"
    );
    let remote = remote.ended(4);
    assert!(
        remote.stderr.starts_with("ERROR: Password reset failed"),
        "{remote}"
    );
    assert_eq!(remote.stdout, "");
}

#[test]
fn a_resource_is_made_listed_and_read() {
    let stand = Stand::with(SetUp::default(), "password-administrator");
    let create = [
        "CREATE",
        "--resource=testresource",
        "--account=testaccount",
        "--newpassword='test Password 1'",
        "--resourcetype=Windows",
        "--notes=A New resource is added",
    ];

    let made = stand.ssh(&create).ok().stdout;
    let drawn = stand
        .ssh(&["CREATE", "--resource=r2", "--account=a"])
        .ok()
        .stdout;
    let list = stand.ssh(&["LIST"]).ok().stdout;
    let read = stand.ssh(&[
        "RETRIEVE",
        "--resource=testresource",
        "--account=testaccount",
    ]);
    let other = stand
        .ssh(&["RETRIEVE", "--account=a", "--resource=r2"])
        .ok()
        .stdout;
    let again = stand.ssh(&create).ended(1);

    assert_eq!(
        made,
        "Resource testresource with account testaccount created successfully\n"
    );
    assert_eq!(drawn.lines().nth(1), other.strip_suffix('\n'));
    assert_eq!(list, "testresource\ttestaccount\nr2\ta\n");
    assert_eq!(read.ok().stdout, "test Password 1\n");
    assert!(
        again
            .stderr
            .contains("ERROR: Resource with the given resource name already exists.")
    );
}

#[test]
fn lines_end_and_errors_go_where_the_file_says() {
    let set_up = SetUp::default()
        .set("doors.ssh", "line_end", "\"crlf\"")
        .set("doors.ssh", "errors_to_stdout", "true");
    let stand = Stand::with(set_up, "password-user");
    stand.server.resource("test-server", "root", PASSWORD);
    stand.share("test-server", "view");

    let good = stand
        .ssh(&["RETRIEVE", "--resource=test-server", "--account=root"])
        .ok();
    let bad = stand
        .ssh(&["RETRIEVE", "--resource=x", "--account=root"])
        .ended(1);

    assert_eq!(good.stdout, format!("{PASSWORD}\r\n"));
    assert_eq!(
        bad.stdout,
        "ERROR: No such resource or account, or it is not shared with you.\r\n"
    );
}

#[test]
fn no_password_is_in_the_log_or_the_trail() {
    let set_up = SetUp::default().environment("RUST_LOG", "trace");
    let stand = Stand::with(set_up, "password-user");
    stand
        .server
        .resource("test-server", "root", "Kept-Secret1!one");
    stand.share("test-server", "modify");
    let place = ["--resource=test-server", "--account=root"];
    let run = |verb: &str, more: &[&str]| stand.ssh(&[&[verb], &place[..], more].concat());

    run("RETRIEVE", &[]).ok();
    run("RESET_LOCAL", &["--newpassword=Kept-Secret1!two"]).ok();
    run(
        "RESET_LOCAL",
        &["--newpassword=Kept-Secret1!three--reason=x"],
    )
    .ended(2);
    run("RESET_LOCAL", &["--newpassword='Kept-Secret1!four"]).ended(2);

    let trail = stand
        .server
        .claviger(&["audit", "tail", "--json"])
        .ok()
        .stdout;
    for text in [stand.server.log(), trail] {
        assert!(!text.contains("Kept-Secret1"), "{text}");
    }
}
