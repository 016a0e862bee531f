//! `claviger cert`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use http::Method;
use zeroize::Zeroizing;

use crate::admin::wire::{self, NewCertificate, NewIssue, TrustKind};
use crate::cli::fields::{AsJson, InOrganisation};
use crate::cli::list::list;
use crate::cli::output::visible;
use crate::cli::private_write::{Existing, write};
use crate::cli::secret_input::{ask, eprint, from_file, somebody_there};
use crate::cli::{ApiPath, CliError, Context};

/// Certificates: whom to trust, and issuing them from the built-in CA
#[derive(Debug, Subcommand)]
pub(crate) enum Cert {
    Import(Import),
    List(List),
    Remove(Remove),
    Issue(Issue),
}

/// Trust a self-signed client certificate, or a CA; no restart is needed
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  claviger cert import billing.crt
  claviger cert import --ca company-ca.pem

Without --ca the certificate is pinned: it is trusted itself and nothing that it signed, unless
it says of itself that it is a CA. What was done is said in words.")]
pub(crate) struct Import {
    /// The certificate (PEM or DER)
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// It is a CA: what it signed is trusted
    #[arg(long)]
    ca: bool,
}

/// List the certificates that are trusted
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  claviger cert list --json")]
pub(crate) struct List {
    #[command(flatten)]
    json: AsJson,
}

/// Stop trusting a certificate, at once and on open connections, too
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger cert remove 9c1185a5c5e9fc54612808977ee8f548b2258d31ddadef707ac5c5e7b1bb8e0c")]
pub(crate) struct Remove {
    /// The SHA-256 of the certificate, as `cert list` prints it
    #[arg(value_name = "FINGERPRINT")]
    fingerprint: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

/// Issue a client certificate from the built-in CA: NAME.crt, NAME.key, NAME.p12 and ca.pem
#[derive(Debug, Args)]
#[command(after_help = "Example:
  claviger cert issue billing --out ./billing --p12-password-file p12-password.txt

The key is written once, to NAME.key and into NAME.p12, and kept nowhere else. Without
--p12-password-file the password of NAME.p12 is generated and written to NAME.p12.password.")]
pub(crate) struct Issue {
    /// The user name, which becomes the certificate's CN
    #[arg(value_name = "NAME")]
    name: String,
    /// The folder for the files
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// The file with the password for NAME.p12 [default: one is generated]
    #[arg(long, value_name = "FILE")]
    p12_password_file: Option<PathBuf>,
    /// How many days it is valid
    #[arg(long, value_name = "DAYS", default_value_t = 730)]
    days: u32,
    /// Replace files that are there already
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    organisation: InOrganisation,
}

impl Cert {
    /// Does it.
    pub(crate) async fn run(self, context: &Context) -> Result<(), CliError> {
        match self {
            Self::Import(import) => import.run(context).await,
            Self::List(list) => list.run(context).await,
            Self::Remove(remove) => remove.run(context).await,
            Self::Issue(issue) => issue.run(context).await,
        }
    }
}

impl Import {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let new = NewCertificate {
            pem: read_pem(&self.file)?,
            ca: self.ca.then_some(true),
        };
        let path = ApiPath::new("/v1/certificates");
        let imported: wire::ImportedCertificate = context
            .client()
            .await?
            .send(Method::POST, &path, &new)
            .await?;
        context.out.line(visible(&imported.explanation))?;
        context
            .out
            .line(format_args!("SHA-256 {}", imported.certificate.fingerprint))?;
        for warning in imported.warnings {
            eprint(&format!("warning: {}\n", visible(&warning)));
        }
        Ok(())
    }
}

impl List {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let path = ApiPath::new("/v1/certificates");
        let row = |certificate: wire::TrustedCertificate| {
            let kind = match certificate.kind {
                TrustKind::Pin => "pin",
                TrustKind::Ca => "CA",
            };
            let wire::TrustedCertificate {
                subject,
                not_after,
                fingerprint,
                ..
            } = certificate;
            vec![kind.to_owned(), subject, not_after, fingerprint]
        };
        list(
            context,
            &path,
            &self.json,
            &["TRUSTED AS", "SUBJECT", "VALID UNTIL", "SHA-256"],
            row,
        )
        .await
    }
}

impl Remove {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let print = &self.fingerprint;
        let question = format!("Stop trusting {print}? Whoever uses it is kept out at once.");
        if !self.yes && somebody_there() && !ask(&question)? {
            return Err(CliError::Failed("nothing was removed".to_owned()));
        }
        let path = ApiPath::new("/v1/certificates").then(print);
        context
            .client()
            .await?
            .tell(Method::DELETE, &path, None::<&()>)
            .await?;
        context
            .out
            .line(format_args!("certificate {print} is trusted no more"))
    }
}

impl Issue {
    async fn run(self, context: &Context) -> Result<(), CliError> {
        let stem = file_stem(&self.name)?;
        let files = Files::of(stem, &self.out);
        let (password, generated) = match &self.p12_password_file {
            Some(file) => (from_file(file, "password")?, false),
            None => (generate()?, true),
        };
        let existing = if self.force {
            Existing::Replace
        } else {
            Existing::Keep
        };
        let mut client = context.client().await?;
        fs::create_dir_all(&self.out).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => CliError::Failed(format!(
                "{} is no folder: choose another for --out",
                self.out.display()
            )),
            _ => CliError::file(&self.out)(error),
        })?;
        if existing == Existing::Keep {
            // Before the certificate is issued, since it could not be written afterwards.
            files.refuse_existing(generated)?;
        }
        let new = NewIssue {
            name: self.name.clone(),
            days: self.days,
        };
        let path = ApiPath::new("/v1/certificates/issue")
            .maybe("organisation", self.organisation.org.as_deref());
        let issued: wire::Issued = client.send(Method::POST, &path, &new).await?;
        let (crt, ca, key) = (&issued.certificate, &issued.ca, issued.key.expose());
        let p12 = in_pkcs12(&self.name, crt, &key, &password)?;
        write(&files.key, key.as_bytes(), 0o600, existing)?;
        write(&files.crt, crt.as_bytes(), 0o644, existing)?;
        write(&files.p12, &p12, 0o600, existing)?;
        // The CA is the same for every certificate of the folder.
        write(&files.ca, ca.as_bytes(), 0o644, Existing::Replace)?;
        if generated {
            let line = Zeroizing::new(format!("{}\n", password.as_str()));
            write(&files.password, line.as_bytes(), 0o600, existing)?;
        }
        for file in [&files.crt, &files.key, &files.p12, &files.ca] {
            context.out.line(file.display())?;
        }
        if generated {
            let (p12, secret) = (files.p12.display(), files.password.display());
            context
                .out
                .line(format_args!("the password of {p12} is in {secret}"))?;
        }
        context
            .out
            .line(format_args!("valid until {}", issued.not_after))
    }
}

/// Where what is issued goes.
struct Files {
    crt: PathBuf,
    key: PathBuf,
    p12: PathBuf,
    password: PathBuf,
    ca: PathBuf,
}

impl Files {
    fn of(stem: &str, folder: &Path) -> Self {
        let place = |end: &str| folder.join(format!("{stem}.{end}"));
        Self {
            crt: place("crt"),
            key: place("key"),
            p12: place("p12"),
            password: place("p12.password"),
            ca: folder.join("ca.pem"),
        }
    }

    fn refuse_existing(&self, generated: bool) -> Result<(), CliError> {
        let password = generated.then_some(&self.password);
        [&self.crt, &self.key, &self.p12]
            .into_iter()
            .chain(password)
            .try_for_each(|file| refuse_existing(file))
    }
}

fn refuse_existing(file: &Path) -> Result<(), CliError> {
    match file.symlink_metadata() {
        Ok(_) => Err(CliError::Failed(format!(
            "{} is there already: choose another folder, or give --force",
            file.display()
        ))),
        Err(_) => Ok(()),
    }
}

/// A password that nobody can guess: 160 bits.
fn generate() -> Result<Zeroizing<String>, CliError> {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut_slice())
        .map_err(|_| CliError::Failed("the operating system gave no random numbers".to_owned()))?;
    // Room for all at once: a text that grew would leave copies behind.
    let mut text = Zeroizing::new(String::with_capacity(bytes.len()));
    let signs = bytes
        .iter()
        .filter_map(|byte| SIGNS.get(usize::from(byte % 32)));
    text.extend(signs);
    Ok(text)
}

/// 32 signs, none of which looks like another.
const SIGNS: [char; 32] = [
    'a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j', 'k', 'm', 'n', 'p', 'q', 'r', 's', 't', 'u',
    'v', 'w', 'x', 'y', 'z', '2', '3', '4', '5', '6', '7', '8', '9',
];

/// A name that can be a file's, in the folder that was given.
fn file_stem(name: &str) -> Result<&str, CliError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\0']) {
        return Err(CliError::Usage(format!(
            "{name:?} cannot be the name of a file"
        )));
    }
    Ok(name)
}

fn in_pkcs12(
    name: &str,
    certificate: &str,
    key: &str,
    password: &str,
) -> Result<Zeroizing<Vec<u8>>, CliError> {
    let failed = |error: certs::CertError| CliError::Failed(format!("the PKCS#12 file: {error}"));
    let chain = certs::load_certificates(certificate.as_bytes()).map_err(failed)?;
    let key = certs::load_private_key(key.as_bytes(), None).map_err(failed)?;
    let identity = certs::Identity::new(chain, key).map_err(failed)?;
    certs::write_pkcs12(&identity, password, name).map_err(failed)
}

/// Reads one certificate from a file, PEM or DER, and gives it in PEM.
///
/// # Errors
/// [`CliError::Failed`] when the file cannot be read or holds none.
pub(crate) fn read_pem(file: &Path) -> Result<String, CliError> {
    let failed = |error: certs::CertError| CliError::Failed(format!("{}: {error}", file.display()));
    let bytes = fs::read(file).map_err(CliError::file(file))?;
    let found = certs::load_certificates(&bytes).map_err(failed)?;
    match found.as_slice() {
        [one] => Ok(certs::certificate_pem(one)),
        others => Err(CliError::Failed(format!(
            "{} holds {} certificates: give each in a file of its own",
            file.display(),
            others.len()
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_generated_password_has_32_signs_and_comes_once() {
        let (one, other) = (generate().unwrap(), generate().unwrap());

        assert_eq!(one.len(), 32);
        assert_ne!(*one, *other);
    }

    #[test]
    fn a_name_does_not_lead_out_of_the_folder() {
        assert!(file_stem("billing").is_ok());
        for name in ["", ".", "..", "../x", "a/b", ".hidden", "a\0b"] {
            assert!(
                matches!(file_stem(name), Err(CliError::Usage(_))),
                "{name:?}"
            );
        }
    }
}
