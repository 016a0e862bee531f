//! The form of a secret that is no password.

use zeroize::Zeroizing;

use crate::domain::{
    Change, Material, Password, SecretBytes, SecretKind, SecretVersion, Timestamp, UserId,
};
use crate::store::rows::Record;

/// A secret that is no password, with its history.
#[derive(Debug)]
pub struct MaterialRow {
    /// When and by whom it became the one in force.
    pub change: Change,
    /// The secret.
    pub material: Material,
}

impl Record for MaterialRow {
    /// `form(1)=2 || kind(1) || version(8) || at(8) || by(8), 0 the operator || length of name(2) ||
    /// name || secret`: not JSON, so that no parser keeps an unwiped copy.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let (name, secret) = (self.material.name(), self.material.expose());
        let name = name.unwrap_or_default().as_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(28 + name.len() + secret.len()));
        bytes.push(2);
        bytes.push(number_of(self.material.kind()));
        bytes.extend_from_slice(&self.change.version.0.to_be_bytes());
        bytes.extend_from_slice(&self.change.at.0.to_be_bytes());
        bytes.extend_from_slice(&self.change.by.map_or(0, |user| user.0).to_be_bytes());
        // A name has 255 characters at most, of four bytes.
        let length = u16::try_from(name.len()).unwrap_or(u16::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(name);
        bytes.extend_from_slice(secret);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[2, kind], bytes) = bytes.split_first_chunk::<2>()? else {
            return None;
        };
        let (version, bytes) = bytes.split_first_chunk::<8>()?;
        let (at, bytes) = bytes.split_first_chunk::<8>()?;
        let (by, bytes) = bytes.split_first_chunk::<8>()?;
        let (length, bytes) = bytes.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (name, secret) = bytes.split_at_checked(length)?;
        let by = u64::from_be_bytes(*by);
        Some(Self {
            change: Change {
                version: SecretVersion(u64::from_be_bytes(*version)),
                at: Timestamp(i64::from_be_bytes(*at)),
                by: (by != 0).then_some(UserId(by)),
                generated: false,
            },
            material: read(kind, std::str::from_utf8(name).ok()?, secret)?,
        })
    }
}

fn read(kind: u8, name: &str, secret: &[u8]) -> Option<Material> {
    let text = || {
        let text = Zeroizing::new(std::str::from_utf8(secret).ok()?.to_owned());
        Password::parse(text).ok()
    };
    let kind = SecretKind::ALL
        .into_iter()
        .find(|it| number_of(*it) == kind)?;
    match kind {
        SecretKind::Password => None,
        SecretKind::File => {
            let content = SecretBytes::new(Zeroizing::new(secret.to_vec()));
            Material::file(name, content).ok()
        }
        SecretKind::SshKey => Material::ssh_key(text()?).ok(),
        SecretKind::ApiKey => Material::api_key(name, text()?).ok(),
    }
}

/// Never to be given to another kind.
fn number_of(kind: SecretKind) -> u8 {
    match kind {
        SecretKind::Password => 0,
        SecretKind::File => 1,
        SecretKind::SshKey => 2,
        SecretKind::ApiKey => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_reads_back_and_a_password_does_not() {
        let content = SecretBytes::new(Zeroizing::new(b"\0\xff\n".to_vec()));
        let row = MaterialRow {
            change: Change {
                version: SecretVersion(3),
                at: Timestamp(7),
                by: Some(UserId(9)),
                generated: false,
            },
            material: Material::file("key.p12", content).unwrap(),
        };

        let bytes = row.encode();
        let read = MaterialRow::decode(&bytes).unwrap();

        assert_eq!(read.change, row.change);
        assert_eq!(read.material.expose(), b"\0\xff\n");
        assert_eq!(read.material.name(), Some("key.p12"));
        for (at, byte) in [(0, 1), (1, 0), (1, 4), (1, 2)] {
            let mut other = bytes.to_vec();
            other[at] = byte;
            assert!(MaterialRow::decode(&other).is_none(), "{at} {byte}");
        }
        assert!(MaterialRow::decode(&bytes[..30]).is_none(), "cut");
    }
}
