//! Messages that must be read, and as what.
#![expect(clippy::unwrap_used, reason = "a test may fail by panicking")]

use xmlrpc_codec::{
    Base64, Call, DateTime, Fault, IntoValue, Limits, Response, Struct, Value, decode_call,
    decode_response, encode_call, encode_response,
};

fn call_of(xml: &str) -> Call {
    decode_call(xml.as_bytes(), None, &Limits::default()).unwrap()
}

/// The value written so, read from a call.
fn value_of(xml: &str) -> Value {
    let call = call_of(&format!(
        "<methodCall><methodName>m</methodName><params><param>{xml}</param></params></methodCall>"
    ));
    call.params.into_iter().next().unwrap()
}

#[test]
fn each_type_is_read() {
    let when = DateTime::new((1998, 7, 17), (14, 8, 55)).unwrap();
    let cases: [(&str, Value); 24] = [
        ("<value><int>-7</int></value>", Value::Int(-7)),
        ("<value><i4>+41</i4></value>", Value::Int(41)),
        ("<value><boolean>1</boolean></value>", Value::Bool(true)),
        ("<value><boolean>0</boolean></value>", Value::Bool(false)),
        ("<value><string>a b</string></value>", "a b".into_value()),
        ("<value><string/></value>", "".into_value()),
        ("<value>plain</value>", "plain".into_value()),
        ("<value></value>", "".into_value()),
        ("<value/>", "".into_value()),
        ("<value>  </value>", "  ".into_value()),
        ("<value> \n <int>1</int> \n </value>", Value::Int(1)),
        ("<value><!-- c --><int>1<?pi?></int></value>", Value::Int(1)),
        (
            "<value><double>-12.214</double></value>",
            Value::Double(-12.214),
        ),
        ("<value><double>3</double></value>", Value::Double(3.0)),
        (
            "<value><dateTime.iso8601>19980717T14:08:55</dateTime.iso8601></value>",
            when.into_value(),
        ),
        (
            "<value><base64> AAH/ \n</base64></value>",
            Base64(vec![0, 1, 255]).into_value(),
        ),
        ("<value><nil/></value>", Value::Nil),
        ("<value><nil></nil></value>", Value::Nil),
        (
            "<value><array><data></data></array></value>",
            Value::Array(vec![]),
        ),
        (
            "<value><array><data/></array></value>",
            Value::Array(vec![]),
        ),
        (
            "<value><array><data><value>1</value><value><i4>1</i4></value></data></array></value>",
            Value::Array(vec!["1".into_value(), Value::Int(1)]),
        ),
        ("<value><struct/></value>", Value::Struct(Struct::new())),
        (
            "<value><struct>\n<member><name>b</name><value>1</value></member>\
             <member>\n<name>a</name>\n<value><nil/></value>\n</member></struct></value>",
            Struct::new().with("b", "1").with("a", ()).into_value(),
        ),
        (
            "<value><struct><member><name/><value/></member></struct></value>",
            { Struct::new().with("", "").into_value() },
        ),
    ];
    for (xml, value) in cases {
        assert!(value_of(xml) == value, "{xml}: {:?}", value_of(xml));
    }
}

#[test]
fn texts_stay_as_they_are() {
    for (xml, text) in [
        ("  a  b  ", "  a  b  "),
        ("\t\n\r\n\r", "\t\n\r\n\r"),
        ("&lt;&gt;&amp;&apos;&quot;", "<>&'\""),
        ("&#60;&#x3c;&#x3C;&#13;&#00009;", "<<<\r\t"),
        ("a<!-- not -->b<?nor this?>c", "abc"),
        ("<![CDATA[<b>&amp;]]]]><![CDATA[>]]>", "<b>&amp;]]>"),
        ("a<![CDATA[]]>b", "ab"),
        ("]] >", "]] >"),
        ("é€😀\u{85}\u{2028}\u{FFFD}", "é€😀\u{85}\u{2028}\u{FFFD}"),
        ("&#233;&#x20AC;&#128512;", "é€😀"),
    ] {
        for xml in [
            format!("<value>{xml}</value>"),
            format!("<value><string>{xml}</string></value>"),
        ] {
            assert_eq!(value_of(&xml).into_string().unwrap(), text, "{xml}");
        }
    }
}

#[test]
fn a_call_may_come_without_params() {
    for params in ["", "<params/>", "<params></params>", " <!-- none --> "] {
        let xml = format!("<methodCall><methodName>a.b:c/d_9</methodName>{params}</methodCall>");

        assert_eq!(call_of(&xml), Call::new("a.b:c/d_9"));
    }
}

#[test]
fn what_surrounds_the_root_is_skipped() {
    let call = call_of(
        "<?xml version=\"1.0\"?>\n<!-- a --><?b c?>\n\
         <methodCall xmlns:ex='http://ws.apache.org/xmlrpc/namespaces/extensions'>\
         <methodName>m</methodName></methodCall >\n<!-- d --><?e?>\n",
    );

    assert_eq!(call, Call::new("m"));
}

#[test]
fn python_and_php_and_apache_are_understood() {
    let python = "<?xml version='1.0'?>\n<methodCall>\n<methodName>m</methodName>\n<params>\n\
        <param>\n<value><string>a</string></value>\n</param>\n<param>\n<value><boolean>1</boolean>\
        </value>\n</param>\n</params>\n</methodCall>\n";
    let apache = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><methodCall><methodName>m</methodName>\
        <params><param><value>a</value></param><param><value><boolean>1</boolean></value></param>\
        </params></methodCall>";

    for xml in [python, apache] {
        assert_eq!(call_of(xml), Call::new("m").with("a").with(true));
    }
}

#[test]
fn answers_are_values_or_faults() {
    let read = |xml: &str| decode_response(xml.as_bytes(), None, &Limits::default()).unwrap();
    let fault = "<methodResponse><fault><value><struct><member><name>faultString</name>\
        <value>Too many.</value></member><member><name>faultCode</name><value><int>4</int></value>\
        </member></struct></value></fault></methodResponse>";
    let value = "<methodResponse>\n <params>\n <param>\n <value>x</value>\n </param>\n </params>\n\
        </methodResponse>";

    assert_eq!(read(fault), Response::fault(4, "Too many."));
    assert_eq!(read(value), Response::value("x"));
    let refused = Fault {
        code: 4,
        message: "Too many.".to_owned(),
    };
    assert_eq!(read(fault).into_result(), Err(refused));
    assert_eq!(read(value).into_result(), Ok("x".into_value()));
}

#[test]
fn messages_are_written_exactly_so() {
    let call = Call::new("a.b")
        .with("<&>\r\n\t'\"")
        .with(Struct::new().with("n", 1))
        .with(1.0);

    assert_eq!(
        String::from_utf8(encode_call(&call).unwrap()).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><methodCall><methodName>a.b</methodName><params>\
         <param><value><string>&lt;&amp;&gt;&#13;\n\t'\"</string></value></param>\
         <param><value><struct><member><name>n</name><value><int>1</int></value></member></struct>\
         </value></param><param><value><double>1.0</double></value></param></params></methodCall>"
    );
    assert_eq!(
        String::from_utf8(encode_response(&Response::fault(2, "a<b")).unwrap()).unwrap(),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><methodResponse><fault><value><struct><member>\
         <name>faultCode</name><value><int>2</int></value></member><member><name>faultString</name>\
         <value><string>a&lt;b</string></value></member></struct></value></fault></methodResponse>"
    );
}

#[test]
fn debug_shows_no_text() {
    let call = Call::new("m")
        .with("canary")
        .with(Base64(b"canary".to_vec()))
        .with(Struct::new().with("password", "canary"))
        .with(vec!["canary"]);

    let shown = format!("{call:?} {:?}", Response::Value(call.params[2].clone()));

    assert!(!shown.contains("canary"), "{shown}");
}
