//! What a handshake says, for the environ.

use sha2::{Digest, Sha256};
use std::fmt::Write;
use tokio_rustls::rustls::CommonState;
use x509_parser::parse_x509_certificate;

/// Facts of one TLS connection, by the names under which an app finds them among
/// the environ's extensions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts(pub Vec<(&'static str, String)>);

impl Facts {
    /// `tls.version` and `tls.cipher` as the TLS registries write them, `tls.sni`
    /// if the client named a host, and of a certificate that it showed, and that
    /// was verified, `tls.client-subject` (RFC 4514) and `tls.client-sha256` (of
    /// its DER, in hexadecimal).
    pub fn of(connection: &CommonState, sni: Option<&str>) -> Self {
        let mut facts = Vec::new();
        if let Some(version) = connection.protocol_version() {
            let name = version.as_str().unwrap_or_default();
            // TLSv1_3, as the library spells it.
            facts.push(("tls.version", name.replace("TLSv1_", "TLSv1.")));
        }
        if let Some(suite) = connection.negotiated_cipher_suite() {
            let name = suite.suite().as_str().unwrap_or_default();
            facts.push(("tls.cipher", name.replace("TLS13_", "TLS_")));
        }
        if let Some(name) = sni {
            facts.push(("tls.sni", name.to_owned()));
        }
        let shown = connection.peer_certificates().and_then(<[_]>::first);
        if let Some(certificate) = shown {
            if let Ok((_, parsed)) = parse_x509_certificate(certificate) {
                facts.push(("tls.client-subject", parsed.subject().to_string()));
            }
            let mut digest = String::new();
            for octet in Sha256::digest(certificate) {
                let _ = write!(digest, "{octet:02x}");
            }
            facts.push(("tls.client-sha256", digest));
        }
        Facts(facts)
    }

    /// The host that the client named in its handshake.
    pub fn sni(&self) -> Option<&str> {
        let named = self.0.iter().find(|(name, _)| *name == "tls.sni");
        named.map(|(_, host)| host.as_str())
    }
}
