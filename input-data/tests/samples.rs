//! Every sample of the vendor's documentation, as it stands there (`tests/samples`, by the number
//! of the call), and what it must mean.
#![expect(clippy::expect_used, reason = "a test may fail by panicking")]

#[expect(dead_code, reason = "each test uses its part of the bodies")]
mod bodies;

use bodies::to_json;
use input_data::{ErrorKind, Limits, form, parse};
use serde_json::{Value, json};

fn details(fields: &Value) -> Value {
    json!({"operation": {"Details": fields}})
}

fn in_form(sample: &str) -> (Value, Vec<(String, String)>) {
    let form = form::parse(sample.as_bytes(), &Limits::default()).expect("a form");
    let input = form.input_data().expect("there");
    let document = parse(input, &Limits::default()).expect("a document");
    let others = form.iter().filter(|(name, _)| *name != "INPUT_DATA");
    let others = others.map(|(name, value)| (name.to_owned(), value.to_owned()));
    (to_json(&document), others.collect())
}

fn alone(sample: &str) -> Value {
    to_json(&parse(sample, &Limits::default()).expect("a document"))
}

fn refusal(sample: &str) -> (ErrorKind, usize) {
    let error = parse(sample, &Limits::default()).expect_err("refused");
    (error.kind, error.position.offset)
}

/// The long token of the samples, which are percent-encoded in it.
const TOKEN: &str =
    "iddPyMeUOnv9huR+zLfan1GbB4VYZ4/7UDHfbpY8socCJ7C1+VUyhjtcRHlysShHeLf9va63EEkt\n4x/G42EYLQ==";

fn new_resource() -> Value {
    details(&json!({
        "RESOURCENAME": "Windows Server",
        "ACCOUNTNAME": "Administrator",
        "RESOURCETYPE": "Windows",
        "PASSWORD": "Test123#@!",
        "NOTES": "Testing API",
        "RESOURCEURL": "http://windowsserver/adminconsole",
        "RESOURCECUSTOMFIELD": [{"CUSTOMLABEL": "Secure Resource", "CUSTOMVALUE": "YES"}],
    }))
}

#[test]
fn the_samples_of_forms_mean_what_they_show() {
    let reason = |reason: &str| details(&json!({"REASON": reason}));
    let need = "Need the password to Login Windows Server";
    let short = ("AUTHTOKEN", "B9A1809A-5BF7-4459-9ED2-8D4F499CB902");
    let long = ("AUTHTOKEN", TOKEN);
    let json_change =
        json!({"NEWPASSWORD": "Test@12345$", "RESETTYPE": "LOCAL", "REASON": "Password Expired"});
    let curl_change = json!({"NEWPASSWORD": "Test12345$", "RESETTYPE": "LOCAL", "REASON": "test"});
    let cases = [
        (include_str!("samples/04-input.form"), reason(need), None),
        (
            include_str!("samples/04-curl.query"),
            reason(need),
            Some(short),
        ),
        (
            include_str!("samples/05-input.form"),
            details(&json_change),
            None,
        ),
        (
            include_str!("samples/05-curl.form"),
            details(&curl_change),
            None,
        ),
        (include_str!("samples/06-input.form"), new_resource(), None),
        (
            include_str!("samples/10-input.form"),
            reason("asdefefe"),
            None,
        ),
        (
            include_str!("samples/10-curl.query"),
            reason("Testing"),
            Some(long),
        ),
        (
            include_str!("samples/14-curl.query"),
            reason("N/A"),
            Some(long),
        ),
    ];
    for (sample, document, other) in cases {
        let others = other.map(|(name, value)| (name.to_owned(), value.to_owned()));

        assert_eq!(in_form(sample), (document, others.into_iter().collect()));
    }
}

/// A shell takes the backslashes of the unquoted curl line.
#[test]
fn the_curl_line_of_a_change_means_the_same_after_a_shell() {
    let sample = include_str!("samples/05-curl.form");

    assert_eq!(in_form(&sample.replace('\\', "")), in_form(sample));
}

/// The page breaks its lines inside texts, even inside of a name. Where a line end belongs and
/// where not is not to be guessed in a text that may be a password.
#[test]
fn the_curl_line_that_the_page_wrapped_is_refused_until_it_is_one_line() {
    let sample = include_str!("samples/06-curl.form");
    let error = form::parse(sample.as_bytes(), &Limits::default()).expect_err("refused");

    assert_eq!(
        (error.kind, error.position.offset),
        (ErrorKind::Control, 60)
    );
    assert_eq!((error.position.line, error.position.column), (1, 61));
    assert_eq!(in_form(&sample.replace('\n', "")), (new_resource(), vec![]));
}

#[test]
fn the_samples_of_documents_mean_what_they_show() {
    let reason = details(&json!({"REASON": "N/A"}));

    assert_eq!(alone(include_str!("samples/14-input.json")), reason);
    assert_eq!(alone(include_str!("samples/15-input.json")), reason);
    assert_eq!(
        alone(include_str!("samples/16-input.json")),
        details(&json!({
            "USERNAME": "jason",
            "FIRSTNAME": "Jason",
            "LASTNAME": "Thomas",
            "EMAIL": "jason@opmanager.com",
            "PASSWORD": "Pa55w0Rd123",
            "POLICY": "Strong",
            "ROLE": "Administrator|Password Administrator|Password Auditor|Password User",
            "ISSUPERADMIN": "true|false",
            "DEPARTMENT": "NOC",
            "LOCATION": "Level 10 - South Wing",
            "ENABLEMOBILEACCESS": "true|false",
            "LANDLINE_COUNTRYCODE": "+1",
            "LANDLINE": "925-965-9647",
            "LANDLINE_EXT": "4675",
            "MOBILE_COUNTRYCODE": "+1",
            "MOBILE": "925-965-9648",
            "PHONEFACTOR_USERNAME": "jason1",
            "RSAUSERNAME": "jason2",
            "ENABLETWOFACTOR": "true|false",
            "PRIMARYCONTACT": "landline|mobile",
        }))
    );
}

/// Answers, not requests; but nobody writes worse JSON than their author.
#[test]
fn the_samples_of_answers_are_read_where_they_are_whole() {
    let result = |name: &str, message: &str| {
        json!({"operation": {
            "name": name,
            "result": {"status": "Success", "message": message},
        }})
    };
    let with_status = |name: &str, message: &str, status: &str| {
        let mut answer = result(name, message);
        answer["operation"]["Details"] = json!({"STATUS": status});
        answer
    };
    let cases = [
        (
            include_str!("samples/05-output.json"),
            result("CHANGE PASSWORD", "Password changed successfully"),
        ),
        (
            include_str!("samples/08-output.json"),
            result("DELETE RESOURCE", "Resources deleted successfully."),
        ),
        (
            include_str!("samples/10-output.json"),
            with_status(
                "REQUEST_PASSWORD",
                "Request to view password have been raised successfully",
                "WAITING FOR APPROVAL / CHECKOUT",
            ),
        ),
        (
            include_str!("samples/11-output.json"),
            result("ADMIN_REQUEST_REJECT", "Password Rejected successfully"),
        ),
        (
            include_str!("samples/12-output.json"),
            result("ADMIN_REQUEST_APPROVE", "Password Approved successfully"),
        ),
        (
            include_str!("samples/13-output.json"),
            result(
                "ADMIN_REQUEST_CHECKIN",
                "Password have been checked in successfully",
            ),
        ),
        (
            include_str!("samples/14-output.json"),
            with_status(
                "REQUEST_CHECKOUT",
                "Password have been checked out successfully",
                "***** [checkIn]",
            ),
        ),
        (
            include_str!("samples/15-output.json"),
            with_status(
                "REQUEST_CHECKIN",
                "Password have been checked in successfully",
                "[REQUEST]",
            ),
        ),
        (
            include_str!("samples/16-output.json"),
            result("CREATE_USER", "User Created Successfully"),
        ),
    ];
    for (sample, document) in cases {
        assert_eq!(alone(sample), document);
    }
}

#[test]
fn the_samples_of_answers_are_refused_where_something_is_cut() {
    let no_last_brace = include_str!("samples/06-output.json");
    let line_end_in_a_text = include_str!("samples/07-output.json");
    let no_closing_quote = include_str!("samples/09-output.json");

    assert_eq!(
        refusal(no_last_brace),
        (ErrorKind::Unclosed("an object"), no_last_brace.len())
    );
    assert_eq!(refusal(line_end_in_a_text), (ErrorKind::Control, 173));
    assert_eq!(refusal(no_closing_quote), (ErrorKind::Control, 934));
}
