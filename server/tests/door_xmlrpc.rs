//! The XML-RPC door over true mutual TLS, in front of a true vault.
#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "what the tests share may stop them, too"
)]

mod door;

#[path = "door_xmlrpc/limits.rs"]
mod limits;

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use claviger::domain::{Door, Level, Lock, Role};
use claviger::doors::{Limits, XmlrpcSettings};
use claviger::vault::{Clock, Credential, Origin, Resolve, ResolveError, UserEdit, Vault};
use door::{House, Wish, request, result};
use xmlrpc_codec::{Struct, Value};

const REFUSED: &str = "No such resource or account, or it is not shared with you.";

fn text(text: &str) -> Value {
    Value::String(text.to_owned())
}

#[tokio::test]
async fn an_application_creates_retrieves_changes_and_retrieves() {
    let house = House::open().await;
    let admin = house.user("deploy", Role::PasswordAdministrator).await;
    let mut wire = house.connect(Some(&admin)).await.unwrap();

    let params = ["db-9", "Linux", "root", "First-Pass1!word", "notes"];
    let made = wire.call("pmp.resource.create", &params).await.unwrap();
    assert_eq!(result(&made), (0, "SUCCESS", None));
    let got = wire
        .call("pmp.password.retrieve", &["db-9", "root"])
        .await
        .unwrap();
    assert_eq!(result(&got), (0, "SUCCESS", Some("First-Pass1!word")));
    let params = ["db-9", "root", "Second-Pass2!word", "rotation", "false"];
    let changed = wire.call("pmp.password.change", &params).await.unwrap();
    assert_eq!(result(&changed), (0, "SUCCESS", None));
    let got = wire
        .call("retrievePassword", &["db-9", "root", "why", "T-1"])
        .await
        .unwrap();

    assert_eq!(got, text("Second-Pass2!word"));
}

#[tokio::test]
async fn every_name_of_a_method_works_and_no_other_spelling() {
    let house = House::open().await;
    let admin = house.user("deploy", Role::PasswordAdministrator).await;
    let mut wire = house.connect(Some(&admin)).await.unwrap();
    let names = [
        "pmp.resource.create",
        "pmp.resources.create",
        "pam360.resource.create",
        "pam360.resources.create",
    ];
    for name in names {
        let made = wire.call(name, &[name, "Linux", "root", ""]).await.unwrap();
        let (code, _, password) = result(&made);
        assert!(code == 0 && password.is_some(), "{name}");
        let got = wire
            .call("pam360.password.retrieve", &[name, "root"])
            .await
            .unwrap();
        assert_eq!(result(&got).2, password);
    }
    assert!(matches!(
        wire.call("createResource", &["w", "Linux", "root", "n"]).await,
        Ok(Value::String(generated)) if generated.len() >= 8
    ));

    for name in [
        "PMP.password.retrieve",
        "pmp.password.Retrieve",
        "RetrievePassword",
        "pmp.password.retrieve.",
        "system.multiCall",
        "pmp",
        "pam360.system.listMethods",
    ] {
        let fault = wire.call(name, &["db-1", "root"]).await.unwrap_err();
        assert_eq!(
            (fault.code, fault.message),
            (-32601, format!("No such handler: {name}"))
        );
    }
}

#[tokio::test]
async fn a_change_reads_every_overload_with_booleans_and_texts() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    house
        .share_password("app@127.0.0.1", Level::Modify, "First-Pass1!word")
        .await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    let retrieve = ["db-1", "root"];
    let mut number = 0;
    for boolean in [Value::Bool(false), text("false"), text("FALSE")] {
        let (db, root, why, ticket) = (
            || text("db-1"),
            || text("root"),
            || text("why"),
            || text("T"),
        );
        for params in [
            vec![db(), root(), why(), boolean.clone()],
            vec![db(), root(), why(), boolean.clone(), ticket()],
        ] {
            let changed = wire.call_with("pmp.password.change", params).await.unwrap();
            let generated = result(&changed).2.unwrap().to_owned();
            let got = wire.call("retrievePassword", &retrieve).await.unwrap();
            assert_eq!(got, text(&generated));
        }
        for last in [None, Some(ticket())] {
            number += 1;
            let new = format!("Chosen-{number}-Pass!word");
            let mut params = vec![db(), root(), text(&new), why(), boolean.clone()];
            params.extend(last);
            let changed = wire.call_with("changePassword", params).await.unwrap();
            assert_eq!(changed, Value::Bool(true));
            let got = wire.call("retrievePassword", &retrieve).await.unwrap();
            assert_eq!(got, text(&new));
        }
    }
}

#[tokio::test]
async fn missing_and_not_shared_are_told_alike_in_both_forms() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    house
        .share_password("app@127.0.0.1", Level::View, "First-Pass1!word")
        .await;
    let _other = house.user("other", Role::PasswordUser).await;
    let stranger = house.user("stranger", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();

    for (who, resource, account) in [
        (&user, "db-2", "root"),
        (&stranger, "db-1", "root"),
        (&stranger, "db-1", "nobody"),
    ] {
        let mut wire = house.connect(Some(who)).await.unwrap();
        let got = wire
            .call("pmp.password.retrieve", &[resource, account])
            .await
            .unwrap();
        assert_eq!(result(&got), (2, REFUSED, None));
        let fault = wire
            .call("retrievePassword", &[resource, account])
            .await
            .unwrap_err();
        assert_eq!((fault.code, fault.message.as_str()), (2, REFUSED));
    }
    let denied = wire
        .call("pmp.password.change", &["db-1", "root", "why", "false"])
        .await
        .unwrap();
    assert_eq!(result(&denied).0, 3);
}

#[tokio::test]
async fn refusals_have_their_codes() {
    let house = House::open().await;
    let admin = house.user("deploy", Role::PasswordAdministrator).await;
    let mut wire = house.connect(Some(&admin)).await.unwrap();
    let create = ["db-1", "Linux", "root", "First-Pass1!word", ""];
    assert_eq!(
        result(&wire.call("pmp.resource.create", &create).await.unwrap()).0,
        0
    );

    let again = wire.call("pmp.resource.create", &create).await.unwrap();
    assert_eq!(
        result(&again),
        (
            1,
            "Resource with the given resource name already exists.",
            None
        )
    );
    let weak = wire
        .call(
            "pmp.password.change",
            &["db-1", "root", "a", "why", "false"],
        )
        .await
        .unwrap();
    assert_eq!(result(&weak).0, 6);
    let bad = wire
        .call("pmp.resource.create", &["", "Linux", "root", ""])
        .await
        .unwrap();
    assert_eq!(result(&bad).0, 7);
    let remote = wire
        .call("pmp.password.change", &["db-1", "root", "why", "true"])
        .await
        .unwrap();
    assert_eq!(result(&remote).0, 8);
    assert!(result(&remote).1.starts_with("Password reset failed"));
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    let denied = wire
        .call("pmp.resource.create", &["db-2", "Linux", "root", ""])
        .await
        .unwrap();
    assert_eq!(result(&denied).0, 3);
}

#[tokio::test]
async fn wrong_parameters_are_a_fault_and_the_connection_lives_on() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();

    let fault = wire
        .call("pmp.password.retrieve", &["db-1"])
        .await
        .unwrap_err();
    assert_eq!(
        (fault.code, fault.message.as_str()),
        (
            -32602,
            "pmp.password.retrieve: 2 or 3 or 4 parameters expected, not 1"
        )
    );
    let fault = wire
        .call_with("retrievePassword", vec![Value::Int(1), Value::Nil])
        .await
        .unwrap_err();
    assert_eq!(
        (fault.code, fault.message.as_str()),
        (
            -32602,
            "retrievePassword: parameter 1 (resourceName) must be a string, not int"
        )
    );
    let names = wire.call("system.listMethods", &[]).await.unwrap();
    assert_eq!(names.as_array().unwrap().len(), 15);
}

#[tokio::test]
async fn malformed_documents_get_a_fault_with_the_position_and_the_connection_lives_on() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    let deep = format!(
        "<methodCall><methodName>a</methodName><params><param><value>{}",
        "<array><data><value>".repeat(30_000)
    );
    let table = [
        ("", -32700),
        ("<methodCall>", -32700),
        ("<methodCall>\n <methodName>a</methodNam>", -32700),
        ("{}", -32700),
        ("<!DOCTYPE x [<!ENTITY a \"b\">]><methodCall/>", -32600),
        ("<methodResponse/>", -32600),
        (
            "<methodCall><methodName>a b</methodName></methodCall>",
            -32600,
        ),
        (
            "<?xml version=\"1.0\" encoding=\"KOI8-R\"?><methodCall/>",
            -32701,
        ),
        (deep.as_str(), -32600),
    ];

    for (body, code) in table {
        let fault = wire.post_xml(body).await.unwrap_err();
        assert_eq!(fault.code, code, "{:.60} {}", body, fault.message);
        assert!(
            fault.message.contains(" at line ") || fault.message.contains("line"),
            "{}",
            fault.message
        );
    }
    assert!(wire.call("system.listMethods", &[]).await.is_ok());
}

#[tokio::test]
async fn what_is_no_call_is_refused_in_https_own_words() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    let line =
        |line: &str| format!("{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nab");
    for (request, status) in [
        ("GET /", 404),
        ("POST /", 404),
        ("POST /xmlrpc/", 404),
        ("POST //xmlrpc", 404),
        ("POST /XMLRPC", 404),
        ("POST /%78mlrpc", 404),
        ("GET /xmlrpc", 405),
        ("PUT /xmlrpc", 405),
        ("OPTIONS /xmlrpc", 405),
    ] {
        wire.send(line(request).as_bytes()).await;
        let answer = wire.answer().await;
        assert_eq!(answer.status, status, "{request}");
        assert_eq!(answer.field("allow"), (status == 405).then_some("POST"));
        assert!(answer.body.is_empty());
    }
    let answer = wire.post("Content-Type: application/json\r\n", b"{}").await;
    assert_eq!((answer.status, answer.fault().0), (415, -32300));
    let answer = wire
        .post(
            "",
            b"<methodCall><methodName>system.listMethods</methodName></methodCall>",
        )
        .await;
    assert_eq!(answer.status, 200);
}

#[tokio::test]
async fn an_answer_says_what_it_is_and_is_not_to_be_kept() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();

    let first = wire.post("", b"").await;
    let second = wire.post("", b"").await;

    assert_eq!(first.field("content-type"), Some("text/xml; charset=utf-8"));
    assert_eq!(first.field("cache-control"), Some("no-store"));
    let ids = (
        first.field("x-request-id").unwrap(),
        second.field("x-request-id").unwrap(),
    );
    assert!(ids.0.len() == 16 && ids.1.len() == 16 && ids.0 != ids.1);
}

#[tokio::test]
async fn a_body_has_its_limit_and_says_so() {
    let limits = Limits {
        body_bytes: 1000,
        ..Limits::default()
    };
    let house = House::open_as(Wish {
        limits,
        ..Wish::default()
    })
    .await;
    let user = house.user("app", Role::PasswordUser).await;

    let mut wire = house.connect(Some(&user)).await.unwrap();
    let answer = wire.post("", &vec![b' '; 1000]).await;
    assert_eq!((answer.status, answer.fault().0), (200, -32700));
    let answer = wire.post("", &vec![b' '; 5_000_000]).await;
    assert_eq!(
        (answer.status, answer.fault()),
        (
            413,
            (-32600, "the body has more than 1000 bytes".to_owned())
        )
    );

    let mut wire = house.connect(Some(&user)).await.unwrap();
    let head = "POST /xmlrpc HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    wire.send(format!("{head}7D0\r\n{}\r\n0\r\n\r\n", " ".repeat(2000)).as_bytes())
        .await;
    assert_eq!(wire.answer().await.status, 413);
}

#[tokio::test]
async fn a_body_that_does_not_come_is_answered_408() {
    let limits = Limits {
        body: Duration::from_millis(100),
        ..Limits::default()
    };
    let house = House::open_as(Wish {
        limits,
        ..Wish::default()
    })
    .await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    wire.send(b"POST /xmlrpc HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n<methodCall>")
        .await;

    let answer = wire.answer().await;

    assert_eq!((answer.status, answer.fault().0), (408, -32300));
    assert!(wire.is_closed().await);
}

#[tokio::test]
async fn a_compressed_body_is_read_and_a_bomb_is_not() {
    use std::io::Write;
    let gzip = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    let call = b"<methodCall><methodName>system.listMethods</methodName></methodCall>";

    let answer = wire.post("Content-Encoding: gzip\r\n", &gzip(call)).await;
    assert!(answer.said().is_ok());
    let answer = wire
        .post("Content-Encoding: gzip\r\n", &gzip(&vec![b' '; 50_000_000]))
        .await;
    assert_eq!((answer.status, answer.fault().0), (413, -32600));
    let answer = wire.post("Content-Encoding: gzip\r\n", call).await;
    assert_eq!((answer.status, answer.fault().0), (400, -32300));
    let answer = wire.post("Content-Encoding: br\r\n", call).await;
    assert_eq!(answer.field("accept-encoding"), Some("gzip, identity"));
    assert_eq!(answer.status, 415);
    assert!(wire.call("system.listMethods", &[]).await.is_ok());
}

#[tokio::test]
async fn several_calls_in_one_are_answered_each_alone() {
    let house = House::open().await;
    let user = house.user("app", Role::PasswordUser).await;
    house
        .share_password("app@127.0.0.1", Level::View, "First-Pass1!word")
        .await;
    let mut wire = house.connect(Some(&user)).await.unwrap();
    let inner = |name: &str, params: &[&str]| {
        let params = Value::Array(params.iter().map(|param| text(param)).collect());
        Value::Struct(
            Struct::new()
                .with("methodName", name)
                .with("params", params),
        )
    };
    let calls = vec![
        inner("retrievePassword", &["db-1", "root"]),
        inner("retrievePassword", &["db-2", "root"]),
        inner("pmp.password.retrieve", &["db-1", "root"]),
        inner("nothing\u{85}", &[]),
        inner("system.multicall", &[]),
        Value::Int(1),
    ];

    let answers = wire
        .call_with("system.multicall", vec![Value::Array(calls)])
        .await
        .unwrap();

    let answers = answers.as_array().unwrap();
    let code = |at: usize| {
        answers[at]
            .as_struct()
            .unwrap()
            .get("faultCode")
            .unwrap()
            .as_int()
    };
    assert_eq!(answers[0], Value::Array(vec![text("First-Pass1!word")]));
    assert_eq!(code(1), Some(2));
    assert_eq!(
        result(&answers[2].as_array().unwrap()[0]).2,
        Some("First-Pass1!word")
    );
    assert_eq!(
        (code(3), code(4), code(5)),
        (Some(-32601), Some(-32600), Some(-32600))
    );
    assert_eq!(answers.len(), 6);
}

/// A name server that takes its time: until it has answered, the operator has locked the user.
#[derive(Debug, Default)]
struct Slow(OnceLock<Arc<Vault>>);

#[async_trait::async_trait]
impl Resolve for Slow {
    async fn addresses(&self, _name: &str) -> Result<Vec<IpAddr>, ResolveError> {
        if let Some(vault) = self.0.get() {
            let origin = Origin {
                door: Door::Admin,
                peer: None,
                request: vault.next_request(),
            };
            let operator = Credential::LocalOperator { uid: 0 };
            let operator = vault.identify(&operator, &origin).await.unwrap();
            let lock = UserEdit::Lock(Lock::Locked);
            vault
                .edit_user("app@app.example", &lock, &operator)
                .await
                .unwrap();
        }
        Ok(vec![IpAddr::from([127, 0, 0, 1])])
    }
}

#[tokio::test]
async fn who_is_locked_while_its_host_is_looked_up_does_not_come_in() {
    let slow = Arc::new(Slow::default());
    let wish = Wish {
        resolver: Some(slow.clone()),
        ..Wish::default()
    };
    let house = House::open_as(wish).await;
    let app = house.issue("app");
    house
        .register("app@app.example", Role::PasswordUser, &app)
        .await;
    house
        .share_password("app@app.example", Level::View, "First-Pass1!word")
        .await;
    let mut wire = house.connect(Some(&app)).await.unwrap();
    slow.0.set(house.vault.clone()).unwrap();

    let refused = wire
        .call("retrievePassword", &["db-1", "root"])
        .await
        .unwrap_err();

    assert_eq!(refused.code, 11, "{refused:?}");
}
