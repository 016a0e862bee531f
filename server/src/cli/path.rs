//! Paths of the admin API, with names in them that may hold anything.

use std::fmt::Write;

/// A path and query under construction.
#[derive(Clone, Debug)]
pub(crate) struct ApiPath {
    text: String,
    queried: bool,
}

impl ApiPath {
    /// Begins with a fixed part, such as `/v1/users`.
    pub(crate) fn new(root: &'static str) -> Self {
        Self {
            text: root.to_owned(),
            queried: false,
        }
    }

    /// Longer by a segment.
    pub(crate) fn then(mut self, segment: &str) -> Self {
        self.text.push('/');
        encode(segment, &mut self.text);
        self
    }

    /// With a query parameter.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.text.push(if self.queried { '&' } else { '?' });
        self.queried = true;
        self.text.push_str(name);
        self.text.push('=');
        encode(value, &mut self.text);
        self
    }

    /// With a query parameter, if there is a value for it.
    pub(crate) fn maybe(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The text for the request line.
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

/// RFC 3986 §2.3: unreserved characters stay, every other byte is escaped.
fn encode(text: &str, into: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            into.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _done = write!(into, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_gets_out_of_its_segment_or_value() {
        let path = ApiPath::new("/v1/resources")
            .then("../a b/ü?#%")
            .then("x")
            .with("after", "1&limit=2")
            .maybe("limit", None)
            .maybe("user", Some("a@b"));

        assert_eq!(
            path.as_str(),
            "/v1/resources/..%2Fa%20b%2F%C3%BC%3F%23%25/x?after=1%26limit%3D2&user=a%40b"
        );
    }
}
