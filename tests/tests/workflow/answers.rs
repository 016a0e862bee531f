//! What the XML-RPC door says of a password that is given out on request only.

use harness::{Answer, Identity, Server, SetUp, xml};

use crate::{PASSWORD, furnished};

const ON_REQUEST: &str = "This password is given out on request only. Request it first.";

fn controlled() -> (Server, Identity, Identity) {
    let server = furnished(SetUp::default());
    let [ann, ben] = ["ann", "ben"].map(|name| {
        let user = server.app(name);
        server.share("db1", &user, "modify");
        user
    });
    let set = ["access-control", "set", "db1", "--exclusive"];
    server.claviger(&set).ok();
    (server, ann, ben)
}

fn operate(server: &Server, step: &str, user: &str) {
    let user = format!("{user}@127.0.0.1");
    let words = match step {
        "raise" | "checkout" => vec!["request", step, "db1/root", "--for", &user],
        _ => vec!["request", step, "db1/root", &user],
    };
    server.claviger(&words).ok();
}

fn retrieve(server: &Server, user: &Identity) -> Answer {
    server.call(user, "retrievePassword", &["db1", "root"])
}

/// Refused by every name of the method, in the same words, and without the password.
#[track_caller]
fn assert_refused(server: &Server, user: &Identity, code: &str, words: &str) {
    let fault = retrieve(server, user).text();
    let documented = server.call(user, "pmp.password.retrieve", &["db1", "root"]);
    let change = ["db1", "root", "Second-Pass2!", "why", "false"];
    let changed = server.call(user, "changePassword", &change).text();

    for text in [&fault, &changed] {
        assert_eq!(
            xml::member(text, "faultCode").as_deref(),
            Some(code),
            "{text}"
        );
        assert_eq!(xml::member(text, "faultString").as_deref(), Some(words));
    }
    let text = documented.text();
    assert_eq!(xml::member(&text, "resultCode").as_deref(), Some(code));
    assert_eq!(xml::member(&text, "message").as_deref(), Some(words));
    assert!(!text.contains("<name>password</name>") && !xml::is_fault(&text));
}

#[test]
fn who_does_not_hold_it_is_told_in_code_13_what_is_missing() {
    let (server, ann, _) = controlled();

    assert_refused(&server, &ann, "13", ON_REQUEST);
    operate(&server, "raise", "ann");
    assert_refused(&server, &ann, "13", "Waiting for approval.");
    operate(&server, "approve", "ann");
    let words = "The request is approved. Check the password out first.";
    assert_refused(&server, &ann, "13", words);
    operate(&server, "checkout", "ann");
    let got = retrieve(&server, &ann).text();
    assert_eq!(xml::value(&got).as_deref(), Some(PASSWORD));
    operate(&server, "checkin", "ann");
    assert_refused(&server, &ann, "13", ON_REQUEST);
    operate(&server, "raise", "ann");
    operate(&server, "reject", "ann");
    assert_refused(&server, &ann, "13", ON_REQUEST);
}

#[test]
fn while_somebody_holds_it_others_are_told_who_in_code_14() {
    let (mut server, ann, ben) = controlled();
    for (step, user) in [
        ("raise", "ben"),
        ("approve", "ben"),
        ("raise", "ann"),
        ("approve", "ann"),
        ("checkout", "ann"),
    ] {
        operate(&server, step, user);
    }
    let words = "The password is in use: ann@127.0.0.1 holds it.";

    assert_refused(&server, &ben, "14", words);
    server.kill9();
    server.restart();
    assert_refused(&server, &ben, "14", words);
    let got = retrieve(&server, &ann).text();
    assert_eq!(xml::value(&got).as_deref(), Some(PASSWORD));
    operate(&server, "checkin", "ann");
    operate(&server, "checkout", "ben");

    let got = retrieve(&server, &ben).text();
    assert_eq!(xml::value(&got).as_deref(), Some(PASSWORD));
    assert_refused(
        &server,
        &ann,
        "14",
        "The password is in use: ben@127.0.0.1 holds it.",
    );
}

#[test]
fn each_call_of_a_multicall_is_refused_alone() {
    let (server, ann, _) = controlled();
    server.resource("open", "root", "Other-Pass3!");
    server.share("open", &ann, "view");
    let call = |resource: &str| {
        format!(
            "<value><struct><member><name>methodName</name><value>retrievePassword</value></member>\
             <member><name>params</name><value><array><data><value>{resource}</value>\
             <value>root</value></data></array></value></member></struct></value>"
        )
    };
    let calls = format!(
        "<array><data>{}{}</data></array>",
        call("db1"),
        call("open")
    );
    let mut wire = server.connect(Some(&ann)).unwrap();

    let body = xml::call_raw("system.multicall", &[&calls]);
    let text = wire.post(&body, &[]).unwrap().text();

    assert_eq!(
        xml::member(&text, "faultCode").as_deref(),
        Some("13"),
        "{text}"
    );
    assert!(
        text.contains("Other-Pass3!") && !text.contains(PASSWORD),
        "{text}"
    );
}
