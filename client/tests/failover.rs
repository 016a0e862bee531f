//! Two servers: what is done when the primary is down.

mod support;

use std::{net::SocketAddr, time::Duration};

use claviger_client::{Builder, Error};
use support::{Reaction, TestServer, World, closed_port, raw, refusal, value};
use xmlrpc_codec::Response;

/// A client of both that does not ask twice by itself.
fn both(world: &World, primary: SocketAddr, secondary: &TestServer) -> Builder {
    let address = secondary.address;
    world
        .builder(primary)
        .secondary(address.ip().to_string(), address.port())
        .retries(0)
}

#[tokio::test]
async fn while_the_primary_is_up_the_secondary_is_left_alone() {
    let world = World::new();
    let primary = world.server(|_, _| value("first")).await;
    let secondary = world.server(|_, _| value("second")).await;
    let client = both(&world, primary.address, &secondary).build().unwrap();

    for _ in 0..3 {
        let password = client.retrieve_password("a", "b").send().await.unwrap();
        assert_eq!(password.expose(), "first");
    }

    assert_eq!(secondary.seen().accepted, 0);
}

#[tokio::test]
async fn a_dead_primary_costs_one_time_out_and_is_then_remembered() {
    let world = World::new();
    let primary = TestServer::silent().await;
    let secondary = world.server(|_, _| value("second")).await;
    let timeout = Duration::from_secs(1);
    let client = both(&world, primary.address, &secondary).connect_timeout(timeout);
    let client = client.build().unwrap();

    for _ in 0..10 {
        let password = client.retrieve_password("a", "b").send().await.unwrap();
        assert_eq!(password.expose(), "second");
    }

    assert_eq!(primary.seen().accepted, 1);
    assert_eq!(secondary.seen().calls.len(), 10);
}

#[tokio::test]
async fn when_its_time_is_over_the_primary_is_asked_again() {
    let world = World::new();
    let primary = TestServer::closing().await;
    let secondary = world.server(|_, _| value("second")).await;
    let client = both(&world, primary.address, &secondary)
        .remember_down(Duration::ZERO)
        .build()
        .unwrap();

    for _ in 0..3 {
        client.retrieve_password("a", "b").send().await.unwrap();
    }

    assert_eq!(primary.seen().accepted, 3);
}

#[tokio::test]
async fn a_primary_that_breaks_off_is_replaced_for_retrievals() {
    let world = World::new();
    for reaction in [
        Reaction::Close,
        Reaction::Answer(Response::fault(10, "disk full")),
        Reaction::Raw(raw("500 Internal Server Error", b"")),
    ] {
        let primary = world.server(move |_, _| reaction.clone()).await;
        let secondary = world.server(|_, _| value("second")).await;
        let client = both(&world, primary.address, &secondary).build().unwrap();

        let password = client.retrieve_password("a", "b").send().await.unwrap();

        assert_eq!(password.expose(), "second");
        assert_eq!(primary.seen().calls.len(), 1);
    }
}

#[tokio::test]
async fn a_primary_that_does_not_answer_is_replaced_and_remembered() {
    let world = World::new();
    let primary = world.server(|_, _| Reaction::Hang).await;
    let secondary = world.server(|_, _| value("second")).await;
    let client = both(&world, primary.address, &secondary)
        .request_timeout(Duration::from_secs(1))
        .build()
        .unwrap();

    for _ in 0..3 {
        let password = client.retrieve_password("a", "b").send().await.unwrap();
        assert_eq!(password.expose(), "second");
    }

    assert_eq!(primary.seen().calls.len(), 1);
}

#[tokio::test]
async fn what_the_primary_refuses_the_secondary_is_not_asked() {
    let world = World::new();
    let primary = world.server(|_, _| refusal(2)).await;
    let secondary = world.server(|_, _| value("second")).await;
    let client = both(&world, primary.address, &secondary).build().unwrap();

    let error = client.retrieve_password("a", "b").send().await.unwrap_err();

    assert!(error.is_refused());
    assert_eq!(secondary.seen().accepted, 0);
}

#[tokio::test]
async fn a_change_that_may_have_been_done_is_not_taken_to_the_secondary() {
    let world = World::new();
    let primary = world.server(|_, _| Reaction::Close).await;
    let secondary = world.server(|_, _| value(true)).await;
    let client = both(&world, primary.address, &secondary).build().unwrap();

    let error = client.change_password("a", "b").send().await.unwrap_err();

    assert!(error.is_outcome_unknown());
    assert_eq!(secondary.seen().accepted, 0);
}

#[tokio::test]
async fn a_secondary_refuses_changes_in_its_own_words() {
    let world = World::new();
    let secondary = world.server(|_, _| refusal(9)).await;
    let client = both(&world, closed_port(), &secondary).build().unwrap();

    for _ in 0..2 {
        let changed = client.change_password("a", "b").send().await.unwrap_err();
        let created = client
            .create_resource("a", "b", "c")
            .send()
            .await
            .unwrap_err();

        for error in [changed, created] {
            assert!(
                error.is_read_only() && !error.is_outcome_unknown(),
                "{error:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_change_finds_a_primary_that_is_back_before_it_is_forgotten_that_it_was_down() {
    let world = World::new();
    let primary = world
        .server(|number, _| {
            if number == 1 {
                Reaction::Hang
            } else {
                value(true)
            }
        })
        .await;
    let secondary = world
        .server(|_, call| {
            if call.method == "retrievePassword" {
                value("p")
            } else {
                refusal(9)
            }
        })
        .await;
    let client = both(&world, primary.address, &secondary)
        .request_timeout(Duration::from_secs(1))
        .build()
        .unwrap();

    // From here on the primary counts as down, and the secondary is asked first.
    client.retrieve_password("a", "b").send().await.unwrap();
    let changed = client
        .change_password("a", "b")
        .to("x")
        .send()
        .await
        .unwrap();

    assert!(changed.is_none());
    assert_eq!(
        primary.calls(),
        [
            "retrievePassword(a, b)",
            "changePassword(a, b, x, , Bool(false))"
        ]
    );
    assert_eq!(secondary.seen().calls.len(), 2);
}

#[tokio::test]
async fn a_secondary_that_was_promoted_takes_changes() {
    let world = World::new();
    let secondary = world.server(|_, _| value(true)).await;
    let client = both(&world, closed_port(), &secondary).build().unwrap();

    assert!(
        client
            .change_password("a", "b")
            .to("x")
            .send()
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn when_both_are_down_the_primary_is_named() {
    let world = World::new();
    let primary = closed_port();
    let secondary = TestServer::silent().await;
    let client = both(&world, primary, &secondary).connect_timeout(Duration::from_millis(300));
    let client = client.build().unwrap();

    let error = client.retrieve_password("a", "b").send().await.unwrap_err();

    assert!(matches!(&error, Error::Connect { server, .. } if *server == primary.to_string()));
    assert!(error.is_unavailable());
}
