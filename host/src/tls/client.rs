//! TLS with servers that this process asks something of.

use super::{TlsError, material, provider};
use std::path::Path;
use std::sync::Arc;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// What begins TLS 1.2 or 1.3 with a server whose certificate one of those in the file
/// `ca` has signed; without one, an authority that this system trusts.
pub fn connector(ca: Option<&Path>) -> Result<TlsConnector, TlsError> {
    let roots = match ca {
        Some(path) => material::roots(path)?.0,
        None => Arc::new(roots_of_system()?),
    };
    let config = ClientConfig::builder_with_provider(Arc::new(provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| TlsError::Setup(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}

/// The authorities that this system trusts. `SSL_CERT_FILE` and `SSL_CERT_DIR` are
/// heeded.
fn roots_of_system() -> Result<RootCertStore, TlsError> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // Some systems have old ones that cannot be read.
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let why = found.errors.first().map(ToString::to_string);
    Err(TlsError::Setup(format!(
        "this system has no certificates of authorities ({}); name a file of them",
        why.as_deref().unwrap_or("none were found")
    )))
}
