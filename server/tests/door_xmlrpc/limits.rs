//! More of the door: the second half of its stories.

use super::*;

#[tokio::test]
async fn a_multicall_may_not_get_around_its_limit() {
    let settings = XmlrpcSettings {
        multicall: 2,
        ..XmlrpcSettings::default()
    };
    let house = House::open_as(Wish {
        settings,
        ..Wish::default()
    })
    .await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    let call = Value::Struct(Struct::new().with("methodName", "system.listMethods"));

    let two = vec![Value::Array(vec![call.clone(); 2])];
    assert_eq!(
        wire.call_with("system.multicall", two)
            .await
            .unwrap()
            .as_array()
            .unwrap()
            .len(),
        2
    );
    let three = vec![Value::Array(vec![call; 3])];
    let fault = wire.call_with("system.multicall", three).await.unwrap_err();
    assert_eq!(
        (fault.code, fault.message.as_str()),
        (-32602, "at most 2 calls in one, not 3")
    );
}

#[tokio::test]
async fn nobody_gets_in_without_a_trusted_certificate() {
    let house = House::open().await;
    // Its CA has the same name, and another key.
    let elsewhere = House::open().await;
    let foreign = elsewhere.issue("app");

    for identity in [None, Some(&foreign)] {
        // With TLS 1.3 the client learns of it when it first reads.
        let refused = match house.connect(identity).await {
            Err(_) => true,
            Ok(mut wire) => wire.try_answer().await.is_err(),
        };
        assert!(refused);
    }
    for reason in ["no_certificate", "bad_signature"] {
        house
            .until_metric(&["handshakes_failed_total", reason], 1.0)
            .await;
    }
}

#[tokio::test]
async fn a_certificate_of_nobody_is_a_fault_for_every_method_and_the_last() {
    let house = House::open().await;
    let nobody = house.issue("nobody");

    for method in [
        "pmp.password.retrieve",
        "retrievePassword",
        "system.listMethods",
    ] {
        let mut wire = house.connect(Some(&nobody)).await.unwrap();
        let fault = wire.call(method, &["db-1", "root"]).await.unwrap_err();
        assert_eq!(
            (fault.code, fault.message.as_str()),
            (
                11,
                "this certificate belongs to no API user that may come in."
            )
        );
        assert!(wire.is_closed().await);
    }
}

#[tokio::test]
async fn a_user_from_the_wrong_host_is_told_so() {
    let house = House::open().await;
    let away = house.issue("away");
    house
        .register("away@192.0.2.1", Role::PasswordUser, &away)
        .await;
    let mut wire = house.connect(Some(&away)).await.unwrap();
    let body = b"<methodCall><methodName>system.listMethods</methodName></methodCall>";

    let answer = wire
        .post(
            "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.1\r\n",
            body,
        )
        .await;

    let (code, message) = answer.fault();
    assert_eq!(code, 11);
    assert!(
        message.contains("may not come from this address"),
        "{message}"
    );
}

#[tokio::test]
async fn a_lock_bites_on_the_very_next_request_of_an_open_connection() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    assert!(wire.call("system.listMethods", &[]).await.is_ok());

    let operator = house.operator().await;
    house
        .vault
        .edit_user("app@127.0.0.1", &UserEdit::Lock(Lock::Locked), &operator)
        .await
        .unwrap();

    assert_eq!(
        wire.call("system.listMethods", &[]).await.unwrap_err().code,
        11
    );
}

#[tokio::test]
async fn an_issuer_that_is_no_longer_trusted_stops_open_connections() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    assert!(wire.call("system.listMethods", &[]).await.is_ok());

    house.trust.replace(certs::Anchors::default()).unwrap();

    let fault = wire.call("system.listMethods", &[]).await.unwrap_err();
    assert_eq!(
        (fault.code, fault.message.as_str()),
        (11, "this certificate is not trusted any more.")
    );
}

#[tokio::test]
async fn a_certificate_that_expires_stops_its_open_connection() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    assert!(wire.call("system.listMethods", &[]).await.is_ok());

    house.clock.forward(31);

    assert_eq!(
        wire.call("system.listMethods", &[]).await.unwrap_err().code,
        11
    );
}

#[tokio::test]
async fn a_handshake_that_stalls_is_cut() {
    let limits = Limits {
        handshake: Duration::from_millis(100),
        ..Limits::default()
    };
    let house = House::open_as(Wish {
        limits,
        ..Wish::default()
    })
    .await;
    let mut socket = tokio::net::TcpStream::connect(house.address).await.unwrap();

    let read = tokio::io::AsyncReadExt::read(&mut socket, &mut [0]).await;

    assert_eq!(read.unwrap_or(0), 0);
    house
        .until_metric(&["handshakes_failed_total", "late"], 1.0)
        .await;
}

#[tokio::test]
async fn whoever_speaks_no_tls_is_counted_and_closed() {
    let house = House::open().await;
    let mut socket = tokio::net::TcpStream::connect(house.address).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut socket, &request("", b""))
        .await
        .unwrap();

    let mut said = Vec::new();
    let _ = tokio::io::AsyncReadExt::read_to_end(&mut socket, &mut said).await;

    house
        .until_metric(&["handshakes_failed_total", "not_tls"], 1.0)
        .await;
}

#[tokio::test]
async fn requests_are_counted_by_what_became_of_them() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    house
        .share_password("app@127.0.0.1", Level::View, "First-Pass1!word")
        .await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    wire.call("retrievePassword", &["db-1", "root"])
        .await
        .unwrap();
    wire.call("retrievePassword", &["db-2", "root"])
        .await
        .unwrap_err();
    wire.call("retrievePassword", &[]).await.unwrap_err();
    wire.post_xml("<").await.unwrap_err();

    let count = |operation: &str, outcome: &str| {
        house.metric(&["claviger_requests_total", operation, outcome])
    };
    assert_eq!(count("\"retrieve\"", "\"done\""), Some(1.0));
    assert_eq!(count("\"retrieve\"", "\"refused\""), Some(1.0));
    assert_eq!(count("\"retrieve\"", "\"malformed\""), Some(1.0));
    assert_eq!(count("\"unknown\"", "\"malformed\""), Some(1.0));
    assert_eq!(
        house.metric(&["request_seconds_count", "\"retrieve\""]),
        Some(3.0)
    );
}

#[tokio::test]
async fn a_pinned_certificate_works_until_it_is_unpinned() {
    let house = House::open().await;
    let name = certs::CommonName::parse("app").unwrap();
    let term = certs::Term {
        now: house.clock.now().unix_seconds(),
        days: 30,
    };
    let pinned = certs::self_signed(&name, &[], term).unwrap();
    let (print, operator) = (door::print(pinned.certificate()), house.operator().await);
    let der = pinned.certificate().as_ref();
    house
        .vault
        .trust_certificate((print, der), false, "app", &operator)
        .await
        .unwrap();
    house
        .register("app@127.0.0.1", Role::PasswordUser, &pinned)
        .await;
    let mut wire = house.connect(Some(&pinned)).await.unwrap();
    assert!(wire.call("system.listMethods", &[]).await.is_ok());

    house
        .vault
        .distrust_certificate(print, &operator)
        .await
        .unwrap();

    assert_eq!(
        wire.call("system.listMethods", &[]).await.unwrap_err().code,
        11
    );
    let refused = match house.connect(Some(&pinned)).await {
        Err(_) => true,
        Ok(mut wire) => wire.try_answer().await.is_err(),
    };
    assert!(refused);
}

#[tokio::test]
async fn closing_ends_idle_connections_and_handshakes() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    assert!(wire.call("system.listMethods", &[]).await.is_ok());
    let _stalled = tokio::net::TcpStream::connect(house.address).await.unwrap();

    house.closer.close();

    house.served.await.unwrap();
    assert!(wire.is_closed().await);
}
