//! How strictly certificates are checked, from the words of `claviger.toml` to those of `certs`.

use certs::{
    CrlLimits, HttpProxy, NonceUse, OcspMode, OcspSettings, Stale, TrustPolicy, Uncovered,
};

use crate::app::{AppError, DataFolder};
use crate::config::{Lenience, Nonce, Ocsp, Tls};
use crate::crypto::private_file;

/// What follows from dates, chains and revocation lists.
pub(crate) fn trust_policy(tls: &Tls) -> TrustPolicy {
    TrustPolicy {
        uncovered: match tls.crl_missing {
            Lenience::Accept => Uncovered::Accept,
            Lenience::Refuse => Uncovered::Refuse,
        },
        stale: match tls.crl_stale {
            Lenience::Accept => Stale::Accept,
            Lenience::Refuse => Stale::Refuse,
        },
        most_intermediates: tls.max_intermediates.as_usize(),
        ..TrustPolicy::default()
    }
}

/// What the folder with revocation lists may hold.
pub(crate) fn crl_limits(tls: &Tls) -> CrlLimits {
    CrlLimits {
        max_file_bytes: tls.crl_max_file.bytes(),
        max_files: tls.crl_max_files.as_usize(),
        ..CrlLimits::default()
    }
}

/// How responders are asked.
///
/// # Errors
/// [`AppError::Other`] when the proxy's address is none, [`AppError::Keys`] when its login cannot
/// be read or is not private.
pub(crate) fn ocsp(folder: &DataFolder, tls: &Tls) -> Result<OcspSettings, AppError> {
    let hosts = tls.ocsp_hosts.as_ref();
    Ok(OcspSettings {
        mode: match tls.ocsp {
            Ocsp::Soft => OcspMode::Soft,
            Ocsp::Hard => OcspMode::Hard,
            Ocsp::Off => OcspMode::Off,
        },
        timeout: tls.ocsp_timeout.get(),
        max_answer_bytes: tls.ocsp_max_answer.as_usize(),
        proxy: proxy(folder, tls)?,
        clock_skew: tls.ocsp_clock_skew.get(),
        max_remembered: tls.ocsp_max_remembered.as_usize(),
        max_age: tls.ocsp_max_age.get(),
        retry_after: tls.ocsp_retry.get(),
        nonce: match tls.ocsp_nonce {
            Nonce::Never => NonceUse::Never,
            Nonce::Send => NonceUse::Send,
            Nonce::Require => NonceUse::Require,
        },
        allowed_hosts: hosts
            .map(|hosts| hosts.iter().map(|host| host.as_str().to_owned()).collect()),
        max_responders: tls.ocsp_max_responders.as_usize(),
    })
}

fn proxy(folder: &DataFolder, tls: &Tls) -> Result<Option<HttpProxy>, AppError> {
    let Some(address) = &tls.ocsp_proxy else {
        return Ok(None);
    };
    let proxy: HttpProxy = address
        .as_str()
        .parse()
        .map_err(|why| AppError::Other(format!("claviger.toml: tls.ocsp_proxy: {why}")))?;
    let Some(place) = &tls.ocsp_proxy_login else {
        return Ok(Some(proxy));
    };
    let path = place.within(folder.path());
    let login = private_file::read(&path, LONGEST_LOGIN)?;
    let login = std::str::from_utf8(&login)
        .ok()
        .and_then(|text| text.trim_end().split_once(':'))
        .ok_or_else(|| AppError::Other(format!("{}: write user:password", path.display())))?;
    Ok(Some(proxy.with_login(login.0, login.1)))
}

const LONGEST_LOGIN: usize = 4096;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    fn tls(text: &str) -> Tls {
        let text = format!("[tls]\n{text}");
        Config::parse(&text, Path::new("claviger.toml"))
            .unwrap()
            .tls
    }

    #[test]
    fn what_is_set_about_responders_is_what_they_are_asked_by() {
        let folder = DataFolder::new(Path::new("/nowhere"));
        let text = "ocsp = \"hard\"\nocsp_timeout = \"7s\"\nocsp_hosts = [\"a.example\"]\n\
                    ocsp_proxy = \"http://proxy:3128\"\nocsp_nonce = \"require\"\nocsp_retry = \"9s\"\n\
                    ocsp_max_age = \"2h\"\nocsp_clock_skew = \"3s\"\nocsp_max_answer = \"5KiB\"\n\
                    ocsp_max_responders = 2\nocsp_max_remembered = 11";

        let set = ocsp(&folder, &tls(text)).unwrap();

        assert_eq!((set.mode, set.nonce), (OcspMode::Hard, NonceUse::Require));
        let seconds = [set.timeout, set.retry_after, set.max_age, set.clock_skew];
        assert_eq!(seconds, [7, 9, 7200, 3].map(Duration::from_secs));
        let numbers = [set.max_answer_bytes, set.max_responders, set.max_remembered];
        assert_eq!(numbers, [5120, 2, 11]);
        assert_eq!(set.allowed_hosts, Some(vec!["a.example".to_owned()]));
        assert!(set.proxy.is_some());
        assert!(ocsp(&folder, &tls("")).unwrap().proxy.is_none());
    }

    #[test]
    fn what_is_set_about_lists_is_what_is_verified_by() {
        let set = tls(
            "crl_missing = \"refuse\"\ncrl_stale = \"accept\"\nmax_intermediates = 3\n\
                       crl_max_file = \"1KiB\"\ncrl_max_files = 4",
        );

        let policy = trust_policy(&set);

        assert_eq!(
            (policy.uncovered, policy.stale),
            (Uncovered::Refuse, Stale::Accept)
        );
        assert_eq!(policy.most_intermediates, 3);
        assert_eq!(
            (crl_limits(&set).max_file_bytes, crl_limits(&set).max_files),
            (1024, 4)
        );
        assert_eq!(trust_policy(&tls("")), TrustPolicy::default());
        assert_eq!(crl_limits(&tls("")), CrlLimits::default());
    }

    #[test]
    fn a_proxys_login_is_private_and_well_formed_or_refused() {
        let dir = tempfile::tempdir().unwrap();
        let folder = DataFolder::new(dir.path());
        let path = dir.path().join("login");
        let set = tls("ocsp_proxy = \"http://proxy:1\"\nocsp_proxy_login = \"login\"");
        let write = |text: &str, mode: u32| {
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        };

        assert!(matches!(ocsp(&folder, &set), Err(AppError::Keys(_))));
        write("user:word\n", 0o644);
        assert!(matches!(ocsp(&folder, &set), Err(AppError::Keys(_))));
        write("userword\n", 0o600);
        let error = ocsp(&folder, &set).unwrap_err().to_string();
        assert!(error.ends_with("login: write user:password"), "{error}");
        assert!(!error.contains("userword"), "{error}");
        write("user:word\n", 0o600);
        assert!(ocsp(&folder, &set).unwrap().proxy.is_some());
    }
}
