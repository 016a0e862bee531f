//! CRL files as openssl makes them.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a fixture that fails must fail the test"
)]

mod revocation_support;

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use certs::{CrlFault, CrlLimits, CrlSet, LoadedCrl, load_crls};
use tempfile::TempDir;

use revocation_support::{Authority, now, openssl, put};

/// An authority that can make CRLs; `settings` go into its section of openssl.cnf.
fn authority(settings: &str) -> Authority {
    let authority = Authority::new();
    let configuration = format!(
        "[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ncertificate=ca.pem\nprivate_key=ca.key\n\
         default_md=sha256\ndefault_crl_days=7\n{settings}\n[extended]\n\
         authorityKeyIdentifier=keyid\n[delta]\n2.5.29.27=critical,DER:020101\n"
    );
    fs::write(authority.path().join("openssl.cnf"), configuration).unwrap();
    fs::write(authority.path().join("crlnumber"), "01\n").unwrap();
    authority
}

fn proper() -> Authority {
    authority("crlnumber=crlnumber")
}

/// A CRL in PEM.
fn crl(authority: &Authority, more: &[&str]) -> Vec<u8> {
    let mut arguments = vec!["ca", "-config", "openssl.cnf", "-gencrl"];
    arguments.extend(more);
    openssl(authority.path(), &arguments)
}

fn der(authority: &Authority, pem: &[u8]) -> Vec<u8> {
    put(authority.path(), "crl.pem", pem);
    openssl(
        authority.path(),
        &["crl", "-in", "crl.pem", "-outform", "DER"],
    )
}

fn load(directory: &TempDir) -> CrlSet {
    load_crls(directory.path(), CrlLimits::default())
}

/// What is wrong with the only file of a directory, whose content this is.
fn fault(bytes: &[u8]) -> CrlFault {
    let directory = tempfile::tempdir().unwrap();
    let path = put(directory.path(), "one.crl", bytes);
    let set = load(&directory);
    assert_eq!(set.crls, Vec::<LoadedCrl>::new());
    let [problem] = set.problems.as_slice() else {
        panic!("{:?}", set.problems);
    };
    assert_eq!(problem.path, path);
    problem.why.clone()
}

#[test]
fn a_version_2_crl_is_loaded_from_pem_and_der() {
    let authority = proper();
    let pem = crl(&authority, &[]);
    let der = der(&authority, &pem);
    for bytes in [&pem, &der] {
        let directory = tempfile::tempdir().unwrap();
        let path = put(directory.path(), "one.crl", bytes);

        let set = load(&directory);

        assert_eq!(set.problems, []);
        let [one] = set.crls.as_slice() else {
            panic!("{:?}", set.crls);
        };
        assert_eq!(
            (one.path.as_path(), one.der.as_ref()),
            (path.as_path(), der.as_slice())
        );
        assert_eq!(
            (one.issuer.as_str(), one.revoked),
            ("O=Test, CN=Authority", 1)
        );
        let week = 7 * 24 * 3600;
        assert_eq!(one.next_update - one.this_update, week);
        assert!(!one.is_expired(now()));
        assert!(one.is_expired(now() + week + 1));
    }
}

/// Without `crlnumber`, openssl makes version 1, or, when a reason must be told, version 2 without
/// extensions.
#[test]
fn a_crl_without_number_is_refused_with_the_way_out() {
    let authority = authority("");
    let with_reason = fault(&crl(&authority, &[]));
    authority.write_index("R\t491231235959Z\t250101000000Z\t1002\tunknown\t/CN=x\n");
    let without_reason = fault(&crl(&authority, &[]));

    assert_eq!(with_reason, CrlFault::NoExtensions);
    assert_eq!(without_reason, CrlFault::VersionOne);
    for why in [with_reason, without_reason] {
        assert!(
            why.to_string().contains("`crlnumber = $dir/crlnumber`"),
            "{why}"
        );
    }
}

#[test]
fn a_crl_that_the_verifier_cannot_use_says_what_is_wrong() {
    let authority_ = proper();
    let weak = crl(&authority_, &["-md", "sha1"]);
    let delta = crl(&authority_, &["-crlexts", "delta"]);
    let whole = der(&authority_, &crl(&authority_, &[]));

    assert_eq!(fault(&weak), CrlFault::WeakSignature);
    assert_eq!(fault(&delta), CrlFault::Delta);
    assert_eq!(
        fault(&[whole.as_slice(), b"\0"].concat()),
        CrlFault::Trailing
    );
    assert_eq!(
        fault(&[whole.as_slice(), &whole].concat()),
        CrlFault::Trailing
    );
    assert_eq!(fault(&whole[..whole.len() - 1]), CrlFault::NotDer);
    assert_eq!(fault(b""), CrlFault::NotDer);
    assert_eq!(fault(b"what is this?"), CrlFault::NotDer);
}

#[test]
fn a_certificate_is_no_crl() {
    let authority = proper();
    let pem = fs::read(authority.path().join("ca.pem")).unwrap();
    let certificate = authority.certificate();

    assert_eq!(fault(&pem), CrlFault::NoCrl);
    assert_eq!(fault(&certificate), CrlFault::NotDer);
}

#[test]
fn broken_pem_is_named() {
    let pem = crl(&proper(), &[]);
    let cut = &pem[..pem.len() - 30];

    assert!(matches!(fault(cut), CrlFault::Pem(_)));
}

#[test]
fn several_files_and_several_in_a_file_are_loaded_and_bad_ones_named() {
    let authorities = [proper(), proper(), proper()];
    let [first, second, third] = authorities.each_ref().map(|authority| crl(authority, &[]));
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), "both.pem", &[first, second].concat());
    let bad = put(directory.path(), "bad.crl", b"bad");
    put(directory.path(), "one.crl", &third);
    put(directory.path(), ".hidden", b"bad");
    put(directory.path(), "one.crl~", b"bad");
    fs::create_dir(directory.path().join("folder")).unwrap();
    let dangling = directory.path().join("dangling");
    std::os::unix::fs::symlink("nowhere", &dangling).unwrap();

    let set = load(&directory);

    assert_eq!(set.crls.len(), 3);
    assert_eq!(set.ders().len(), 3);
    let problems: Vec<_> = set
        .problems
        .iter()
        .map(|p| (p.path.clone(), p.why.clone()))
        .collect();
    let gone = CrlFault::Unreadable(std::io::ErrorKind::NotFound);
    assert_eq!(problems, [(bad, CrlFault::NotDer), (dangling, gone)]);
}

#[test]
fn a_bad_crl_does_not_hide_the_good_one_in_its_file() {
    let good = crl(&proper(), &[]);
    let bad = crl(&authority(""), &[]);
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), "both.pem", &[bad, good].concat());

    let set = load(&directory);

    assert_eq!(set.crls.len(), 1);
    assert_eq!(set.problems[0].why, CrlFault::NoExtensions);
}

#[test]
fn the_newest_crl_comes_first_and_twins_once() {
    let authority = proper();
    let old = crl(
        &authority,
        &["-crl_lastupdate", "20260101000000Z", "-crldays", "900"],
    );
    let new = crl(&authority, &[]);
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), "a-old.crl", &old);
    put(directory.path(), "b-new.crl", &new);
    put(directory.path(), "c-twin.crl", &new);

    let set = load(&directory);

    let names: Vec<_> = set
        .crls
        .iter()
        .filter_map(|crl| crl.path.file_name())
        .collect();
    assert_eq!(names, ["b-new.crl", "a-old.crl"]);
}

#[test]
fn a_missing_directory_holds_none() {
    let set = load_crls(Path::new("/nowhere/at/all"), CrlLimits::default());

    assert_eq!(set.crls, []);
    assert_eq!(set.problems, []);
    assert!(!set.is_changed());
}

#[test]
fn what_is_no_directory_is_a_problem() {
    let directory = tempfile::tempdir().unwrap();
    let path = put(directory.path(), "file", b"");

    let set = load_crls(&path, CrlLimits::default());

    let why = CrlFault::Unreadable(std::io::ErrorKind::NotADirectory);
    assert_eq!((&set.problems[0].path, &set.problems[0].why), (&path, &why));
}

#[test]
fn limits_hold() {
    let pem = crl(&proper(), &[]);
    let directory = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        put(directory.path(), name, &pem);
    }
    let size = pem.len() as u64;
    let load = |limits| load_crls(directory.path(), limits);

    let small = load(CrlLimits {
        max_file_bytes: size - 1,
        ..CrlLimits::default()
    });
    let exact = load(CrlLimits {
        max_file_bytes: size,
        max_files: 2,
        max_crls_per_file: 1,
    });
    let few = load(CrlLimits {
        max_files: 1,
        ..CrlLimits::default()
    });
    put(directory.path(), "a", &[pem.as_slice(), &pem].concat());
    let single = load(CrlLimits {
        max_crls_per_file: 1,
        ..CrlLimits::default()
    });

    assert_eq!(
        small.problems[0].why,
        CrlFault::TooLarge { limit: size - 1 }
    );
    assert_eq!(small.crls, []);
    assert_eq!(exact.problems, []);
    assert_eq!(few.problems[0].why, CrlFault::TooManyFiles { limit: 1 });
    assert_eq!(few.crls.len(), 1);
    assert_eq!(single.problems[0].why, CrlFault::TooManyCrls { limit: 1 });
}

#[test]
fn changes_are_seen_without_reading() {
    let authority = proper();
    let pem = crl(&authority, &[]);
    let directory = tempfile::tempdir().unwrap();
    let path = put(directory.path(), "one.crl", &pem);
    let set = load(&directory);
    assert!(!set.is_changed());

    // A touch.
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(UNIX_EPOCH + Duration::from_secs(1))
        .unwrap();
    assert!(set.is_changed());
    let set = set.reload();
    assert!(!set.is_changed());

    // Another size.
    put(
        directory.path(),
        "one.crl",
        &[pem.as_slice(), b"\n"].concat(),
    );
    assert!(set.is_changed());
    let set = set.reload();

    // One more, one less.
    put(directory.path(), "two.crl", &pem);
    assert!(set.is_changed());
    let set = set.reload();
    fs::remove_file(&path).unwrap();
    assert!(set.is_changed());
    assert_eq!(set.reload().crls.len(), 1);
}

#[test]
fn a_file_that_goes_bad_keeps_its_last_good_content() {
    let pem = crl(&proper(), &[]);
    let directory = tempfile::tempdir().unwrap();
    let path = put(directory.path(), "one.crl", &pem);
    let good = load(&directory);

    put(directory.path(), "one.crl", &pem[..100]);
    let half = good.reload();
    let again = half.reload();
    fs::remove_file(&path).unwrap();
    let gone = again.reload();

    for set in [&half, &again] {
        assert_eq!(set.crls, good.crls);
        assert_eq!((set.problems.len(), set.problems[0].kept), (1, 1));
        assert!(
            set.problems[0]
                .to_string()
                .ends_with("its earlier content stays in use")
        );
    }
    assert_eq!(gone.crls, []);
    assert_eq!(gone.problems, []);
}

/// Whether rustls' client-certificate verifier, given the set, admits the certificate.
fn is_admitted(authority: &Authority, set: &CrlSet, serial: &str) -> bool {
    use rustls::RootCertStore;
    use rustls::pki_types::UnixTime;
    use rustls::server::WebPkiClientVerifier;
    let mut roots = RootCertStore::empty();
    roots.add(authority.certificate()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .with_crls(set.ders())
        .enforce_revocation_expiration()
        .build()
        .unwrap();
    let moment = UnixTime::since_unix_epoch(Duration::from_secs(now().unsigned_abs()));
    verifier
        .verify_client_cert(&authority.leaf(serial, &[]), &[], moment)
        .is_ok()
}

#[test]
fn what_is_loaded_bites_in_rustls_even_beside_an_older_crl() {
    let authority = proper();
    authority.write_index("V\t491231235959Z\t\t1002\tunknown\t/CN=x\n");
    let old = crl(
        &authority,
        &["-crl_lastupdate", "20260101000000Z", "-crldays", "900"],
    );
    authority.write_index("R\t491231235959Z\t250101000000Z\t1002\tunknown\t/CN=x\n");
    let new = crl(&authority, &[]);
    let directory = tempfile::tempdir().unwrap();
    put(directory.path(), "a-old.crl", &old);

    let before = load(&directory);
    put(directory.path(), "b-new.crl", &new);
    let after = before.reload();

    assert!(is_admitted(&authority, &before, "1002"));
    assert!(!is_admitted(&authority, &after, "1002"));
    assert!(is_admitted(&authority, &after, "1001"));
}
