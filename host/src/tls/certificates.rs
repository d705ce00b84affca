//! Certificates: read from files, chosen by the name that a client asks for, and
//! read again when the files change.

use super::material;
use arc_swap::ArcSwap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use tokio_rustls::rustls::sign::CertifiedKey;
use tokio_rustls::rustls::{Error, InconsistentKeys};

/// Why there is no TLS. One line each.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is not what it should be.
    #[error("{}: {error}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What is wrong with it.
        error: String,
    },
    /// A key is not that of its certificate.
    #[error(
        "{} is not the key of {}; give the key that it was made with, at the same place among \
         the flags",
        key.display(),
        certificate.display()
    )]
    Mismatch {
        /// The certificate.
        certificate: PathBuf,
        /// The key.
        key: PathBuf,
    },
    /// The library refuses.
    #[error("TLS cannot be set up: {0}")]
    Setup(String),
}

impl TlsError {
    /// The file that it is about, as far as it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            TlsError::File { path, .. } => Some(path),
            TlsError::Mismatch { key, .. } => Some(key),
            TlsError::Setup(_) => None,
        }
    }

    /// What is wrong with `path`.
    pub fn file(path: &Path, error: impl fmt::Display) -> Self {
        TlsError::File {
            path: path.to_owned(),
            error: error.to_string(),
        }
    }
}

/// Where a certificate and its key are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateFiles {
    /// The certificate, and after it those that lead to a root, in PEM.
    pub certificate: PathBuf,
    /// Its key, in PEM.
    pub key: PathBuf,
}

/// The certificates of a host.
#[derive(Debug)]
pub struct Certificates {
    files: Vec<CertificateFiles>,
    keys: ArcSwap<Vec<Arc<CertifiedKey>>>,
}

impl Certificates {
    /// Reads them. The first is for whoever asks for no name, or for one that none
    /// of them is for.
    pub fn read(files: Vec<CertificateFiles>) -> Result<Self, TlsError> {
        let keys = ArcSwap::from_pointee(read_all(&files)?);
        Ok(Certificates { files, keys })
    }

    /// Reads them again, and says whether they are others. If one cannot be read,
    /// all stay as they are.
    pub fn reread(&self) -> Result<bool, TlsError> {
        let read = read_all(&self.files)?;
        let is_news = self.differs(&read);
        if is_news {
            self.keys.store(Arc::new(read));
        }
        Ok(is_news)
    }

    /// Whether these are others than those that are served.
    fn differs(&self, read: &[Arc<CertifiedKey>]) -> bool {
        let had = self.keys.load();
        let mut both = read.iter().zip(had.iter());
        !both.all(|(new, old)| new.cert == old.cert)
    }

    /// What is most likely not meant with them, a line each.
    pub fn warnings(&self) -> Vec<String> {
        let keys = self.keys.load();
        let each = self.files.iter().zip(keys.iter()).enumerate();
        each.flat_map(|(at, (files, key))| {
            let others = self.files.len() > 1 && at > 0;
            material::warnings(&files.certificate, &key.cert, others)
        })
        .collect()
    }

    /// The files.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.files
            .iter()
            .flat_map(|files| [files.certificate.as_path(), files.key.as_path()])
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let keys = self.keys.load();
        let asked = hello
            .server_name()
            .and_then(|name| ServerName::try_from(name).ok());
        let is_for = |key: &&Arc<CertifiedKey>| {
            let certificate = key.cert.first()?;
            let parsed = ParsedCertificate::try_from(certificate).ok()?;
            let name = asked.as_ref()?;
            tokio_rustls::rustls::client::verify_server_name(&parsed, name).ok()
        };
        let found = keys.iter().find(|key| is_for(key).is_some());
        found.or(keys.first()).cloned()
    }
}

/// Chooses the certificate of one connection, and remembers whom the client asked for.
#[derive(Debug)]
pub struct Asked {
    certificates: Arc<Certificates>,
    name: OnceLock<String>,
}

impl Asked {
    /// For a connection whose client has said nothing yet.
    pub fn of(certificates: Arc<Certificates>) -> Self {
        let name = OnceLock::new();
        Asked { certificates, name }
    }

    /// The host that the client named (SNI, RFC 6066 section 3).
    pub fn name(&self) -> Option<&str> {
        self.name.get().map(String::as_str)
    }
}

impl ResolvesServerCert for Asked {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        if let Some(name) = hello.server_name() {
            self.name.get_or_init(|| name.to_owned());
        }
        self.certificates.resolve(hello)
    }
}

fn read_all(files: &[CertificateFiles]) -> Result<Vec<Arc<CertifiedKey>>, TlsError> {
    files
        .iter()
        .map(|CertificateFiles { certificate, key }| {
            let chain = material::chain(certificate)?;
            let signing = material::key(key)?;
            let certified = CertifiedKey::new(chain, signing);
            match certified.keys_match() {
                Ok(()) => Ok(Arc::new(certified)),
                Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
                    Err(TlsError::Mismatch {
                        certificate: certificate.clone(),
                        key: key.clone(),
                    })
                }
                Err(error) => Err(TlsError::file(
                    certificate,
                    format!("it cannot be used ({error}); have another one made"),
                )),
            }
        })
        .collect()
}
