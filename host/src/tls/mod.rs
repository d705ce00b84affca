//! TLS: certificates by name, the handshake, and what it says of the client; and the
//! other side of it, for what this process asks of others.

mod certificates;
mod client;
mod facts;
mod material;
mod plain;
mod self_signed;
mod session;
mod stream;
mod transport;

use certificates::Asked;
pub use certificates::{CertificateFiles, Certificates, TlsError};
pub use client::connector;
pub use facts::Facts;
pub use plain::NotTls;
pub use self_signed::SelfSigned;
pub use transport::Transport;

use crate::socket::Socket;
use arc_swap::ArcSwap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use stream::{Stream, Unmet};
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::{CryptoProvider, ring};
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;

/// The protocols that a client may choose (RFC 7301), the better first.
const ALPN: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// TLS for the connections of a host.
pub struct Tls {
    certificates: Arc<Certificates>,
    client_ca: Option<PathBuf>,
    /// Replaced as a whole when those who sign clients' certificates change, and with it
    /// the sessions that clients could go on with.
    config: ArcSwap<Config>,
    handshake: Duration,
}

struct Config {
    server: ServerConfig,
    /// Who signs clients' certificates.
    client_ca: Vec<CertificateDer<'static>>,
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
        let config = Config::new(&certificates, client_ca)?;
        Ok(Tls {
            certificates,
            client_ca: client_ca.map(Path::to_owned),
            config: ArcSwap::from_pointee(config),
            handshake,
        })
    }

    /// Reads all files again, and says whether they are others. If one cannot be read,
    /// all stay as they are. Connections that are there keep theirs.
    pub fn reread(&self) -> Result<bool, TlsError> {
        let client_ca = self.client_ca.as_deref();
        let config = Config::new(&self.certificates, client_ca)?;
        let is_news = self.certificates.reread()?;
        let is_other = config.client_ca != self.config.load().client_ca;
        if is_other {
            self.config.store(Arc::new(config));
        }
        Ok(is_news || is_other)
    }

    /// What is most likely not meant with the certificates, a line each.
    pub fn warnings(&self) -> Vec<String> {
        self.certificates.warnings()
    }

    /// All files that it was made from.
    pub fn files(&self) -> impl Iterator<Item = &Path> {
        self.certificates.files().chain(self.client_ca.as_deref())
    }

    /// The handshake, within its time. The error of a client that does not speak TLS is
    /// [`NotTls`]; if it speaks HTTP it has been told.
    pub async fn accept(&self, socket: Socket) -> io::Result<(Transport, Facts)> {
        let asked = Arc::new(Asked::of(self.certificates.clone()));
        let mut config = self.config.load().server.clone();
        config.cert_resolver = asked.clone();
        let accept = Stream::accept(socket, Arc::new(config));
        let stream = tokio::time::timeout(self.handshake, accept)
            .await
            .map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?;
        let stream = match stream {
            Ok(stream) => stream,
            Err(Unmet::Failed(error)) => return Err(error),
            Err(Unmet::Plain(socket, said)) => {
                let spoken = plain::turn_away(socket, said).await;
                return Err(io::Error::new(io::ErrorKind::InvalidData, spoken));
            }
        };
        let facts = Facts::of(stream.connection(), asked.name());
        Ok((Transport::Tls(Box::new(stream)), facts))
    }
}

/// Whether the file at `path` has certificates of those who sign others'.
pub fn check_authorities(path: &Path) -> Result<(), TlsError> {
    material::roots(path).map(drop)
}

impl Config {
    fn new(certificates: &Arc<Certificates>, client_ca: Option<&Path>) -> Result<Self, TlsError> {
        let provider = Arc::new(provider());
        let config = ServerConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(|error| TlsError::Setup(error.to_string()))?;
        let (config, client_ca) = match client_ca {
            None => (config.with_no_client_auth(), Vec::new()),
            Some(path) => {
                let (roots, client_ca) = material::roots(path)?;
                let verifier = WebPkiClientVerifier::builder_with_provider(roots, provider)
                    .allow_unauthenticated()
                    .build()
                    .map_err(|error| TlsError::file(path, error))?;
                (config.with_client_cert_verifier(verifier), client_ca)
            }
        };
        let mut server = config.with_cert_resolver(certificates.clone());
        server.alpn_protocols = ALPN.iter().map(|name| name.to_vec()).collect();
        Ok(Config { server, client_ca })
    }
}

/// What signs and verifies.
fn provider() -> CryptoProvider {
    ring::default_provider()
}
