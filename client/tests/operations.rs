//! The three operations: what is sent, and what comes back.

mod support;

use claviger_client::{Code, Error, Secret, blocking};
use support::{Reaction, World, raw, refusal, value};
use xmlrpc_codec::Response;

#[tokio::test]
async fn a_password_is_retrieved() {
    let world = World::new();
    let server = world.server(|_, _| value("s3<cr&t\r\n ")).await;
    let client = world.client(&server);

    let password = client
        .retrieve_password("db-1", "root")
        .send()
        .await
        .unwrap();

    assert_eq!(password.expose(), "s3<cr&t\r\n ");
    assert_eq!(server.calls(), ["retrievePassword(db-1, root)"]);
}

#[tokio::test]
async fn reason_and_ticket_are_sent() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;
    let client = world.client(&server);

    let request = client
        .retrieve_password("db-1", "root")
        .reason("back-up")
        .ticket("T-7");
    request.send().await.unwrap();

    assert_eq!(
        server.calls(),
        ["retrievePassword(db-1, root, back-up, T-7)"]
    );
}

#[tokio::test]
async fn a_password_is_changed_or_generated() {
    let world = World::new();
    let server = world
        .server(|number, _| {
            if number == 1 {
                value(true)
            } else {
                value("generated")
            }
        })
        .await;
    let client = world.client(&server);

    let given = client
        .change_password("db-1", "root")
        .to("n3w")
        .reason("why")
        .remote(true);
    let given = given.send().await.unwrap();
    let generated = client.change_password("db-1", "root").send().await.unwrap();

    assert!(given.is_none());
    assert_eq!(generated.as_ref().map(Secret::expose), Some("generated"));
    assert_eq!(
        server.calls(),
        [
            "changePassword(db-1, root, n3w, why, Bool(true))",
            "changePassword(db-1, root, , Bool(false))"
        ]
    );
}

#[tokio::test]
async fn a_resource_is_created() {
    let world = World::new();
    let server = world
        .server(|number, _| {
            if number == 1 {
                value(true)
            } else {
                value("generated")
            }
        })
        .await;
    let client = world.client(&server);

    let given = client
        .create_resource("mail-1", "Linux", "root")
        .password("p")
        .notes("new");
    let given = given.send().await.unwrap();
    let generated = client
        .create_resource("mail-2", "Linux", "root")
        .send()
        .await
        .unwrap();

    assert!(given.is_none());
    assert_eq!(generated.as_ref().map(Secret::expose), Some("generated"));
    assert_eq!(
        server.calls(),
        [
            "createResource(mail-1, Linux, root, p, new)",
            "createResource(mail-2, Linux, root, )"
        ]
    );
}

#[tokio::test]
async fn the_request_is_what_servers_of_xml_rpc_expect() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;

    world
        .client(&server)
        .retrieve_password("a", "b")
        .send()
        .await
        .unwrap();

    let head = server.seen().heads[0].clone();
    assert!(head.starts_with("post /xmlrpc http/1.1\r\n"), "{head}");
    for line in [
        &format!("\r\nhost: {}\r\n", server.address),
        "\r\ncontent-type: text/xml; charset=utf-8\r\n",
    ] {
        assert!(head.contains(line), "{head}");
    }
}

#[tokio::test]
async fn every_result_code_answers_its_questions() {
    let world = World::new();
    let server = world
        .server(|number, _| refusal(i32::try_from(number).unwrap()))
        .await;
    let client = world.builder(server.address).retries(0).build().unwrap();

    let mut answers = Vec::new();
    for _ in 1..=15 {
        let error = client.retrieve_password("a", "b").send().await.unwrap_err();
        let questions = (
            error.is_refused(),
            error.is_policy(),
            error.is_unavailable(),
        );
        answers.push((
            error.code().unwrap().number(),
            questions,
            error.is_read_only(),
        ));
    }

    let (refused, policy, unavailable) = (
        (true, false, false),
        (false, true, false),
        (false, false, true),
    );
    let expected: Vec<_> = (1..=15)
        .map(|code| match code {
            2 | 3 | 11 => (code, refused, false),
            4..=6 => (code, policy, false),
            10 => (code, unavailable, false),
            _ => (code, (false, false, false), code == 9),
        })
        .collect();
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn a_fault_of_the_protocol_is_an_answer_too() {
    let world = World::new();
    let fault = Response::fault(-32601, "No such handler: retrievePassword");
    let server = world
        .server(move |_, _| Reaction::Answer(fault.clone()))
        .await;

    let error = world
        .client(&server)
        .retrieve_password("a", "b")
        .send()
        .await
        .unwrap_err();

    assert_eq!(error.code(), Some(Code::Other(-32601)));
    assert_eq!(
        error.to_string(),
        "No such handler: retrievePassword (code -32601)"
    );
}

#[tokio::test]
async fn a_fault_is_read_whatever_the_http_status_is() {
    let world = World::new();
    let fault = xmlrpc_codec::encode_response(&Response::fault(-32600, "too large")).unwrap();
    let server = world
        .server(move |number, _| match number {
            1 => Reaction::Raw(raw("413 Payload Too Large", &fault)),
            _ => Reaction::Raw(raw("404 Not Found", b"nothing here")),
        })
        .await;
    let client = world.client(&server);

    let fault = client.retrieve_password("a", "b").send().await.unwrap_err();
    let status = client.retrieve_password("a", "b").send().await.unwrap_err();

    assert_eq!(fault.code(), Some(Code::Other(-32600)));
    assert!(
        matches!(status, Error::Status { status: 404, .. }),
        "{status:?}"
    );
}

#[tokio::test]
async fn an_answer_of_another_type_is_not_taken_for_a_password() {
    let world = World::new();
    let server = world
        .server(|number, _| match number {
            1 => value(1),
            2 => value(false),
            _ => Reaction::Raw(raw("200 OK", b"<html>canary</html>")),
        })
        .await;
    let client = world.client(&server);

    let number = client.retrieve_password("a", "b").send().await.unwrap_err();
    let no = client.change_password("a", "b").send().await.unwrap_err();
    let page = client.retrieve_password("a", "b").send().await.unwrap_err();

    assert!(
        matches!(number, Error::Unexpected { found: "int" }),
        "{number:?}"
    );
    assert!(
        matches!(no, Error::Unexpected { found: "boolean" }),
        "{no:?}"
    );
    assert!(matches!(page, Error::Unreadable { .. }), "{page:?}");
    assert!(!format!("{page:?} {page}").contains("canary"));
}

#[tokio::test]
async fn an_argument_that_xml_cannot_carry_is_not_sent() {
    let world = World::new();
    let server = world.server(|_, _| value(true)).await;
    let client = world.client(&server);

    let error = client
        .change_password("a", "b")
        .to("canary\u{0}")
        .send()
        .await
        .unwrap_err();

    assert!(matches!(error, Error::Unsendable(_)), "{error:?}");
    assert!(!error.is_outcome_unknown());
    assert!(!format!("{error:?} {error}").contains("canary"));
    assert_eq!(server.seen().connections, 0);
}

#[tokio::test]
async fn a_password_that_the_server_quotes_is_taken_out_of_the_error() {
    let world = World::new();
    let fault = Response::fault(6, "canary is too short");
    let server = world
        .server(move |_, _| Reaction::Answer(fault.clone()))
        .await;
    let client = world.client(&server);

    let changed = client
        .change_password("a", "b")
        .to("canary")
        .send()
        .await
        .unwrap_err();
    let created = client
        .create_resource("a", "b", "c")
        .password("canary")
        .send()
        .await
        .unwrap_err();

    for error in [changed, created] {
        assert_eq!(error.to_string(), ".. is too short (code 6)");
        assert!(!format!("{error:?}").contains("canary"));
    }
}

#[tokio::test]
async fn an_answer_that_is_too_long_is_not_taken() {
    let world = World::new();
    let server = world.server(|_, _| value("p".repeat(2000).as_str())).await;
    let short = world
        .builder(server.address)
        .answer_limit(2000)
        .build()
        .unwrap();
    let long = world
        .builder(server.address)
        .answer_limit(3000)
        .build()
        .unwrap();

    let refused = short.retrieve_password("a", "b").send().await.unwrap_err();
    let taken = long.retrieve_password("a", "b").send().await.unwrap();

    assert!(
        matches!(refused, Error::TooLong { limit: 2000, .. }),
        "{refused:?}"
    );
    assert_eq!(taken.expose().len(), 2000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blocking_client_does_the_same() {
    let world = World::new();
    let server = world
        .server(|number, _| {
            if number == 1 {
                value("old")
            } else {
                value(true)
            }
        })
        .await;
    let client = world.builder(server.address).build_blocking().unwrap();

    let work = move || {
        let old = client.retrieve_password("db-1", "root").send().unwrap();
        let changed = client
            .change_password("db-1", "root")
            .to("new")
            .send()
            .unwrap();
        let created = client
            .create_resource("a", "Linux", "b")
            .password("p")
            .send()
            .unwrap();
        assert_eq!(old.expose(), "old");
        assert!(changed.is_none() && created.is_none());
    };
    std::thread::spawn(work).join().unwrap();

    assert_eq!(server.seen().calls.len(), 3);
    assert_eq!(server.seen().connections, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_blocking_client_may_be_used_and_dropped_on_a_runtimes_thread() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;
    let client: blocking::Client = world.builder(server.address).build_blocking().unwrap();

    let password = client.retrieve_password("a", "b").send().unwrap();
    drop(client);

    assert_eq!(password.expose(), "p");
}
