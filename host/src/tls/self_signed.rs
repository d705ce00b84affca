//! A certificate for development, which nobody trusts who does not want to.

use super::certificates::TlsError;
use rcgen::{CertifiedKey, generate_simple_self_signed};
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

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
    /// The one in `dir`; made if there is none, so that a browser that was told to
    /// trust it need not be told again.
    pub fn in_dir(dir: &Path) -> Result<Self, TlsError> {
        let kept = SelfSigned {
            certificate: dir.join("self-signed.crt"),
            key: dir.join("self-signed.key"),
        };
        if !(kept.certificate.is_file() && kept.key.is_file()) {
            kept.make()
                .map_err(|error| TlsError::file(&kept.certificate, error))?;
        }
        Ok(kept)
    }

    fn make(&self) -> io::Result<()> {
        let names = NAMES.map(str::to_owned);
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(names).map_err(io::Error::other)?;
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
