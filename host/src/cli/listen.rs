//! Flags that say where to listen, and how.

use super::parse::{duration, mode};
use clap::Args;
use rhost::handover::Predecessor;
use rhost::listener;
use rhost::settings::Listening;
use rhost::socket::Address;
use rhost::tls::CertificateFiles;
use std::path::PathBuf;
use std::time::Duration;

/// Where to listen, and how.
#[derive(Debug, Args)]
#[command(next_help_heading = "Listening")]
pub struct ListenArgs {
    /// Address to listen on, IP:PORT, unix:PATH or fd:N; may be repeated; port 0
    /// takes any free one [default: what systemd passes, else 127.0.0.1:8000]
    #[arg(long, value_name = "ADDRESS")]
    pub addr: Vec<Address>,

    /// Mode of Unix sockets, in octal
    #[arg(long, value_name = "MODE", default_value = "600", value_parser = mode)]
    unix_mode: u32,

    /// Let other processes listen on the same port, each for a share of the connections
    #[arg(long)]
    reuse_port: bool,

    /// Certificate for TLS, with those that lead to a root, in PEM; may be
    /// repeated, each for the names in it
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Vec<PathBuf>,

    /// Key of the certificate at the same place among the flags, in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Vec<PathBuf>,

    /// TLS with a certificate made here, for development
    #[arg(long, conflicts_with_all = ["tls_cert", "tls_key"])]
    pub tls_self_signed: bool,

    /// Certificates of those who sign clients' certificates, in PEM; a client may
    /// then show one, which the app is told of
    #[arg(long, value_name = "FILE")]
    pub tls_client_ca: Option<PathBuf>,

    /// How long a client may take for the handshake of TLS, and a proxy for the header of the
    /// PROXY protocol
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub handshake_timeout: Duration,
}

impl ListenArgs {
    /// The addresses to listen on; those of the process before this one, if it was
    /// told of none either.
    pub fn addresses(&self, predecessor: Option<&Predecessor>) -> Vec<Address> {
        if !self.addr.is_empty() {
            return self.addr.clone();
        }
        if let Some(predecessor) = predecessor {
            return predecessor.addresses();
        }
        let passed = listener::passed();
        match passed.is_empty() {
            true => vec![Address::Tcp(([127, 0, 0, 1], 8000).into())],
            false => passed,
        }
    }

    /// How sockets are bound.
    pub fn listening(&self) -> Listening {
        Listening {
            reuse_port: self.reuse_port,
            unix_mode: self.unix_mode,
        }
    }

    /// Certificates with their keys; an error where one lacks the other.
    pub fn certificates(&self) -> Result<Vec<CertificateFiles>, String> {
        if self.tls_cert.len() != self.tls_key.len() {
            return Err(format!(
                "there are {} --tls-cert and {} --tls-key; give a key for each certificate, in the same order",
                self.tls_cert.len(),
                self.tls_key.len()
            ));
        }
        let pairs = self.tls_cert.iter().zip(&self.tls_key);
        Ok(pairs
            .map(|(certificate, key)| CertificateFiles {
                certificate: certificate.clone(),
                key: key.clone(),
            })
            .collect())
    }
}
