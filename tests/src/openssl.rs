//! Keys and certificates as users make them: by `openssl` itself, in a directory of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::Identity;
use crate::process::{Ran, run};

/// The passphrase that all encrypted keys and PKCS#12 files here have.
pub const SEED_PASSPHRASE: &str = "passtrix";

/// A workbench for certificates.
#[derive(Debug)]
pub struct Openssl {
    dir: TempDir,
}

impl Default for Openssl {
    fn default() -> Self {
        Self::new()
    }
}

impl Openssl {
    /// An empty workbench.
    ///
    /// # Panics
    /// When no directory can be made.
    #[must_use]
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().expect("a temporary directory"),
        }
    }

    /// Where its files lie.
    #[must_use]
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The file `name` of this workbench.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Runs `openssl` with the words of `line`, in this workbench. Words are parted by blanks.
    #[track_caller]
    pub fn run(&self, line: &str) -> Ran {
        run(Command::new("openssl")
            .args(line.split_whitespace())
            .current_dir(self.dir()))
    }

    /// The users' own recipe, word for word: an encrypted 2048-bit RSA key, a self-signed
    /// certificate for 1095 days (so `CA:TRUE`, no SAN), and a PKCS#12 file of both.
    #[track_caller]
    #[must_use]
    pub fn self_signed(&self, name: &str) -> Identity {
        let pass = SEED_PASSPHRASE;
        self.run(&format!(
            "genrsa -des3 -passout pass:{pass} -out {name}.enc.key 2048"
        ))
        .ok();
        self.run(&format!(
            "req -new -x509 -key {name}.enc.key -passin pass:{pass} -out {name}.crt -days 1095 \
                 -subj /CN={name}"
        ))
        .ok();
        self.finish(name)
    }

    /// A self-signed certificate over a key made by `openssl genpkey ALGORITHM…`, for instance
    /// `-algorithm ed25519`, with more words for `openssl req` in `extra`.
    #[track_caller]
    #[must_use]
    pub fn self_signed_with(&self, name: &str, algorithm: &str, extra: &str) -> Identity {
        self.run(&format!("genpkey {algorithm} -out {name}.plain.key"))
            .ok();
        self.encrypt_key(name);
        self.run(&format!(
            "req -new -x509 -key {name}.plain.key -out {name}.crt -days 30 -subj /CN={name} {extra}"
        ))
        .ok();
        self.finish(name)
    }

    /// A root CA: `NAME.crt` and `NAME.plain.key`. Returns the certificate's path.
    #[track_caller]
    pub fn ca(&self, name: &str) -> PathBuf {
        self.run(&format!(
            "req -new -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1095 \
                 -subj /CN={name} -addext keyUsage=critical,keyCertSign,cRLSign \
                 -keyout {name}.plain.key -out {name}.crt"
        ))
        .ok();
        self.path(&format!("{name}.crt"))
    }

    /// A P-256 client certificate for `name`, signed by the CA made as `ca`. `extensions` are
    /// lines of an openssl extension file.
    #[track_caller]
    #[must_use]
    pub fn signed(&self, ca: &str, name: &str, extensions: &[&str]) -> Identity {
        self.signed_subject(ca, name, &format!("/CN={name}"), extensions)
    }

    /// The same with a subject of the caller's own, in openssl's `/CN=…/O=…` form (no blanks).
    #[track_caller]
    #[must_use]
    pub fn signed_subject(
        &self,
        ca: &str,
        name: &str,
        subject: &str,
        extensions: &[&str],
    ) -> Identity {
        self.run(&format!(
            "genpkey -algorithm ec -pkeyopt ec_paramgen_curve:P-256 -out {name}.plain.key"
        ))
        .ok();
        self.encrypt_key(name);
        self.run(&format!(
            "req -new -key {name}.plain.key -out {name}.csr -subj {subject}"
        ))
        .ok();
        let mut lines = vec!["basicConstraints=CA:FALSE", "extendedKeyUsage=clientAuth"];
        lines.extend(extensions);
        fs::write(self.path(&format!("{name}.ext")), lines.join("\n"))
            .expect("a writable directory");
        self.run(&format!(
            "x509 -req -in {name}.csr -CA {ca}.crt -CAkey {ca}.plain.key -CAcreateserial \
                 -days 30 -extfile {name}.ext -out {name}.crt"
        ))
        .ok();
        self.finish(name)
    }

    /// A PKCS#12 file of an identity made here, with more words for `openssl pkcs12` (`-legacy`).
    #[track_caller]
    #[must_use]
    pub fn pkcs12(&self, name: &str, extra: &str) -> PathBuf {
        let pass = SEED_PASSPHRASE;
        self.run(&format!(
            "pkcs12 -export -clcerts -in {name}.crt -inkey {name}.enc.key -passin pass:{pass} \
                 -passout pass:{pass} -name PMP -out {name}.p12 {extra}"
        ))
        .ok();
        self.path(&format!("{name}.p12"))
    }

    fn encrypt_key(&self, name: &str) {
        self.run(&format!(
            "pkey -in {name}.plain.key -aes256 -passout pass:{SEED_PASSPHRASE} -out {name}.enc.key"
        ))
        .ok();
    }

    fn finish(&self, name: &str) -> Identity {
        let plain = format!("{name}.plain.key");
        if !self.path(&plain).exists() {
            let pass = SEED_PASSPHRASE;
            self.run(&format!(
                "pkey -in {name}.enc.key -passin pass:{pass} -out {plain}"
            ))
            .ok();
        }
        Identity {
            name: name.to_owned(),
            cert: self.path(&format!("{name}.crt")),
            key: self.path(&plain),
            p12: Some(self.pkcs12(name, "")),
            p12_password: SEED_PASSPHRASE.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_users_recipe_makes_a_ca_certificate_without_san_and_a_sealed_file() {
        let bench = Openssl::new();

        let identity = bench.self_signed("billing");

        let text = bench.run("x509 -in billing.crt -noout -text").ok().stdout;
        assert!(
            text.contains("CA:TRUE") && !text.contains("Subject Alternative Name"),
            "{text}"
        );
        assert_eq!(identity.chain().len(), 1);
        let opened = bench.run(&format!(
            "pkcs12 -in billing.p12 -passin pass:{SEED_PASSPHRASE} -nokeys"
        ));
        assert!(opened.ok().stdout.contains("BEGIN CERTIFICATE"));
        bench
            .run("pkcs12 -in billing.p12 -passin pass:wrong -nokeys")
            .ended(1);
    }

    #[test]
    fn a_signed_certificate_verifies_against_its_ca_only() {
        let bench = Openssl::new();
        bench.ca("root");
        bench.ca("other");

        let _ = bench.signed("root", "app", &["subjectAltName=DNS:app.example"]);

        bench.run("verify -CAfile root.crt app.crt").ok();
        bench.run("verify -CAfile other.crt app.crt").ended(2);
    }
}
