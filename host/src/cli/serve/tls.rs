//! TLS as the command line asks for it.

use super::super::listen::ListenArgs;
use super::error::Error;
use rhost::tls::{CertificateFiles, Certificates, SelfSigned, Tls};
use rhost::watch::Watch;
use std::path::Path;
use std::sync::Arc;

/// TLS, if it is asked for. A certificate of our own making is kept in `kept`. What is most
/// likely not meant with others has been told if they were `checked` with a file.
pub fn of(
    args: &ListenArgs,
    kept: Option<&Path>,
    checked: bool,
    quiet: bool,
) -> Result<Option<Arc<Tls>>, Error> {
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
    let tls = Arc::new(Tls::new(
        certificates,
        args.tls_client_ca.as_deref(),
        args.handshake_timeout,
    )?);
    if !checked {
        warn(&tls);
    }
    let watch = Watch::files(tls.files())?;
    std::thread::spawn({
        let tls = tls.clone();
        move || follow(watch, &tls)
    });
    Ok(Some(tls))
}

/// Reads the files again when they change.
fn follow(mut watch: Watch, tls: &Tls) {
    while watch.wait().is_ok() {
        reread(tls);
    }
}

/// Reads certificates and who signs clients' again. Connections that are there keep theirs.
pub fn reread(tls: &Tls) {
    match tls.reread() {
        Ok(true) => {
            tracing::info!("certificates were read again");
            warn(tls);
        }
        Ok(false) => {}
        Err(error) => {
            tracing::warn!("certificates stay as they are: {error}");
        }
    }
}

fn warn(tls: &Tls) {
    for warning in tls.warnings() {
        tracing::warn!("{warning}");
    }
}
