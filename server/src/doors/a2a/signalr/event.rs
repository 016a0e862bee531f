//! A change as the original's clients hear it.

use jiff::Timestamp as Moment;
use serde::Serialize;

use crate::domain::{SecretKind, Timestamp};
use crate::doors::a2a::signalr::talk::call;
use crate::vault::Changed;

/// The argument of the one call that there is.
#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Event<'a> {
    name: &'a str,
    data: Data<'a>,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Data<'a> {
    event_name: &'a str,
    event_timestamp: String,
    asset_id: u64,
    asset_name: &'a str,
    account_id: u64,
    account_name: &'a str,
    account_domain_name: Option<&'a str>,
}

/// The call that tells of `changed`; nothing for what the original has no word for.
pub(super) fn event(changed: &Changed) -> Option<String> {
    let name = name(changed.kind)?;
    let data = Data {
        event_name: name,
        event_timestamp: moment(changed.at),
        asset_id: changed.resource.0,
        asset_name: changed.resource_name.as_str(),
        account_id: changed.account.0,
        account_name: changed.account_name.as_str(),
        account_domain_name: None,
    };
    Some(call("NotifyEventAsync", &Event { name, data }))
}

fn moment(at: Timestamp) -> String {
    let moment = Moment::from_millisecond(at.0);
    moment.map_or_else(|_| at.0.to_string(), |moment| format!("{moment:.3}"))
}

fn name(kind: SecretKind) -> Option<&'static str> {
    match kind {
        SecretKind::Password => Some("AssetAccountPasswordUpdated"),
        SecretKind::SshKey => Some("AssetAccountSshKeyUpdated"),
        SecretKind::ApiKey => Some("AccountApiKeySecretUpdated"),
        SecretKind::File => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::domain::{AccountId, AccountName, ResourceId, ResourceName};

    use super::*;

    #[test]
    fn an_event_has_its_name_twice_and_no_secret() {
        let mut changed = Changed {
            resource: ResourceId(3),
            resource_name: ResourceName::parse("db").unwrap(),
            account: AccountId(7),
            account_name: AccountName::parse("root").unwrap(),
            kind: SecretKind::Password,
            at: Timestamp(1_638_392_445_034),
        };

        let expected = concat!(
            r#"{"type":1,"target":"NotifyEventAsync","arguments":["#,
            r#"{"Name":"AssetAccountPasswordUpdated","Data":{"#,
            r#""EventName":"AssetAccountPasswordUpdated","#,
            r#""EventTimestamp":"2021-12-01T21:00:45.034Z","AssetId":3,"AssetName":"db","#,
            r#""AccountId":7,"AccountName":"root","AccountDomainName":null}}]}"#,
            "\u{1e}"
        );
        assert_eq!(event(&changed).unwrap(), expected);
        changed.kind = SecretKind::File;
        assert_eq!(event(&changed), None);
    }
}
