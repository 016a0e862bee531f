//! What an account keeps where it is no password: a file, an SSH private key, an API key pair.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use zeroize::Zeroizing;

use crate::domain::{FileName, KeyName, NameError, Password};

/// What kind of secret an account keeps, from its first moment on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// A password.
    #[default]
    Password,
    /// A file with a name.
    File,
    /// An SSH private key.
    SshKey,
    /// The name of an API key, and its secret.
    ApiKey,
}

impl SecretKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Password, Self::File, Self::SshKey, Self::ApiKey];

    /// The word for it on every wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Password => "password",
            Self::File => "file",
            Self::SshKey => "ssh-key",
            Self::ApiKey => "api-key",
        }
    }
}

impl fmt::Display for SecretKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for SecretKind {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.as_str() == text)
            .ok_or(())
    }
}

/// Bytes that are wiped on drop and never printed.
pub struct SecretBytes(Zeroizing<Vec<u8>>);

impl SecretBytes {
    /// Takes bytes that came from outside.
    #[must_use]
    pub fn new(bytes: Zeroizing<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// The bytes, for a door about to send them.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretBytes(..)")
    }
}

/// A secret that is no password.
#[derive(Debug)]
pub enum Material {
    /// A file: any bytes, under a name.
    File {
        /// What it is called, without a folder.
        name: FileName,
        /// What is in it.
        content: SecretBytes,
    },
    /// An SSH private key, as `ssh-keygen` or OpenSSL writes it.
    SshKey(Password),
    /// An API key: a name that is no secret, and a secret.
    ApiKey {
        /// The name, or id, of the key.
        name: KeyName,
        /// Its secret.
        secret: Password,
    },
}

/// Why something cannot be kept.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MaterialError {
    /// Its name cannot be one.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A name with a folder in it.
    #[error("a file name holds no `/` or `\\` and is neither `.` nor `..`")]
    Folder,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// No private key that anybody knows.
    #[error(
        "this is no SSH private key: it begins with a line like `-----BEGIN OPENSSH PRIVATE \
         KEY-----` and ends with its like"
    )]
    NoKey,
}

impl Material {
    /// A file that came from outside.
    ///
    /// # Errors
    /// [`MaterialError`] for a name with a folder in it, and for nothing.
    pub fn file(name: &str, content: SecretBytes) -> Result<Self, MaterialError> {
        let folder = name.contains(['/', '\\']) || matches!(name, "." | "..");
        if folder {
            return Err(MaterialError::Folder);
        }
        if content.expose().is_empty() {
            return Err(MaterialError::Empty);
        }
        let name = FileName::parse(name)?;
        Ok(Self::File { name, content })
    }

    /// An SSH private key that came from outside: one PEM block of a private key (RFC 7468 §2).
    ///
    /// # Errors
    /// [`MaterialError::NoKey`] for anything else.
    pub fn ssh_key(text: Password) -> Result<Self, MaterialError> {
        let mut lines = text.expose().trim().lines();
        let label = |line: Option<&str>, word: &str| {
            let inner = line?.trim_end().strip_prefix("-----")?;
            let inner = inner.strip_prefix(word)?.strip_suffix("-----")?;
            inner.ends_with("PRIVATE KEY").then(|| inner.to_owned())
        };
        let begin = label(lines.next(), "BEGIN ");
        let end = label(lines.next_back(), "END ");
        let whole = begin.is_some() && begin == end;
        if !whole || lines.any(|line| line.starts_with("-----")) {
            return Err(MaterialError::NoKey);
        }
        Ok(Self::SshKey(text))
    }

    /// An API key that came from outside.
    ///
    /// # Errors
    /// [`MaterialError::Name`].
    pub fn api_key(name: &str, secret: Password) -> Result<Self, MaterialError> {
        let name = KeyName::parse(name)?;
        Ok(Self::ApiKey { name, secret })
    }

    /// What kind it is.
    #[must_use]
    pub fn kind(&self) -> SecretKind {
        match self {
            Self::File { .. } => SecretKind::File,
            Self::SshKey(_) => SecretKind::SshKey,
            Self::ApiKey { .. } => SecretKind::ApiKey,
        }
    }

    /// Its name, where it has one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::File { name, .. } => Some(name.as_str()),
            Self::SshKey(_) => None,
            Self::ApiKey { name, .. } => Some(name.as_str()),
        }
    }

    /// The secret itself, for a door about to send it.
    #[must_use]
    pub fn expose(&self) -> &[u8] {
        match self {
            Self::File { content, .. } => content.expose(),
            Self::SshKey(text) | Self::ApiKey { secret: text, .. } => text.expose().as_bytes(),
        }
    }

    /// The secret as text, where it is one; what is in a file is nobody's to say.
    #[must_use]
    pub fn into_text(self) -> Option<Password> {
        match self {
            Self::File { .. } => None,
            Self::SshKey(text) | Self::ApiKey { secret: text, .. } => Some(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Password {
        Password::parse(Zeroizing::new(text.to_owned())).unwrap()
    }

    fn bytes(bytes: &[u8]) -> SecretBytes {
        SecretBytes::new(Zeroizing::new(bytes.to_vec()))
    }

    #[test]
    fn an_ssh_key_is_one_block_of_a_private_key() {
        let key = "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n-----END OPENSSH PRIVATE KEY-----\n";
        assert!(Material::ssh_key(text(key)).is_ok());
        assert!(Material::ssh_key(text(&key.replace("OPENSSH ", ""))).is_ok());
        for wrong in [
            "hunter2".to_owned(),
            key.replace("PRIVATE", "PUBLIC"),
            key.replacen("OPENSSH", "RSA", 1),
            key.replace("-----END", "----END"),
            format!("{key}{key}"),
            "-----BEGIN PRIVATE KEY-----".to_owned(),
        ] {
            let made = Material::ssh_key(text(&wrong)).err();
            assert_eq!(made, Some(MaterialError::NoKey), "{wrong}");
        }
    }

    #[test]
    fn a_file_has_a_name_without_a_folder_and_something_in_it() {
        let file = Material::file("key.p12", bytes(b"\0\xff")).unwrap();
        assert_eq!(
            (file.kind(), file.name()),
            (SecretKind::File, Some("key.p12"))
        );
        assert!(file.into_text().is_none());
        for name in ["a/b", "a\\b", ".", "..", "/etc/passwd"] {
            let made = Material::file(name, bytes(b"x")).err();
            assert_eq!(made, Some(MaterialError::Folder), "{name}");
        }
        for name in ["", " a", "a\0", "a\u{202e}b"] {
            let made = Material::file(name, bytes(b"x")).err();
            assert!(matches!(made, Some(MaterialError::Name(_))), "{name:?}");
        }
        let made = Material::file("a", bytes(b"")).err();
        assert_eq!(made, Some(MaterialError::Empty));
    }

    #[test]
    fn debug_shows_no_secret() {
        let all = [
            Material::file("a", bytes(b"hunter2")).unwrap(),
            Material::api_key("AKIA1", text("hunter2")).unwrap(),
        ];

        assert!(!format!("{all:?}").contains("hunter2"));
    }

    #[test]
    fn every_kind_has_its_word() {
        for kind in SecretKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
        }
        assert_eq!("key".parse::<SecretKind>(), Err(()));
    }
}
