//! `JAVA_API.conf` and `PMP_API.conf`: what their keys mean.

use std::{
    fs,
    path::{Path, PathBuf},
};

use zeroize::Zeroizing;

use crate::{
    Secret, SetupError,
    properties::{self, Property},
};

/// What the file says.
#[derive(Debug)]
pub(crate) struct JavaConf {
    pub(crate) server: (String, u16),
    pub(crate) secondary: Option<(String, u16)>,
    pub(crate) identity: Keys,
    pub(crate) ca: Option<PathBuf>,
    /// What kind of thing new resources are, where the file says so.
    #[cfg(feature = "program")]
    pub(crate) resource_type: Option<String>,
}

/// Where the client's certificate and key are.
#[derive(Debug)]
pub(crate) enum Keys {
    /// As the Java wrapper has them.
    Store { file: PathBuf, password: Secret },
    /// As the toolkit has them.
    Pem {
        certificate: PathBuf,
        key: PathBuf,
        password: Option<Secret>,
    },
}

impl JavaConf {
    /// Reads the file.
    pub(crate) fn read(path: &Path) -> Result<Self, SetupError> {
        let bytes = fs::read(path).map_err(|source| SetupError::File {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(&Zeroizing::new(bytes), path)
    }

    fn parse(bytes: &[u8], path: &Path) -> Result<Self, SetupError> {
        let wrong = |line, reason| SetupError::Line {
            path: path.to_owned(),
            line,
            reason,
        };
        let properties = properties::parse(bytes).map_err(|(line, reason)| wrong(line, reason))?;
        // As in Java, the last one counts.
        let find = |key: &str| {
            properties
                .iter()
                .rfind(|it| it.key.as_str() == key && !it.value.is_empty())
        };
        let text = |key: &str| find(key).map(|it: &Property| it.value.as_str());
        let port = |key: &str| match find(key) {
            None => Ok(PORT),
            Some(it) => match it.value.trim().parse() {
                Ok(port) if port > 0 => Ok(port),
                _ => Err(wrong(it.line, "not a port from 1 to 65535")),
            },
        };
        let missing = |what| SetupError::Missing { what };
        let folder = path.parent().unwrap_or(Path::new(""));
        let server = text("ServerName").ok_or(missing("the server's name (ServerName)"))?;
        let identity = match (text("ClientCertPath"), text("ClientKeyPath")) {
            (Some(certificate), Some(key)) => Keys::Pem {
                certificate: folder.join(certificate),
                key: folder.join(key),
                password: text("ClientKeyPassword").map(Secret::from),
            },
            (Some(_), None) => return Err(missing("the private key (ClientKeyPath)")),
            (None, Some(_)) => return Err(missing("the certificate (ClientCertPath)")),
            (None, None) => Keys::Store {
                file: folder.join(text("KeyStorePath").ok_or(missing(IDENTITY))?),
                password: Secret::from(text("KeyStorePassword").unwrap_or_default()),
            },
        };
        let secondary = text("SecondaryServerName")
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let secondary = match secondary {
            None => None,
            Some(name) => Some((name.to_owned(), port("SecondaryServerPort")?)),
        };
        Ok(Self {
            server: (server.trim().to_owned(), port("ServerPort")?),
            secondary,
            identity,
            ca: text("CAPath").map(|it| folder.join(it)),
            #[cfg(feature = "program")]
            resource_type: text("ResourceType").map(|it| it.trim().to_owned()),
        })
    }
}

const PORT: u16 = 7070;
const IDENTITY: &str =
    "the client's certificate (ClientCertPath and ClientKeyPath, or KeyStorePath)";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<JavaConf, String> {
        JavaConf::parse(text.as_bytes(), Path::new("/etc/app/JAVA_API.conf"))
            .map_err(|error| error.to_string())
    }

    fn key_store(conf: &JavaConf) -> (&Path, &Secret) {
        match &conf.identity {
            Keys::Store { file, password } => (file, password),
            Keys::Pem { .. } => panic!("{conf:?}"),
        }
    }

    #[test]
    fn the_toolkits_keys_come_before_the_keystore_and_stand_together() {
        let conf = parse(
            "ServerName=a\nClientCertPath=/k/app.crt\nClientKeyPath=app.key\nKeyStorePath=x\n\
             ClientKeyPassword=hush\nResourceType= Windows ",
        )
        .unwrap();

        let Keys::Pem {
            certificate,
            key,
            password,
        } = &conf.identity
        else {
            panic!("{conf:?}");
        };
        assert_eq!(certificate, Path::new("/k/app.crt"));
        assert_eq!(key, Path::new("/etc/app/app.key"));
        assert_eq!(password.as_ref().map(Secret::expose), Some("hush"));
        #[cfg(feature = "program")]
        assert_eq!(conf.resource_type.as_deref(), Some("Windows"));
        for (half, error) in [
            (
                "ClientCertPath=c",
                "the private key (ClientKeyPath) is missing",
            ),
            (
                "ClientKeyPath=k",
                "the certificate (ClientCertPath) is missing",
            ),
        ] {
            let told = parse(&format!("ServerName=a\nKeyStorePath=b\n{half}"));
            assert_eq!(told.err().as_deref(), Some(error));
        }
    }

    #[test]
    fn the_documented_example_is_understood() {
        let conf = parse(
            "ServerName=testserver\n\nServerPort=7070\n\n\
             SecondaryServerName=test_workstation_secondary\n\nSecondaryServerPort=7071\n\n\
             KeyStorePath=C:\\\\openssl\\\\bin\\\\file.p12\n\nKeyStorePassword=passtrix\n",
        )
        .unwrap();

        assert_eq!(conf.server, ("testserver".to_owned(), 7070));
        assert_eq!(
            conf.secondary,
            Some(("test_workstation_secondary".to_owned(), 7071))
        );
        let (file, password) = key_store(&conf);
        assert_eq!(file, Path::new("/etc/app/C:\\openssl\\bin\\file.p12"));
        assert_eq!(password.expose(), "passtrix");
        assert_eq!(conf.ca, None);
    }

    #[test]
    fn what_is_blank_has_its_default() {
        let conf = parse(
            "ServerName: a\nServerPort=\nSecondaryServerName=\nSecondaryServerPort=x\n\
             KeyStorePath=/b/c.p12\nKeyStorePassword=\nCAPath=ca.pem\n",
        )
        .unwrap();

        assert_eq!(conf.server, ("a".to_owned(), 7070));
        assert_eq!(conf.secondary, None);
        assert_eq!(key_store(&conf).0, Path::new("/b/c.p12"));
        assert_eq!(key_store(&conf).1.expose(), "");
        assert_eq!(conf.ca.as_deref(), Some(Path::new("/etc/app/ca.pem")));
    }

    #[test]
    fn what_is_missing_or_wrong_is_named_with_its_line() {
        for (text, error) in [
            ("", "the server's name (ServerName) is missing"),
            (
                "ServerName=a\nClientCertPath=\nClientKeyPath=",
                "the client's certificate (ClientCertPath and ClientKeyPath, or KeyStorePath) is \
                 missing",
            ),
            (
                "servername=a\nKeyStorePath=b",
                "the server's name (ServerName) is missing",
            ),
            (
                "ServerName=a\nKeyStorePath=b\nServerPort=0",
                "/etc/app/JAVA_API.conf, line 3: not a port from 1 to 65535",
            ),
            (
                "ServerName=a\nServerPort=7070x\nKeyStorePath=b",
                "/etc/app/JAVA_API.conf, line 2: not a port from 1 to 65535",
            ),
            (
                "ServerName=a\n\nKeyStorePassword=\\u00g0",
                "/etc/app/JAVA_API.conf, line 3: \\u without four hexadecimal digits",
            ),
        ] {
            assert_eq!(parse(text).err().as_deref(), Some(error), "{text}");
        }
    }

    #[test]
    fn errors_and_debug_do_not_show_the_password() {
        let text = "ServerName=a\nKeyStorePath=b\nKeyStorePassword=canary\nServerPort=";
        let broken = format!("{text}canary");

        assert!(!format!("{:?}", parse(text).unwrap()).contains("canary"));
        assert!(!parse(&broken).unwrap_err().contains("canary"));
    }
}
