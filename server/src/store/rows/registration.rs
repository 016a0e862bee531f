//! The forms of what applications may have by API key: not JSON, so that no parser keeps an unwiped
//! copy of a key.

use zeroize::Zeroizing;

use crate::domain::{
    AccountId, ApiKey, ApplicationId, Broker, GroupId, Host, OrgId, ResourceId, Retrievable,
    Timestamp, UserId,
};
use crate::store::rows::Record;

/// An account that an application may have, with the key for it.
#[derive(Clone, Debug)]
pub struct RetrievableRow {
    /// What it may have.
    pub retrievable: Retrievable,
    /// The key.
    pub key: ApiKey,
}

/// In whose names an application raises requests, with the key for it.
#[derive(Clone, Debug)]
pub struct BrokerRow {
    /// In whose names.
    pub broker: Broker,
    /// The key.
    pub key: ApiKey,
}

impl Record for RetrievableRow {
    /// `form(1)=1 || application(8) || org(8) || resource(8) || account(8) || created(8) || key(44) ||
    /// addresses, a line each`.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let it = &self.retrievable;
        let from = lines(&it.from);
        let parts: [&[u8]; 8] = [
            &[1],
            &it.application.0.to_be_bytes(),
            &it.org.0.to_be_bytes(),
            &it.resource.0.to_be_bytes(),
            &it.account.0.to_be_bytes(),
            &it.created.0.to_be_bytes(),
            self.key.expose().as_bytes(),
            from.as_bytes(),
        ];
        Zeroizing::new(parts.concat())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[1], bytes) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (numbers, bytes) = bytes.split_first_chunk::<40>()?;
        let ([application, org, resource, account, created], _) = numbers.as_chunks::<8>() else {
            return None;
        };
        let (key, from) = read_key(bytes)?;
        let retrievable = Retrievable {
            application: ApplicationId(u64::from_be_bytes(*application)),
            org: OrgId(u64::from_be_bytes(*org)),
            resource: ResourceId(u64::from_be_bytes(*resource)),
            account: AccountId(u64::from_be_bytes(*account)),
            created: Timestamp(i64::from_be_bytes(*created)),
            from: read_lines(from)?,
        };
        Some(Self { retrievable, key })
    }
}

impl Record for BrokerRow {
    /// `form(1)=1 || wide(1) || application(8) || org(8) || key(44) || count of users(4) || users(8 each) ||
    /// count of groups(4) || groups(8 each) || addresses, a line each`.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let it = &self.broker;
        let users: Vec<u64> = it.users.iter().map(|user| user.0).collect();
        let groups: Vec<u64> = it.groups.iter().map(|group| group.0).collect();
        let (users, groups, from) = (counted(&users), counted(&groups), lines(&it.from));
        let parts: [&[u8]; 7] = [
            &[1, u8::from(it.wide)],
            &it.application.0.to_be_bytes(),
            &it.org.0.to_be_bytes(),
            self.key.expose().as_bytes(),
            &users,
            &groups,
            from.as_bytes(),
        ];
        Zeroizing::new(parts.concat())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[1, wide @ (0 | 1)], bytes) = bytes.split_first_chunk::<2>()? else {
            return None;
        };
        let (application, bytes) = bytes.split_first_chunk::<8>()?;
        let (org, bytes) = bytes.split_first_chunk::<8>()?;
        let (key, bytes) = read_key(bytes)?;
        let (users, bytes) = read_counted(bytes)?;
        let (groups, from) = read_counted(bytes)?;
        let broker = Broker {
            application: ApplicationId(u64::from_be_bytes(*application)),
            org: OrgId(u64::from_be_bytes(*org)),
            users: users.into_iter().map(UserId).collect(),
            groups: groups.into_iter().map(GroupId).collect(),
            from: read_lines(from)?,
            wide: wide == 1,
        };
        Some(Self { broker, key })
    }
}

fn lines(from: &[Host]) -> String {
    let hosts: Vec<String> = from.iter().map(ToString::to_string).collect();
    hosts.join("\n")
}

fn read_lines(bytes: &[u8]) -> Option<Vec<Host>> {
    let text = std::str::from_utf8(bytes).ok()?;
    text.lines().map(|line| Host::parse(line).ok()).collect()
}

fn read_key(bytes: &[u8]) -> Option<(ApiKey, &[u8])> {
    let (key, rest) = bytes.split_first_chunk::<44>()?;
    let key = ApiKey::parse(std::str::from_utf8(key).ok()?).ok()?;
    Some((key, rest))
}

fn counted(numbers: &[u64]) -> Vec<u8> {
    // Far fewer than 2³²: a setting says how many.
    let count = u32::try_from(numbers.len()).unwrap_or(u32::MAX);
    let mut bytes = count.to_be_bytes().to_vec();
    bytes.extend(numbers.iter().flat_map(|number| number.to_be_bytes()));
    bytes
}

fn read_counted(bytes: &[u8]) -> Option<(Vec<u64>, &[u8])> {
    let (count, bytes) = bytes.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*count)).ok()?;
    let (numbers, rest) = bytes.split_at_checked(length.checked_mul(8)?)?;
    let (numbers, _) = numbers.as_chunks::<8>();
    let numbers = numbers.iter().map(|bytes| u64::from_be_bytes(*bytes));
    Some((numbers.collect(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> ApiKey {
        ApiKey::from_bytes(&Zeroizing::new([7; 32]))
    }

    fn from() -> Vec<Host> {
        ["10.0.0.0/8", "::1"]
            .map(|host| Host::parse(host).unwrap())
            .into()
    }

    #[test]
    fn what_is_kept_reads_back_and_what_is_cut_does_not() {
        let row = RetrievableRow {
            retrievable: Retrievable {
                application: ApplicationId(1),
                org: OrgId(2),
                resource: ResourceId(3),
                account: AccountId(4),
                from: from(),
                created: Timestamp(5),
            },
            key: key(),
        };
        let broker = BrokerRow {
            broker: Broker {
                application: ApplicationId(1),
                org: OrgId(2),
                from: from(),
                users: vec![UserId(3), UserId(4)],
                groups: vec![GroupId(5)],
                wide: true,
            },
            key: key(),
        };

        let (bytes, other) = (row.encode(), broker.encode());
        let read = RetrievableRow::decode(&bytes).unwrap();
        let read_broker = BrokerRow::decode(&other).unwrap();

        assert_eq!(read.retrievable, row.retrievable);
        assert_eq!(read.key.expose(), row.key.expose());
        assert_eq!(read_broker.broker, broker.broker);
        assert_eq!(read_broker.key.expose(), broker.key.expose());
        assert!(RetrievableRow::decode(&bytes[..80]).is_none());
        assert!(BrokerRow::decode(&other[..80]).is_none());
        assert!(BrokerRow::decode(&bytes).is_none());
    }
}
