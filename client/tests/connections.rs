//! Connections: how they are kept, when they break, and what is never sent twice.

mod support;

use std::time::Duration;

use claviger_client::Error;
use support::{Reaction, TestServer, World, raw, value};
use xmlrpc_codec::Response;

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;
    let client = world.client(&server);

    for _ in 0..20 {
        client.retrieve_password("a", "b").send().await.unwrap();
    }
    client
        .clone()
        .change_password("a", "b")
        .send()
        .await
        .unwrap();

    assert_eq!(server.seen().calls.len(), 21);
    assert_eq!(server.seen().connections, 1);
}

#[tokio::test]
async fn there_are_never_more_connections_than_allowed() {
    let world = World::new();
    let server = world.server(|_, _| value("p")).await;
    let client = world
        .builder(server.address)
        .connections(3)
        .build()
        .unwrap();

    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { client.retrieve_password("a", "b").send().await.is_ok() })
        })
        .collect();
    for task in tasks {
        assert!(task.await.unwrap());
    }

    assert_eq!(server.seen().calls.len(), 50);
    assert!(server.seen().connections <= 3);
}

#[tokio::test]
async fn whoever_finds_no_free_connection_in_time_is_told() {
    let world = World::new();
    let server = world.server(|_, _| Reaction::Hang).await;
    let timeout = Duration::from_millis(500);
    let client = world
        .builder(server.address)
        .connections(1)
        .request_timeout(timeout);
    let client = client.build().unwrap();

    let (first, second) = tokio::join!(
        client.change_password("a", "b").send(),
        client.change_password("a", "b").send()
    );

    let errors = [first.unwrap_err(), second.unwrap_err()];
    assert!(matches!(errors[0], Error::TimedOut { .. }), "{errors:?}");
    assert!(errors[0].is_unavailable() && errors[0].is_outcome_unknown());
    assert!(errors[1].is_unavailable(), "{errors:?}");
}

#[tokio::test]
async fn a_retrieval_on_a_dead_connection_goes_to_a_fresh_one_at_once() {
    let world = World::new();
    let server = world
        .server(|number, _| {
            if number == 2 {
                Reaction::Close
            } else {
                value("p")
            }
        })
        .await;
    let client = world.builder(server.address).retries(0).build().unwrap();

    client.retrieve_password("a", "b").send().await.unwrap();
    client.retrieve_password("a", "b").send().await.unwrap();

    assert_eq!(server.connections_of_calls(), [1, 1, 2]);
}

#[tokio::test]
async fn a_change_on_a_dying_connection_is_not_sent_again() {
    let world = World::new();
    let server = world
        .server(|number, _| {
            if number == 2 {
                Reaction::Close
            } else {
                value(true)
            }
        })
        .await;
    let client = world.client(&server);

    client
        .change_password("a", "b")
        .to("x")
        .send()
        .await
        .unwrap();
    let change = client
        .change_password("a", "b")
        .to("y")
        .send()
        .await
        .unwrap_err();

    assert!(matches!(change, Error::Interrupted { .. }), "{change:?}");
    assert!(change.is_outcome_unknown() && change.is_unavailable());
    assert_eq!(server.seen().calls.len(), 2);
}

#[tokio::test]
async fn a_creation_is_not_sent_again() {
    let world = World::new();
    let server = world.server(|_, _| Reaction::Close).await;
    let client = world.client(&server);

    let error = client
        .create_resource("a", "b", "c")
        .send()
        .await
        .unwrap_err();

    assert!(error.is_outcome_unknown());
    assert_eq!(server.seen().calls.len(), 1);
}

#[tokio::test]
async fn a_change_after_the_server_closed_the_connection_is_done() {
    let world = World::new();
    let answer = Response::value(true);
    let server = world
        .server(move |_, _| Reaction::AnswerAndClose(answer.clone()))
        .await;
    let client = world.client(&server);

    client
        .change_password("a", "b")
        .to("x")
        .send()
        .await
        .unwrap();
    // The end of the connection is on its way; nothing else tells when it is there.
    while client
        .change_password("a", "b")
        .to("y")
        .send()
        .await
        .is_err()
    {}

    let connections = server.connections_of_calls();
    assert_eq!(connections.first(), Some(&1));
    assert!(connections.last() > Some(&1));
}

#[tokio::test]
async fn retrievals_are_asked_for_again_and_changes_are_not() {
    let world = World::new();
    for (reaction, changes) in [
        (Reaction::Close, 1),
        (Reaction::Raw(raw("503 Service Unavailable", b"")), 1),
        (Reaction::Answer(Response::fault(10, "disk full")), 1),
    ] {
        let server = {
            let reaction = reaction.clone();
            world
                .server(move |number, call| match (number, call.method.as_str()) {
                    (3, "retrievePassword") => value("p"),
                    _ => reaction.clone(),
                })
                .await
        };
        let client = world.client(&server);

        let password = client.retrieve_password("a", "b").send().await.unwrap();
        let change = client.change_password("a", "b").send().await.unwrap_err();

        assert_eq!(password.expose(), "p");
        assert!(
            change.is_unavailable() && change.is_outcome_unknown(),
            "{change:?}"
        );
        assert_eq!(server.seen().calls.len(), 3 + changes, "{reaction:?}");
    }
}

#[tokio::test]
async fn retrievals_are_asked_for_again_as_often_as_said() {
    let world = World::new();
    for retries in [0, 1, 2, 4] {
        let server = world.server(|_, _| Reaction::Close).await;
        let client = world
            .builder(server.address)
            .retries(retries)
            .build()
            .unwrap();

        let error = client.retrieve_password("a", "b").send().await.unwrap_err();

        assert!(matches!(error, Error::Interrupted { .. }), "{error:?}");
        assert_eq!(server.seen().calls.len(), 1 + retries as usize);
    }
}

#[tokio::test]
async fn a_refusal_is_not_asked_for_again() {
    let world = World::new();
    let server = world.server(|_, _| support::refusal(2)).await;

    let error = world
        .client(&server)
        .retrieve_password("a", "b")
        .send()
        .await
        .unwrap_err();

    assert!(error.is_refused());
    assert_eq!(server.seen().calls.len(), 1);
}

#[tokio::test]
async fn a_request_without_answer_ends_in_time_and_is_not_repeated() {
    let world = World::new();
    let server = world.server(|_, _| Reaction::Hang).await;
    let timeout = Duration::from_millis(500);
    let client = world
        .builder(server.address)
        .request_timeout(timeout)
        .build()
        .unwrap();

    let error = client.retrieve_password("a", "b").send().await.unwrap_err();

    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert_eq!(server.seen().calls.len(), 1);
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_ends_in_time() {
    let world = World::new();
    let mut half = raw("200 OK", b"<methodResponse>");
    let cut = half.len() - 5;
    half.truncate(cut);
    let server = world.server(move |_, _| Reaction::Raw(half.clone())).await;
    let timeout = Duration::from_millis(500);
    let client = world
        .builder(server.address)
        .request_timeout(timeout)
        .build()
        .unwrap();

    let error = client.change_password("a", "b").send().await.unwrap_err();

    assert!(matches!(error, Error::TimedOut { .. }), "{error:?}");
    assert!(error.is_outcome_unknown());
}

#[tokio::test]
async fn a_server_that_never_shakes_hands_ends_the_connecting_in_time() {
    let world = World::new();
    let server = TestServer::silent().await;
    let timeout = Duration::from_millis(200);
    let client = world
        .builder(server.address)
        .connect_timeout(timeout)
        .retries(1);
    let client = client.build().unwrap();

    let error = client.retrieve_password("a", "b").send().await.unwrap_err();

    assert!(matches!(error, Error::Connect { .. }), "{error:?}");
    assert!(error.is_unavailable() && !error.is_outcome_unknown());
    assert_eq!(server.seen().accepted, 2);
}
