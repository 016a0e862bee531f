//! What the commands do and say.

use claviger::domain::{Level, Operation, Outcome, Role};
use claviger::doors::LineEnd;

use crate::house::{House, PASSWORD, Wish, done, failed};

const RETRIEVE: &str = "RETRIEVE --resource=db1 --account=root --reason=Testing password retrieval";

#[tokio::test]
async fn a_password_comes_alone_and_is_recorded_with_door_reason_and_ticket() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;

    let said = client.run(&format!("{RETRIEVE} --ticketid=4711")).await;

    assert_eq!(said, done(&format!("{PASSWORD}\n")));
    let trail = house.trail().await;
    assert_eq!(
        trail.len(),
        1,
        "a log-in that led to a command is no record of its own"
    );
    let entry = &trail[0];
    assert_eq!(entry.operation.known(), Some(&Operation::Retrieve));
    assert_eq!(
        (entry.caller.as_str(), entry.resource.as_str()),
        ("app@127.0.0.1", "db1")
    );
    assert_eq!(entry.reason, "Testing password retrieval");
    assert_eq!(entry.ticket, "4711");
}

#[tokio::test]
async fn a_change_tells_that_it_is_done_and_the_password_that_was_generated() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;
    let place = "--resource=db1 --account=root";

    let given = client
        .run(&format!(
            "RESET_LOCAL {place} --newpassword='Second Pass2!word'"
        ))
        .await;
    let second = client.run(RETRIEVE).await;
    let drawn = client.run(&format!("RESET_LOCAL {place}")).await;
    let third = client.run(RETRIEVE).await;

    assert_eq!(given, done("Password changed successfully\n"));
    assert_eq!(second, done("Second Pass2!word\n"));
    let generated = drawn
        .out
        .strip_prefix("Password changed successfully\n")
        .unwrap();
    assert_eq!(third, done(generated));
    assert!(generated.len() > 8);
}

#[tokio::test]
async fn a_resource_is_made_with_its_account() {
    let house = House::open().await;
    let app = house.app("maker", Role::PasswordAdministrator, 2).await;
    let client = house.enter(&app).await;

    let made = client
        .run("CREATE --resource=testresource --account=testaccount --newpassword=Test-Pass1!word --resourcetype=Windows --notes=A New resource is added --ticketid=7")
        .await;
    let again = client
        .run("CREATE --resource=TestResource --account=x")
        .await;
    let drawn = client.run("CREATE --resource=other --account=a b").await;
    let read = client
        .run("RETRIEVE --resource=testresource --account=testaccount")
        .await;
    let list = client.run("LIST").await;

    assert_eq!(
        made,
        done("Resource testresource with account testaccount created successfully\n")
    );
    assert_eq!(
        again,
        failed(
            1,
            "ERROR: Resource with the given resource name already exists.\n"
        )
    );
    assert_eq!(drawn.out.lines().count(), 2);
    assert_eq!(read, done("Test-Pass1!word\n"));
    assert_eq!(list, done("testresource\ttestaccount\nother\ta b\n"));
    let trail = house.trail().await;
    assert_eq!(trail.last().unwrap().ticket, "7");
}

#[tokio::test]
async fn each_failure_has_its_exit_status_and_one_line() {
    let (house, app) = House::with_app(Wish::default()).await;
    house.shared("db2", &app, Level::View).await;
    let client = house.enter(&app).await;

    let nothing = client.run("RETRIEVE --resource=db1 --account=toor").await;
    let view = client
        .run("RESET_LOCAL --resource=db2 --account=root")
        .await;
    let usage = client.run("RETRIEVE --resource=db1").await;
    let policy = client
        .run("RESET_LOCAL --resource=db1 --account=root --newpassword=x")
        .await;
    let remote = client
        .run("RESET_REMOTE --resource=db1 --account=root")
        .await;

    let unknown = "ERROR: No such resource or account, or it is not shared with you.\n";
    assert_eq!(nothing, failed(1, unknown));
    assert_eq!(view, failed(1, "ERROR: You are not allowed to do this.\n"));
    assert_eq!(usage.exit, Some(2));
    assert!(
        usage
            .err
            .starts_with("ERROR: --account= is missing. Usage: RETRIEVE --resource=")
    );
    assert_eq!(usage.err.lines().count(), 1);
    assert_eq!(policy.exit, Some(3));
    assert!(
        policy
            .err
            .starts_with("ERROR: The password does not keep its policy: ")
    );
    assert_eq!(remote.exit, Some(4));
    assert!(
        remote.err.starts_with("ERROR: Password reset failed"),
        "{remote:?}"
    );
    let outcomes: Vec<_> = house
        .trail()
        .await
        .into_iter()
        .map(|entry| entry.outcome)
        .collect();
    assert_eq!(outcomes.len(), 4, "what is no command asks for no decision");
    assert!(
        !outcomes
            .iter()
            .any(|outcome| outcome.known() == Some(&Outcome::Allowed))
    );
}

#[tokio::test]
async fn lines_end_and_errors_go_where_the_operator_says() {
    let wish = Wish::with(|settings| {
        settings.line_end = LineEnd::Crlf;
        settings.errors_to_stdout = true;
    });
    let (house, app) = House::with_app(wish).await;
    let client = house.enter(&app).await;

    let good = client.run(RETRIEVE).await;
    let bad = client.run("RETRIEVE --resource=x --account=y").await;

    assert_eq!(good, done(&format!("{PASSWORD}\r\n")));
    assert_eq!(bad.err, "");
    assert_eq!(
        bad.out,
        "ERROR: No such resource or account, or it is not shared with you.\r\n"
    );
    assert_eq!(bad.exit, Some(1));
}

#[tokio::test]
async fn help_names_every_command_with_what_it_takes() {
    let (house, app) = House::with_app(Wish::default()).await;
    let client = house.enter(&app).await;

    let help = client.run("HELP").await;

    assert_eq!(help.exit, Some(0));
    let line = "RESET_LOCAL --resource=… --account=… [--newpassword=…] [--reason=…] [--ticketid=…]";
    assert!(help.out.lines().any(|one| one == line), "{}", help.out);
}

#[tokio::test]
async fn a_list_holds_what_may_be_seen_and_nothing_else() {
    let (house, app) = House::with_app(Wish::default()).await;
    let other = house.app("other", Role::PasswordUser, 2).await;
    house.shared("db2", &other, Level::View).await;
    let client = house.enter(&app).await;

    let all = client.run("LIST").await;
    let one = client.run("LIST --resource=db1").await;
    let foreign = client.run("LIST --resource=db2").await;

    assert_eq!(all, done("db1\troot\n"));
    assert_eq!(one, done("db1\troot\n"));
    let unknown = "ERROR: No such resource or account, or it is not shared with you.\n";
    assert_eq!(foreign, failed(1, unknown));
}
