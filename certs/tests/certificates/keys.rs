//! Certificates and private keys in every form that openssl writes.

use certs::{CertError, load_certificates, load_private_key};

use crate::workshop::{certificate, file};

/// Without a password.
const CLEAR: &[(&str, &str)] = &[
    ("rsa-pkcs8.key", "own-rsa2048"),
    ("rsa-pkcs1.key", "own-rsa2048"),
    ("rsa-pkcs1.der", "own-rsa2048"),
    ("rsa4096.key", "own-rsa4096"),
    ("p256-sec1.key", "own-p256"),
    ("p256-sec1.der", "own-p256"),
    ("p256.key", "own-p256"),
    ("p256-pkcs8.der", "own-p256"),
    ("p384.key", "own-p384"),
    ("p521.key", "own-p521"),
    ("ed25519.key", "own-ed25519"),
];

/// With the password `passtrix`.
const ENCRYPTED: &[(&str, &str)] = &[
    ("seed.key", "seed"),
    ("rsa-traditional-des3.key", "own-rsa2048"),
    ("rsa-traditional-aes128.key", "own-rsa2048"),
    ("rsa-traditional-aes192.key", "own-rsa2048"),
    ("rsa-traditional-aes256.key", "own-rsa2048"),
    ("p256-traditional-aes256.key", "own-p256"),
    ("p256-aes256.key", "own-p256"),
    ("p256-aes128.der", "own-p256"),
    ("p256-des3.key", "own-p256"),
    ("p256-sha1.key", "own-p256"),
    ("p256-sha512.key", "own-p256"),
    ("p256-scrypt.key", "own-p256"),
];

#[test]
fn every_form_of_a_clear_key_is_read() {
    for &(name, owner) in CLEAR {
        let key = load_private_key(file(name), None).unwrap_or_else(|e| panic!("{name}: {e}"));

        assert!(key.belongs_to(&certificate(owner)), "{name}");
    }
}

#[test]
fn every_form_of_an_encrypted_key_is_read_with_its_password() {
    for &(name, owner) in ENCRYPTED {
        let key = load_private_key(file(name), Some("passtrix"));

        let key = key.unwrap_or_else(|e| panic!("{name}: {e}"));
        assert!(key.belongs_to(&certificate(owner)), "{name}");
    }
}

#[test]
fn an_encrypted_key_asks_for_its_password() {
    for &(name, _) in ENCRYPTED {
        let answer = load_private_key(file(name), None);

        assert!(
            matches!(answer, Err(CertError::PasswordNeeded)),
            "{name}: {answer:?}"
        );
    }
}

#[test]
fn a_wrong_password_is_called_wrong() {
    for &(name, _) in ENCRYPTED {
        for wrong in ["", "Passtrix", "passtrix ", "päßtrix"] {
            let answer = load_private_key(file(name), Some(wrong));

            assert!(
                matches!(answer, Err(CertError::WrongPassword)),
                "{name}: {answer:?}"
            );
        }
    }
}

#[test]
fn a_key_belongs_to_its_own_certificate_only() {
    let key = load_private_key(file("p256.key"), None).unwrap();

    assert!(!key.belongs_to(&certificate("ca")));
    assert!(!key.belongs_to(&certificate("own-rsa2048")));
}

#[test]
fn keys_that_cannot_sign_here_are_refused() {
    for name in ["rsa1024.key", "k256.key", "ed448.key"] {
        let answer = load_private_key(file(name), None);

        assert!(
            matches!(answer, Err(CertError::Key { .. })),
            "{name}: {answer:?}"
        );
    }
}

#[test]
fn an_unsupported_encryption_is_named() {
    for (name, algorithm) in [
        ("rsa-traditional-camellia256.key", "CAMELLIA-256-CBC"),
        (
            "p256-pbes1.key",
            "scheme 1.2.840.113549.1.12.1.3 (make it anew with `openssl pkcs8 -topk8 -v2 aes-256-cbc`)",
        ),
    ] {
        match load_private_key(file(name), Some("passtrix")) {
            Err(CertError::Encryption { algorithm: named }) => assert_eq!(named, algorithm),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_file_with_no_key_or_several_is_refused() {
    let two = [file("p256.key"), file("p384.key")].concat();

    assert!(matches!(
        load_private_key(file("seed.crt"), None),
        Err(CertError::NoKey)
    ));
    assert!(matches!(load_private_key(b"", None), Err(CertError::NoKey)));
    assert!(matches!(
        load_private_key(&two, None),
        Err(CertError::SeveralKeys)
    ));
}

#[test]
fn a_key_never_shows_itself() {
    let key = load_private_key(file("p256.key"), None).unwrap();

    assert_eq!(format!("{key:?}"), "PrivateKey(..)");
}

#[test]
fn a_key_is_written_as_openssl_writes_it() {
    let key = load_private_key(file("p256.key"), None).unwrap();

    assert_eq!(key.expose_pem().as_bytes(), file("p256.key"));
}

#[test]
fn a_damaged_key_is_an_error_at_every_length() {
    for name in [
        "seed.key",
        "rsa-traditional-des3.key",
        "p256.key",
        "p256-pkcs8.der",
    ] {
        for end in (0..file(name).len()).step_by(61) {
            let cut = &file(name)[..end];

            assert!(
                load_private_key(cut, Some("passtrix")).is_err(),
                "{name}[..{end}]"
            );
        }
    }
}

#[test]
fn certificates_are_read_from_pem_der_and_among_other_text() {
    for name in ["own-p256.crt", "own-p256.cer", "own-p256-text.crt"] {
        assert_eq!(
            load_certificates(file(name)).unwrap(),
            [certificate("own-p256")],
            "{name}"
        );
    }
    let windows = [
        "\u{feff}",
        &String::from_utf8_lossy(file("own-p256.crt")).replace('\n', "\r\n"),
    ];

    assert_eq!(
        load_certificates(windows.concat().as_bytes()).unwrap(),
        [certificate("own-p256")]
    );
}

#[test]
fn a_bundle_keeps_its_order() {
    assert_eq!(
        load_certificates(file("chain.pem")).unwrap(),
        [
            certificate("client-sub"),
            certificate("sub"),
            certificate("ca")
        ]
    );
}

#[test]
fn what_is_no_certificate_is_told_so() {
    for (name, hint) in [
        ("p256.key", Some("it is a private key")),
        (
            "client.csr",
            Some("it is a certificate request: have it signed first"),
        ),
    ] {
        match load_certificates(file(name)) {
            Err(CertError::NoCertificate { hint: given }) => assert_eq!(given, hint, "{name}"),
            other => panic!("{name}: {other:?}"),
        }
    }
    for bytes in [b"".as_slice(), b"hello", b"\xff\xfe\x00"] {
        let answer = load_certificates(bytes);
        assert!(
            matches!(answer, Err(CertError::NoCertificate { hint: None })),
            "{answer:?}"
        );
    }
}

#[test]
fn bytes_after_a_certificate_are_refused() {
    let longer = [file("own-p256.cer"), b"\0"].concat();

    match load_certificates(&longer) {
        Err(CertError::TrailingBytes { what, count }) => {
            assert_eq!((what, count), ("certificate", 1));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_bad_certificate_is_named_by_its_place() {
    let bundle = [
        file("own-p256.crt"),
        b"-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
    ]
    .concat();

    match load_certificates(&bundle) {
        Err(CertError::Certificate { position, .. }) => assert_eq!(position, 2),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_file_beyond_16_mib_is_not_read() {
    let large = vec![b'x'; 16 * 1024 * 1024 + 1];

    assert!(matches!(
        load_certificates(&large),
        Err(CertError::TooLarge { .. })
    ));
    assert!(matches!(
        load_private_key(&large, None),
        Err(CertError::TooLarge { .. })
    ));
}
