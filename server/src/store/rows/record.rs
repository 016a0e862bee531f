//! What records are.

use zeroize::Zeroizing;

use crate::domain::{
    AccessControl, AccessPolicy, Account, Application, Change, Custody, Due, FreeText, Group,
    Organisation, Password, PasswordPolicy, RegisteredSshKey, Request, ResetTarget, Resource,
    ResourceGroup, Rotation, SecretVersion, Share, SshKey, Timestamp, User, UserId,
};
use crate::store::rows::access_policy::AccessPolicyForm;
use crate::store::rows::application::ApplicationForm;
use crate::store::rows::custody::{AccessControlForm, CustodyForm, RequestForm};
use crate::store::rows::form::{
    AccountForm, Form, GroupForm, OrganisationForm, PolicyForm, ResourceForm, ResourceGroupForm,
    ShareForm, UserForm,
};
use crate::store::rows::target::{DueForm, ResetTargetForm, RotationForm};

/// Something that is kept in a row.
pub trait Record: Sized + Send {
    /// The bytes to seal.
    fn encode(&self) -> Zeroizing<Vec<u8>>;

    /// What the bytes say; `None` when they are of another form.
    fn decode(bytes: &[u8]) -> Option<Self>;
}

macro_rules! by_form {
    ($($record:ty => $form:ty,)*) => { $(
        impl Record for $record {
            fn encode(&self) -> Zeroizing<Vec<u8>> {
                // Writing numbers and texts as JSON into memory has no way to go wrong.
                Zeroizing::new(serde_json::to_vec(&<$form as Form<Self>>::of(self)).unwrap_or_default())
            }

            fn decode(bytes: &[u8]) -> Option<Self> {
                Form::<Self>::read(serde_json::from_slice::<$form>(bytes).ok()?)
            }
        }
    )* };
}

by_form! {
    Organisation => OrganisationForm,
    User => UserForm,
    Group => GroupForm,
    ResourceGroup => ResourceGroupForm,
    Application => ApplicationForm,
    Resource => ResourceForm,
    Account => AccountForm,
    Share => ShareForm,
    PasswordPolicy => PolicyForm,
    AccessControl => AccessControlForm,
    AccessPolicy => AccessPolicyForm,
    Request => RequestForm,
    Custody => CustodyForm,
    ResetTarget => ResetTargetForm,
    Rotation => RotationForm,
    Due => DueForm,
}

/// A list of ids: what an index row holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids(pub Vec<u64>);

impl Record for Ids {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.iter().flat_map(|id| id.to_be_bytes()).collect())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (ids, rest) = bytes.as_chunks::<8>();
        rest.is_empty()
            .then(|| Self(ids.iter().map(|id| u64::from_be_bytes(*id)).collect()))
    }
}

/// The first id that has not been given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NextId(pub u64);

impl Record for NextId {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_be_bytes().to_vec())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self(u64::from_be_bytes(bytes.try_into().ok()?)))
    }
}

impl Record for Timestamp {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(self.0.to_be_bytes().to_vec())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self(i64::from_be_bytes(bytes.try_into().ok()?)))
    }
}

/// Where the ledger stood: a later ledger that does not have this was cut or replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AnchorRow {
    /// The sequence number of its last record.
    pub seq: u64,
    /// That record's tag.
    pub tag: [u8; 32],
}

impl Record for AnchorRow {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([&self.seq.to_be_bytes()[..], &self.tag].concat())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (seq, tag) = bytes.split_first_chunk::<8>()?;
        Some(Self {
            seq: u64::from_be_bytes(*seq),
            tag: tag.try_into().ok()?,
        })
    }
}

impl Record for RegisteredSshKey {
    /// `form(1)=1 || added(8) || length of the key(4) || key || comment`.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let blob = self.key.blob();
        // A key is checked before it is one: it is far shorter than 4 GiB.
        let length = u32::try_from(blob.len()).unwrap_or(u32::MAX);
        let parts: [&[u8]; 5] = [
            &[1],
            &self.added.0.to_be_bytes(),
            &length.to_be_bytes(),
            blob,
            self.key.comment().as_str().as_bytes(),
        ];
        Zeroizing::new(parts.concat())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[1], bytes) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (added, bytes) = bytes.split_first_chunk::<8>()?;
        let (length, bytes) = bytes.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (blob, comment) = bytes.split_at_checked(length)?;
        let comment = match std::str::from_utf8(comment).ok()? {
            "" => FreeText::default(),
            text => FreeText::parse(text).ok()?,
        };
        Some(Self {
            key: SshKey::of(blob.to_vec(), comment).ok()?,
            added: Timestamp(i64::from_be_bytes(*added)),
        })
    }
}

/// A password with its history.
#[derive(Debug)]
pub struct SecretRow {
    /// When and by whom it became the one in force.
    pub change: Change,
    /// The password.
    pub password: Password,
}

impl Record for SecretRow {
    /// `form(1)=1 || version(8) || at(8) || by(8), 0 the operator || generated(1) || password`: not
    /// JSON, so that no parser keeps an unwiped copy.
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let text = self.password.expose().as_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(26 + text.len()));
        bytes.push(1);
        bytes.extend_from_slice(&self.change.version.0.to_be_bytes());
        bytes.extend_from_slice(&self.change.at.0.to_be_bytes());
        bytes.extend_from_slice(&self.change.by.map_or(0, |user| user.0).to_be_bytes());
        bytes.push(u8::from(self.change.generated));
        bytes.extend_from_slice(text);
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[1], bytes) = bytes.split_first_chunk::<1>()? else {
            return None;
        };
        let (version, bytes) = bytes.split_first_chunk::<8>()?;
        let (at, bytes) = bytes.split_first_chunk::<8>()?;
        let (by, bytes) = bytes.split_first_chunk::<8>()?;
        let (&[generated], text) = bytes.split_first_chunk::<1>()?;
        let by = u64::from_be_bytes(*by);
        let text = Zeroizing::new(std::str::from_utf8(text).ok()?.to_owned());
        Some(Self {
            change: Change {
                version: SecretVersion(u64::from_be_bytes(*version)),
                at: Timestamp(i64::from_be_bytes(*at)),
                by: (by != 0).then_some(UserId(by)),
                generated: generated != 0,
            },
            password: Password::parse(text).ok()?,
        })
    }
}

/// A setting: its name and value, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingRow {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: String,
}

impl Record for SettingRow {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new([self.name.as_bytes(), b"\0", self.value.as_bytes()].concat())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (name, value) = std::str::from_utf8(bytes).ok()?.split_once('\0')?;
        Some(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

/// As what a certificate is trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TrustKind {
    /// As itself, compared byte for byte.
    Pin,
    /// As a CA root, with all that it issues.
    Root,
}

/// A trusted certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustRow {
    /// As what.
    pub kind: TrustKind,
    /// Since when.
    pub since: Timestamp,
    /// The certificate's DER.
    pub der: Vec<u8>,
}

impl Record for TrustRow {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        let kind = match self.kind {
            TrustKind::Pin => 1,
            TrustKind::Root => 2,
        };
        Zeroizing::new([&[kind][..], &self.since.0.to_be_bytes(), &self.der].concat())
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (&[kind], bytes) = bytes.split_first_chunk::<1>()?;
        let (since, der) = bytes.split_first_chunk::<8>()?;
        let kind = match kind {
            1 => TrustKind::Pin,
            2 => TrustKind::Root,
            _ => return None,
        };
        Some(Self {
            kind,
            since: Timestamp(i64::from_be_bytes(*since)),
            der: der.to_vec(),
        })
    }
}

/// A document of the house itself, such as the built-in CA with its key.
#[derive(Debug)]
pub struct DocumentRow(pub Secret);

/// Bytes that are wiped and not printed.
pub struct Secret(pub Zeroizing<Vec<u8>>);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Record for DocumentRow {
    fn encode(&self) -> Zeroizing<Vec<u8>> {
        self.0.0.clone()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        Some(Self(Secret(Zeroizing::new(bytes.to_vec()))))
    }
}
