//! XML-RPC as text, made and read by plain string work: a test of the server must not share the
//! server's codec, or both would be wrong together.

/// A call of `method` with string parameters.
#[must_use]
pub fn call(method: &str, parameters: &[&str]) -> Vec<u8> {
    let values: Vec<String> = parameters
        .iter()
        .map(|text| format!("<string>{}</string>", escaped(text)))
        .collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    call_raw(method, &values)
}

/// A call of `method` whose parameters are XML already: `<boolean>1</boolean>`.
#[must_use]
pub fn call_raw(method: &str, values: &[&str]) -> Vec<u8> {
    let mut text = format!(
        "<?xml version=\"1.0\"?><methodCall><methodName>{}</methodName><params>",
        escaped(method)
    );
    for value in values {
        text.push_str("<param><value>");
        text.push_str(value);
        text.push_str("</value></param>");
    }
    text.push_str("</params></methodCall>");
    text.into_bytes()
}

/// The scalar member `name` of the first struct that has one: `resultCode`, `faultCode`.
#[must_use]
pub fn member(xml: &str, name: &str) -> Option<String> {
    let (_, rest) = xml.split_once(&format!("<name>{name}</name>"))?;
    scalar(rest)
}

/// The answer's first value, when it is a scalar.
#[must_use]
pub fn value(xml: &str) -> Option<String> {
    scalar(xml)
}

/// Whether the answer is a fault.
#[must_use]
pub fn is_fault(xml: &str) -> bool {
    xml.contains("<fault>")
}

fn scalar(xml: &str) -> Option<String> {
    let (_, inside) = xml.split_once("<value>")?;
    let (inside, _) = inside.split_once("</value>")?;
    let inside = inside.trim();
    let text = match inside.split_once('>') {
        Some((_, text)) if inside.starts_with('<') => text.split_once("</").map_or("", |(t, _)| t),
        _ => inside,
    };
    Some(unescaped(text))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let (entity, after) = after.split_once(';').unwrap_or((after, ""));
        out.push_str(&character(entity));
        rest = after;
    }
    out.push_str(rest);
    out
}

fn character(entity: &str) -> String {
    let numbered = |digits: &str, radix| u32::from_str_radix(digits, radix).ok();
    let code = match entity {
        "lt" => return "<".to_owned(),
        "gt" => return ">".to_owned(),
        "amp" => return "&".to_owned(),
        "quot" => return "\"".to_owned(),
        "apos" => return "'".to_owned(),
        other => match other.strip_prefix("#x") {
            Some(digits) => numbered(digits, 16),
            None => other
                .strip_prefix('#')
                .and_then(|digits| numbered(digits, 10)),
        },
    };
    code.and_then(char::from_u32)
        .map_or_else(|| format!("&{entity};"), String::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_and_values_are_read_through_types_and_entities() {
        let xml = "<params><param><value><struct><member><name>resultCode</name><value><int>12</int>\
                   </value></member><member><name>password</name><value>a&lt;b&#x41;</value></member>\
                   </struct></value></param></params>";

        assert_eq!(member(xml, "resultCode").as_deref(), Some("12"));
        assert_eq!(member(xml, "password").as_deref(), Some("a<bA"));
        assert_eq!(member(xml, "absent"), None);
        assert_eq!(value("<value><string/></value>").as_deref(), Some(""));
        assert_eq!(
            value("<value><string>x y</string></value>").as_deref(),
            Some("x y")
        );
    }
}
