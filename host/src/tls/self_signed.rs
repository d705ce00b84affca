//! A certificate for development, which nobody trusts who does not want to.

use super::certificates::TlsError;
use rcgen::{CertificateParams, DnType, KeyPair, date_time_ymd};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use x509_parser::pem::parse_x509_pem;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long it is good for: clients distrust what claims to be good for long.
const LIFE: Duration = Duration::from_secs(365 * DAY.as_secs());

/// What it must still be good for when a server starts; else another is made.
const REMAINS: Duration = Duration::from_secs(30 * DAY.as_secs());

/// Who it says it is, in a browser's warning.
const COMMON_NAME: &str = "rhost --tls-self-signed";

/// The names that it is for.
pub const NAMES: [&str; 4] = ["localhost", "*.localhost", "127.0.0.1", "::1"];

/// Where a self-signed certificate and its key are.
#[derive(Debug, Clone)]
pub struct SelfSigned {
    /// The certificate, in PEM.
    pub certificate: PathBuf,
    /// The key, in PEM, readable by its owner alone.
    pub key: PathBuf,
}

impl SelfSigned {
    /// The one in `dir`, so that a browser that was told to trust it need not be
    /// told again; made if there is none, or none that is good for long enough.
    pub fn in_dir(dir: &Path) -> Result<Self, TlsError> {
        let kept = SelfSigned {
            certificate: dir.join("self-signed.crt"),
            key: dir.join("self-signed.key"),
        };
        let now = since_epoch();
        if !kept.is_good_at(now + REMAINS) {
            kept.make(now)
                .map_err(|error| TlsError::file(&kept.certificate, error))?;
        }
        Ok(kept)
    }

    fn is_good_at(&self, time: Duration) -> bool {
        let Ok(pem) = fs::read(&self.certificate) else {
            return false;
        };
        let Ok((_, pem)) = parse_x509_pem(&pem) else {
            return false;
        };
        let until = pem.parse_x509().map(|shown| shown.validity().not_after);
        let until = until.map_or(0, |until| until.timestamp());
        self.key.is_file() && u64::try_from(until).is_ok_and(|until| until > time.as_secs())
    }

    fn make(&self, now: Duration) -> io::Result<()> {
        let mut params =
            CertificateParams::new(NAMES.map(str::to_owned).to_vec()).map_err(io::Error::other)?;
        let epoch = date_time_ymd(1970, 1, 1);
        // Clocks of clients may be behind.
        params.not_before = epoch + now.saturating_sub(DAY);
        params.not_after = params.not_before + LIFE;
        params
            .distinguished_name
            .push(DnType::CommonName, COMMON_NAME);
        let signing_key = KeyPair::generate().map_err(io::Error::other)?;
        let cert = params.self_signed(&signing_key).map_err(io::Error::other)?;
        if let Some(dir) = self.certificate.parent() {
            // As whoever else keeps things there wants it.
            DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        }
        let _ = fs::remove_file(&self.key);
        let mut key = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&self.key)?;
        key.write_all(signing_key.serialize_pem().as_bytes())?;
        fs::write(&self.certificate, cert.pem())
    }
}

fn since_epoch() -> Duration {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_for_as_long_as_it_is_good() {
        let home = tempfile::tempdir().unwrap();
        let first = SelfSigned::in_dir(home.path()).unwrap();
        let text = fs::read(&first.certificate).unwrap();
        let again = SelfSigned::in_dir(home.path()).unwrap();
        assert_eq!(fs::read(&again.certificate).unwrap(), text);
        // One that ends tomorrow, and one that is none.
        first.make(since_epoch() + DAY - LIFE).unwrap();
        let ending = fs::read(&first.certificate).unwrap();
        for last in [ending, b"damaged".to_vec()] {
            fs::write(&first.certificate, &last).unwrap();
            SelfSigned::in_dir(home.path()).unwrap();
            assert!(first.is_good_at(since_epoch() + REMAINS));
            assert!(!first.is_good_at(since_epoch() + LIFE));
        }
    }
}
