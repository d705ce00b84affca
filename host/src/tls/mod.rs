//! TLS: certificates by name, the handshake, and what it says of the client; and the
//! other side of it, for what this process asks of others.

mod certificates;
mod client;
mod facts;
mod self_signed;
mod session;
mod stream;
mod transport;

use certificates::Asked;
pub use certificates::{CertificateFiles, Certificates, TlsError};
pub use client::connector;
pub use facts::Facts;
pub use self_signed::SelfSigned;
pub use transport::Transport;

use crate::socket::Socket;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use stream::Stream;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// The protocols that a client may choose (RFC 7301), the better first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS for the connections of a host.
pub struct Tls {
    certificates: Arc<Certificates>,
    config: ServerConfig,
    handshake: Duration,
}

impl Tls {
    /// TLS 1.2 and 1.3 with these certificates. A client may show one of its own
    /// if `client_ca` names those who sign them; one that shows a wrong one is
    /// turned away.
    pub fn new(
        certificates: Arc<Certificates>,
        client_ca: Option<&Path>,
        handshake: Duration,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?;
        let config = match client_ca {
            None => config.with_no_client_auth(),
            Some(path) => config.with_client_cert_verifier(
                WebPkiClientVerifier::builder_with_provider(roots(path)?, provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| TlsError::file(path, error))?,
            ),
        };
        let mut config = config.with_cert_resolver(certificates.clone());
        config.alpn_protocols = ALPN.iter().map(|name| name.to_vec()).collect();
        Ok(Tls {
            certificates,
            config,
            handshake,
        })
    }

    /// The handshake, within its time.
    pub async fn accept(&self, socket: Socket) -> io::Result<(Transport, Facts)> {
        let asked = Arc::new(Asked::of(self.certificates.clone()));
        let mut config = self.config.clone();
        config.cert_resolver = asked.clone();
        let accept = Stream::accept(socket, Arc::new(config));
        let stream = tokio::time::timeout(self.handshake, accept)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        let facts = Facts::of(stream.connection(), asked.name());
        Ok((Transport::Tls(Box::new(stream)), facts))
    }
}

/// The certificates in a file of PEM.
fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| TlsError::file(path, error))?;
    let chain: Vec<_> = read
        .collect::<Result<_, _>>()
        .map_err(|error| TlsError::file(path, error))?;
    match chain.is_empty() {
        true => Err(TlsError::file(path, "there is no certificate in it")),
        false => Ok(chain),
    }
}

fn roots(path: &Path) -> Result<Arc<RootCertStore>, TlsError> {
    let mut roots = RootCertStore::empty();
    for certificate in chain(path)? {
        roots
            .add(certificate)
            .map_err(|error| TlsError::file(path, error))?;
    }
    Ok(Arc::new(roots))
}

/// What signs and verifies.
fn provider() -> CryptoProvider {
    ring::default_provider()
}
