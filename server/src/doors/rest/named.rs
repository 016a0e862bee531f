//! `POST /api/json/request?OPERATION_NAME=…`: the same operations, all ids in INPUT_DATA.

use crate::domain::{AccountId, ResourceId, UserId};
use crate::doors::rest::input::{Input, Unfit};
use crate::doors::rest::route::{Endpoint, Place, number};

/// The operation that a request names.
pub(super) fn by_name(input: &Input) -> Result<Endpoint, Unfit> {
    Ok(match input.needed("OPERATION_NAME")? {
        "GET_RESOURCES" => Endpoint::Resources,
        "GET_RESOURCEACCOUNTLIST" => Endpoint::Accounts(ResourceId(input.id("RESOURCEID")?)),
        "GET_PASSWORD" => Endpoint::Password(place(input)?),
        "REQUEST_PASSWORD" => Endpoint::RequestPassword(place(input)?),
        "REQUEST_CHECKOUT" => Endpoint::CheckOut(place(input)?),
        "REQUEST_CHECKIN" => Endpoint::CheckIn(place(input)?),
        "GET_PASSWORDREQUEST" => Endpoint::PasswordRequests,
        "ADMIN_REQUEST_APPROVE" => Endpoint::Approve(place(input)?, requester(input)?),
        "ADMIN_REQUEST_REJECT" => Endpoint::Reject(place(input)?, requester(input)?),
        "ADMIN_REQUEST_CHECKIN" => Endpoint::CheckInFor(place(input)?, requester(input)?),
        _ => return Err(Unfit("OPERATION_NAME names no operation".to_owned())),
    })
}

/// `PASSWDID` and `ACCOUNTID` are one number; `RESOURCEID` may be left out.
fn place(input: &Input) -> Result<Place, Unfit> {
    let account = match input.parameter("PASSWDID")? {
        Some(_) => input.id("PASSWDID")?,
        None => input.id("ACCOUNTID")?,
    };
    let resource = match input.parameter("RESOURCEID")? {
        None => None,
        Some(text) => {
            let wrong = || Unfit("RESOURCEID is no number".to_owned());
            Some(ResourceId(number(text).ok_or_else(wrong)?))
        }
    };
    Ok(Place {
        resource,
        account: AccountId(account),
    })
}

/// The user whose request it is, as `GET_PASSWORDREQUEST` tells it.
fn requester(input: &Input) -> Result<UserId, Unfit> {
    input.id("REQUESTEDID").map(UserId)
}

#[cfg(test)]
mod tests {
    use input_data::Limits;

    use super::*;
    use crate::doors::rest::input::query;

    fn named(url: &str, data: &str) -> Result<Endpoint, Unfit> {
        let limits = Limits::default();
        let body = format!("INPUT_DATA={{\"operation\":{{\"Details\":{data}}}}}");
        let input = Input::read(query(Some(url), &limits)?, body.as_bytes(), &limits)?;
        by_name(&input)
    }

    #[test]
    fn an_operation_is_found_by_its_name_and_ids() {
        let alone = Place {
            resource: None,
            account: AccountId(7),
        };
        let whole = Place {
            resource: Some(ResourceId(3)),
            account: AccountId(7),
        };
        let table = [
            ("GET_RESOURCES", "{}", Endpoint::Resources),
            (
                "GET_RESOURCEACCOUNTLIST",
                "{RESOURCEID:3}",
                Endpoint::Accounts(ResourceId(3)),
            ),
            ("GET_PASSWORD", "{PASSWDID:7}", Endpoint::Password(alone)),
            (
                "GET_PASSWORD",
                "{ACCOUNTID:7,RESOURCEID:3}",
                Endpoint::Password(whole),
            ),
            (
                "REQUEST_PASSWORD",
                "{PASSWDID:7}",
                Endpoint::RequestPassword(alone),
            ),
            (
                "REQUEST_CHECKOUT",
                "{PASSWDID:7}",
                Endpoint::CheckOut(alone),
            ),
            ("REQUEST_CHECKIN", "{PASSWDID:7}", Endpoint::CheckIn(alone)),
            ("GET_PASSWORDREQUEST", "{}", Endpoint::PasswordRequests),
            (
                "ADMIN_REQUEST_APPROVE",
                "{PASSWDID:7,REQUESTEDID:2}",
                Endpoint::Approve(alone, UserId(2)),
            ),
            (
                "ADMIN_REQUEST_REJECT",
                "{PASSWDID:7,REQUESTEDID:2}",
                Endpoint::Reject(alone, UserId(2)),
            ),
            (
                "ADMIN_REQUEST_CHECKIN",
                "{PASSWDID:7,REQUESTEDID:2}",
                Endpoint::CheckInFor(alone, UserId(2)),
            ),
        ];

        for (name, data, endpoint) in table {
            let url = format!("OPERATION_NAME={name}");
            assert_eq!(named(&url, data), Ok(endpoint), "{name} {data}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let words = |url: &str, data: &str| named(url, data).unwrap_err().0;

        assert_eq!(words("", "{}"), "OPERATION_NAME is missing");
        assert_eq!(
            words("OPERATION_NAME=get_password", "{}"),
            "OPERATION_NAME names no operation"
        );
        assert_eq!(
            words("OPERATION_NAME=GET_PASSWORD", "{}"),
            "ACCOUNTID is missing"
        );
        assert_eq!(
            words("OPERATION_NAME=GET_PASSWORD", "{PASSWDID:x}"),
            "PASSWDID is no number"
        );
        let place = "{PASSWDID:7,RESOURCEID:-3}";
        assert_eq!(
            words("OPERATION_NAME=GET_PASSWORD", place),
            "RESOURCEID is no number"
        );
        let place = "{PASSWDID:7}";
        assert_eq!(
            words("OPERATION_NAME=ADMIN_REQUEST_REJECT", place),
            "REQUESTEDID is missing"
        );
    }
}
