//! Messages made to hurt their reader: each ends in an error, none takes long or grows.
#![expect(clippy::expect_used, reason = "a test may fail by panicking")]

use xmlrpc_codec::{ErrorKind, Limits, decode_call};

const START: &str = "<methodCall><methodName>m</methodName><params>";

/// Limits that let a message of any size in, so that the other limits have to do.
fn large() -> Limits {
    Limits {
        bytes: usize::MAX,
        ..Limits::default()
    }
}

fn refusal(xml: &str, limits: &Limits) -> ErrorKind {
    decode_call(xml.as_bytes(), None, limits)
        .expect_err("it must be refused")
        .kind
}

#[test]
fn a_hundred_thousand_arrays_inside_each_other_are_too_deep() {
    let nested = "<value><array><data>".repeat(100_000);
    let limits = Limits {
        depth: usize::MAX,
        ..large()
    };

    assert_eq!(
        refusal(&format!("{START}<param>{nested}"), &large()),
        ErrorKind::TooDeep(32)
    );
    assert_eq!(
        refusal(&format!("{START}<param>{nested}"), &limits),
        ErrorKind::TooDeep(128)
    );
}

#[test]
fn a_hundred_thousand_unknown_elements_are_refused_at_the_first() {
    assert_eq!(
        refusal(&"<a>".repeat(100_000), &large()),
        ErrorKind::Root("methodCall")
    );
}

#[test]
fn the_deepest_nesting_that_is_allowed_is_read() {
    let nested = "<value><array><data>".repeat(128);
    let closed = "</data></array></value>".repeat(128);
    let xml = format!("{START}<param>{nested}{closed}</param></params></methodCall>");
    let limits = Limits {
        depth: 128,
        ..large()
    };

    assert_eq!(
        decode_call(xml.as_bytes(), None, &limits).map(|call| call.params.len()),
        Ok(1)
    );
}

#[test]
fn a_million_params_are_too_many() {
    let params = "<param><value/></param>".repeat(1_000_000);

    assert_eq!(
        refusal(&format!("{START}{params}"), &large()),
        ErrorKind::TooManyValues(10_000)
    );
    assert_eq!(refusal(&format!("{START}{params}"), &Limits::default()), {
        ErrorKind::TooLarge(1024 * 1024)
    });
}

#[test]
fn entity_bombs_do_not_go_off() {
    let entities: String = (1..10)
        .map(|it| {
            format!(
                "<!ENTITY e{it} \"{}\">",
                format!("&e{};", it - 1).repeat(10)
            )
        })
        .collect();
    let bomb = format!("<!DOCTYPE b [<!ENTITY e0 \"ha\">{entities}]>{START}<param><value>&e9;");

    assert_eq!(refusal(&bomb, &large()), ErrorKind::Doctype);
    assert_eq!(
        refusal(&format!("{START}<param><value>&e9;"), &large()),
        ErrorKind::Entity
    );
}

#[test]
fn a_million_references_make_a_text_that_is_too_long() {
    let text = "&amp;".repeat(1_000_000);
    let error = refusal(&format!("{START}<param><value>{text}"), &large());

    assert_eq!(error, ErrorKind::TextTooLong(256 * 1024));
}

#[test]
fn a_text_of_a_hundred_thousand_pieces_is_read_at_once() {
    let text = "<![CDATA[</]]><!-- -->".repeat(100_000);
    let xml = format!("{START}<param><value>{text}</value></param></params></methodCall>");

    let call = decode_call(xml.as_bytes(), None, &large()).unwrap();

    assert_eq!(call.params[0].as_str().map(str::len), Some(200_000));
}

#[test]
fn a_hundred_thousand_comments_around_the_call_are_skipped() {
    let comments = " <!---->".repeat(100_000);
    let xml = format!("{comments}<methodCall><methodName>m</methodName></methodCall>{comments}");

    assert!(decode_call(xml.as_bytes(), None, &large()).is_ok());
}

#[test]
fn numbers_of_a_hundred_thousand_digits_are_refused() {
    let digits = "9".repeat(100_000);
    let with = |tag: &str| format!("{START}<param><value><{tag}>{digits}</{tag}></value>");

    assert_eq!(refusal(&with("int"), &large()), ErrorKind::IntegerRange);
    assert_eq!(refusal(&with("double"), &large()), ErrorKind::Double);
    assert_eq!(
        refusal(&with("dateTime.iso8601"), &large()),
        ErrorKind::DateTime
    );
}

#[test]
fn a_hundred_thousand_attributes_are_too_many() {
    let attributes: String = (0..100_000).map(|it| format!(" a{it}=''")).collect();

    assert_eq!(refusal(&format!("<methodCall{attributes}>"), &large()), {
        ErrorKind::TooManyAttributes(8)
    });
}

#[test]
fn a_hundred_thousand_members_are_compared_at_once() {
    let member = |it: usize| format!("<member><name>n{it}</name><value/></member>");
    let members: String = (0..100_000).map(member).chain([member(0)]).collect();
    let limits = Limits {
        values: usize::MAX,
        ..large()
    };

    assert_eq!(
        refusal(
            &format!("{START}<param><value><struct>{members}</struct>"),
            &limits
        ),
        { ErrorKind::DuplicateMember }
    );
}

#[test]
fn a_tag_without_end_is_refused() {
    let name = "a".repeat(1_000_000);

    assert_eq!(refusal(&format!("<{name}"), &large()), ErrorKind::Markup);
    assert_eq!(
        refusal(&format!("<{name}>"), &large()),
        ErrorKind::Root("methodCall")
    );
    assert_eq!(refusal(&"<".repeat(1_000_000), &large()), ErrorKind::Markup);
    assert_eq!(
        refusal(&"&".repeat(1_000_000), &large()),
        ErrorKind::Reference
    );
    assert_eq!(
        refusal(&"<!".repeat(1_000_000), &large()),
        ErrorKind::Markup
    );
}

#[test]
fn java_objects_are_refused_by_name() {
    let xml =
        format!("{START}<param><value><ex:serializable>rO0ABXNyABdqYXZh</ex:serializable></value>");

    assert_eq!(
        refusal(&xml, &large()),
        ErrorKind::Extension("ex:serializable")
    );
}
