//! TLS as the command line asks for it.

use super::super::listen::ListenArgs;
use super::error::Error;
use rhost::tls::{CertificateFiles, Certificates, SelfSigned, Tls};
use rhost::watch::Watch;
use std::path::Path;
use std::sync::Arc;

/// TLS, if it is asked for. A certificate of our own making is kept in `kept`.
pub fn of(args: &ListenArgs, kept: Option<&Path>, quiet: bool) -> Result<Option<Arc<Tls>>, Error> {
    let mut files = args.certificates().map_err(Error::Certificates)?;
    if args.tls_self_signed {
        let dir = kept.ok_or_else(|| {
            Error::Certificates("there is no place to keep it; name one with --cache-dir".into())
        })?;
        let SelfSigned { certificate, key } = SelfSigned::in_dir(dir)?;
        if !quiet {
            eprintln!(
                "rhost: the certificate is self-signed, for development: browsers warn of it until they are told to trust {}",
                certificate.display()
            );
        }
        files.push(CertificateFiles { certificate, key });
    }
    if files.is_empty() {
        return match &args.tls_client_ca {
            Some(_) => Err(Error::Certificates(
                "--tls-client-ca needs TLS; give --tls-cert and --tls-key as well".into(),
            )),
            None => Ok(None),
        };
    }
    let certificates = Arc::new(Certificates::read(files)?);
    let tls = Tls::new(
        certificates.clone(),
        args.tls_client_ca.as_deref(),
        args.handshake_timeout,
    )?;
    let watch = Watch::beside(certificates.files())?;
    std::thread::spawn(move || reread(watch, &certificates));
    Ok(Some(Arc::new(tls)))
}

/// Reads certificates again when something changes where they are. Connections
/// that are there keep theirs.
fn reread(mut watch: Watch, certificates: &Certificates) {
    while watch.wait().is_ok() {
        match certificates.reread() {
            Ok(true) => tracing::info!("certificates were read again"),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!("certificates stay as they are: {error}");
            }
        }
    }
}
