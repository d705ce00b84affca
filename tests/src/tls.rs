//! Certificates for tests, and clients that speak TLS.

use crate::client::Client;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rhost::tls::CertificateFiles;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// An authority that signs certificates, and keeps them in a directory of its own.
pub struct Authority {
    home: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate with its key, in memory.
pub struct Identity(CertificateDer<'static>, PrivateKeyDer<'static>);

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("ca.crt"), issuer.pem()).unwrap();
        Authority { home, issuer }
    }

    /// Its own certificate.
    pub fn file(&self) -> PathBuf {
        self.home.path().join("ca.crt")
    }

    /// Files with a new certificate for `host`; they take the place of the ones
    /// before.
    pub fn certify(&self, host: &str) -> CertificateFiles {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let file = |kind: &str| self.home.path().join(format!("{host}.{kind}"));
        let files = CertificateFiles {
            certificate: file("crt"),
            key: file("key"),
        };
        replace(&files.key, &key.serialize_pem());
        replace(&files.certificate, &certificate.pem());
        files
    }

    /// What accepts connections for `host`, with a certificate that it signs for that.
    pub fn acceptor(&self, host: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([host.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key.into())
            .unwrap();
        Arc::new(config).into()
    }

    /// A certificate for a client of this name.
    pub fn client(&self, name: &str) -> Identity {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let key = PrivatePkcs8KeyDer::from(key.serialize_der());
        Identity(certificate.der().clone(), key.into())
    }

    /// A TLS connection of a client that trusts this authority, asks for `host`,
    /// and speaks one of `protocols`.
    pub async fn connect(
        &self,
        addr: SocketAddr,
        host: &'static str,
        protocols: &[&str],
        identity: Option<Identity>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(addr).await?;
        self.connect_over(stream, host, protocols, identity).await
    }

    /// The same over a connection that is there.
    pub async fn connect_over(
        &self,
        stream: TcpStream,
        host: &'static str,
        protocols: &[&str],
        identity: Option<Identity>,
    ) -> io::Result<TlsStream<TcpStream>> {
        let connector = self.connector(protocols, identity);
        connector.connect(host.try_into().unwrap(), stream).await
    }

    /// What makes such connections, and remembers their sessions for the next.
    pub fn connector(&self, protocols: &[&str], identity: Option<Identity>) -> TlsConnector {
        let mut roots = RootCertStore::empty();
        roots.add(self.issuer.der().clone()).unwrap();
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match identity {
            Some(Identity(certificate, key)) => config
                .with_client_auth_cert(vec![certificate], key)
                .unwrap(),
            None => config.with_no_client_auth(),
        };
        config.alpn_protocols = protocols
            .iter()
            .map(|name| name.as_bytes().to_vec())
            .collect();
        Arc::new(config).into()
    }

    /// A connection for requests over HTTP/1.1.
    pub async fn client_of(&self, addr: SocketAddr, host: &'static str) -> Client {
        let stream = self.connect(addr, host, &["http/1.1"], None).await;
        Client::http1_over(stream.expect("a handshake")).await
    }
}

impl Default for Authority {
    fn default() -> Self {
        Authority::new()
    }
}

/// Writes a file whole: whoever watches it finds either text.
fn replace(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}
