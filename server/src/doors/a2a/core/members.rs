//! The members of a JSON object that came along, in whatever case and by whichever version's names.

use serde_json::{Map, Value};

use crate::doors::a2a::Asked;
use crate::doors::a2a::reply::Refusal;

/// The members of an object that holds no secret.
#[derive(Debug)]
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// Those of the body.
    ///
    /// # Errors
    /// 400 where there is no body, or it is no object.
    pub(super) fn read(asked: &Asked<'_>) -> Result<Self, Refusal> {
        asked.json().map(Self)
    }

    #[cfg(test)]
    pub(super) fn of(object: Map<String, Value>) -> Self {
        Self(object)
    }

    /// Whether it is there and not `null`.
    pub(super) fn has(&self, names: &[&str]) -> bool {
        self.find(names).is_some()
    }

    /// The members of an object within; nothing where there is none, or `null`.
    ///
    /// # Errors
    /// 400 for something else.
    pub(super) fn object(&self, names: &[&str]) -> Result<Option<Self>, Refusal> {
        match self.find(names) {
            None => Ok(None),
            Some((_, Value::Object(object))) => Ok(Some(Self(object.clone()))),
            Some((name, _)) => Err(wrong(name, "It is an object.")),
        }
    }

    /// The members of each of a list of objects; an empty list where there is none.
    ///
    /// # Errors
    /// 400 for something else.
    pub(super) fn objects(&self, names: &[&str]) -> Result<Vec<Self>, Refusal> {
        let each = |value: &Value| value.as_object().map(|object| Self(object.clone()));
        self.list(names, "It is a list of objects.", each)
    }

    /// A number, also in quotes; nothing where there is none, or `null`.
    ///
    /// # Errors
    /// 400 for something else.
    pub(super) fn number(&self, names: &[&str]) -> Result<Option<i64>, Refusal> {
        let Some((name, value)) = self.find(names) else {
            return Ok(None);
        };
        let number = match value {
            Value::Number(number) => number.as_i64(),
            Value::String(text) => text.trim().parse().ok(),
            _ => None,
        };
        number
            .map(Some)
            .ok_or_else(|| wrong(name, "It is a number."))
    }

    /// A text; nothing where there is none, or `null`.
    ///
    /// # Errors
    /// 400 for something else.
    pub(super) fn text(&self, names: &[&str]) -> Result<Option<String>, Refusal> {
        match self.find(names) {
            None => Ok(None),
            Some((_, Value::String(text))) => Ok(Some(text.clone())),
            Some((name, _)) => Err(wrong(name, "It is a text.")),
        }
    }

    /// A truth; `false` where there is none.
    ///
    /// # Errors
    /// 400 for something else.
    pub(super) fn truth(&self, names: &[&str]) -> Result<bool, Refusal> {
        match self.find(names) {
            None => Ok(false),
            Some((_, Value::Bool(truth))) => Ok(*truth),
            Some((name, _)) => Err(wrong(name, "It is true or false.")),
        }
    }

    /// An id; nothing where there is none, or one below 1, which stands for none.
    ///
    /// # Errors
    /// 400 for something else.
    pub(super) fn id(&self, names: &[&str]) -> Result<Option<u64>, Refusal> {
        match self.find(names) {
            None => Ok(None),
            Some((name, value)) => id_of(value).ok_or_else(|| wrong(name, "It is a number.")),
        }
    }

    /// A list of texts; an empty one where there is none.
    ///
    /// # Errors
    /// 400 for something else.
    pub(super) fn texts(&self, names: &[&str]) -> Result<Vec<String>, Refusal> {
        let each = |value: &Value| value.as_str().map(str::to_owned);
        self.list(names, "It is a list of texts.", each)
    }

    /// The ids of a list of objects, each under one of `inner`; an empty list where there is none.
    ///
    /// # Errors
    /// 400 for something else.
    pub(super) fn ids(&self, names: &[&str], inner: &[&str]) -> Result<Vec<u64>, Refusal> {
        let each = |value: &Value| match value {
            Value::Object(object) => find(object, inner).and_then(|(_, id)| id_of(id).flatten()),
            other => id_of(other).flatten(),
        };
        self.list(names, "It is a list of objects with ids.", each)
    }

    /// Whether the entity says to be another one than that at the address.
    ///
    /// # Errors
    /// 400/60102.
    pub(super) fn must_be(&self, names: &[&str], id: u64) -> Result<(), Refusal> {
        match self.id(names)? {
            Some(other) if other != id => Err(Refusal::new(
                http::StatusCode::BAD_REQUEST,
                OTHER_KEY,
                "Entity's key value does not match the resource URI.",
            )),
            _ => Ok(()),
        }
    }

    fn list<T>(
        &self,
        names: &[&str],
        what: &str,
        each: impl Fn(&Value) -> Option<T>,
    ) -> Result<Vec<T>, Refusal> {
        match self.find(names) {
            None => Ok(Vec::new()),
            Some((name, Value::Array(values))) => {
                let read: Option<Vec<T>> = values.iter().map(each).collect();
                read.ok_or_else(|| wrong(name, what))
            }
            Some((name, _)) => Err(wrong(name, what)),
        }
    }

    fn find(&self, names: &[&str]) -> Option<(&str, &Value)> {
        find(&self.0, names)
    }
}

/// The first of `names` that is there and not `null`.
fn find<'a>(object: &'a Map<String, Value>, names: &[&str]) -> Option<(&'a str, &'a Value)> {
    let named = |name: &&str| {
        let mut members = object.iter();
        members.find(|(own, value)| own.eq_ignore_ascii_case(name) && !value.is_null())
    };
    names
        .iter()
        .find_map(named)
        .map(|(name, value)| (name.as_str(), value))
}

/// An id, also in quotes; nothing within for those that stand for none.
fn id_of(value: &Value) -> Option<Option<u64>> {
    let number = match value {
        Value::Number(number) => number.as_i128(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.map(|number| u64::try_from(number).ok().filter(|id| *id > 0))
}

fn wrong(name: &str, why: &str) -> Refusal {
    let name: String = name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(64)
        .collect();
    Refusal::field(&format!("entity.{name}"), why)
}

/// Entity's key value does not match the resource URI.
const OTHER_KEY: i32 = 60102;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn members(value: &Value) -> Members {
        Members(value.as_object().unwrap().clone())
    }

    #[test]
    fn members_are_found_in_any_case_and_by_every_name() {
        let it = members(&json!({
            "appname": "x", "SystemId": "7", "Disabled": true, "From": ["a"], "No": null, "User": -1,
            "Users": [{"UserId": 3}, {"userid": "4"}, 5],
        }));

        assert_eq!(it.text(&["AppName"]), Ok(Some("x".to_owned())));
        assert_eq!(it.id(&["AssetId", "SystemId"]), Ok(Some(7)));
        assert_eq!(it.id(&["User"]), Ok(None));
        assert_eq!(it.truth(&["Disabled"]), Ok(true));
        assert_eq!(it.truth(&["No"]), Ok(false));
        assert_eq!(it.texts(&["From"]), Ok(vec!["a".to_owned()]));
        assert_eq!(it.texts(&["No"]), Ok(Vec::new()));
        assert_eq!(it.ids(&["Users"], &["UserId", "Id"]), Ok(vec![3, 4, 5]));
    }

    #[test]
    fn what_is_of_another_kind_is_named() {
        let it = members(
            &json!({"AppName": 5, "Disabled": "yes", "Id": [], "From": [1], "Users": [{}]}),
        );
        let named = |refusal: Refusal| (refusal.status.as_u16(), refusal.model[0].0.clone());

        assert_eq!(
            named(it.text(&["AppName"]).unwrap_err()),
            (400, "entity.AppName".to_owned())
        );
        assert_eq!(
            named(it.truth(&["disabled"]).unwrap_err()).1,
            "entity.Disabled"
        );
        assert_eq!(named(it.id(&["Id"]).unwrap_err()).1, "entity.Id");
        assert_eq!(named(it.texts(&["From"]).unwrap_err()).1, "entity.From");
        assert_eq!(
            named(it.ids(&["Users"], &["Id"]).unwrap_err()).1,
            "entity.Users"
        );
    }

    #[test]
    fn an_entity_may_leave_its_id_out_and_not_name_another() {
        let it = members(&json!({"Id": 5}));

        assert_eq!(it.must_be(&["Id"], 5), Ok(()));
        assert_eq!(it.must_be(&["Other"], 5), Ok(()));
        assert_eq!(it.must_be(&["Id"], 6).unwrap_err().code, 60102);
    }
}
