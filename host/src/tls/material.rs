//! What is in files of certificates and keys; and where it is not what it should be, why,
//! and what to do about it.

use super::{TlsError, provider};
use crate::regular_file;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use tokio_rustls::rustls::RootCertStore;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::sign::SigningKey;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::parse_x509_certificate;

/// What a new key may be made by.
const MAKE: &str = "make one of P-256, as by openssl ecparam -name prime256v1 -genkey -noout, \
                    and have a certificate made for it";

/// Kinds of keys that there are and that are not supported here, by a part of their DER.
const KINDS: [(&[u8], &str); 6] = [
    (b"\x06\x05\x2b\x81\x04\x00\x23", "of the curve P-521"),
    (b"\x06\x05\x2b\x81\x04\x00\x0a", "of the curve secp256k1"),
    (b"\x06\x09\x2b\x24\x03\x03\x02\x08", "of a Brainpool curve"),
    (b"\x06\x03\x2b\x65\x71", "of the curve Ed448"),
    (b"\x06\x07\x2a\x86\x48\xce\x38\x04\x01", "of DSA"),
    (
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a",
        "of RSA-PSS",
    ),
];

/// The identifier of RSA.
const RSA: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01";

/// The certificates in the file at `path`.
pub fn chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path, "x509")?;
    let read = CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>();
    let chain = read.map_err(|error| TlsError::file(path, damaged(&error)))?;
    if chain.is_empty() {
        return Err(TlsError::file(path, no_certificate(&labels(&pem))));
    }
    for certificate in &chain {
        parse_x509_certificate(certificate)
            .map_err(|error| TlsError::file(path, damaged(&error)))?;
    }
    Ok(chain)
}

/// Those that sign others, from the file at `path`; and the same as they stand there.
pub fn roots(path: &Path) -> Result<(Arc<RootCertStore>, Vec<CertificateDer<'static>>), TlsError> {
    let mut roots = RootCertStore::empty();
    let chain = chain(path)?;
    for certificate in &chain {
        roots
            .add(certificate.clone())
            .map_err(|error| TlsError::file(path, damaged(&error)))?;
    }
    Ok((Arc::new(roots), chain))
}

/// The key in the file at `path`.
pub fn key(path: &Path) -> Result<Arc<dyn SigningKey>, TlsError> {
    let pem = read(path, "pkey")?;
    let labels = labels(&pem);
    let wrong = |why: String| TlsError::file(path, why);
    if is_encrypted(&pem, &labels) {
        return Err(wrong(
            "the key is encrypted, and nobody is there to type its passphrase; take that off, as \
             by openssl pkey -in KEY -out NEW, and chmod 600 the new file"
                .into(),
        ));
    }
    let key = match PrivateKeyDer::from_pem_slice(&pem) {
        Ok(key) => key,
        Err(_) if !labels.iter().any(|label| is_key(label)) => {
            return Err(wrong(no_key(&labels)));
        }
        Err(error) => return Err(wrong(damaged(&error))),
    };
    let der = key.secret_der().to_vec();
    let loaded = provider().key_provider.load_private_key(key);
    loaded.map_err(|_| wrong(unsupported(&der)))
}

/// What is most likely not meant with the certificates of `path`, a line each. `is_other`
/// says that it is not the one for whoever asks for none of them.
pub fn warnings(path: &Path, chain: &[CertificateDer<'_>], is_other: bool) -> Vec<String> {
    let mut warnings = Vec::new();
    let mut warn = |text: String| warnings.push(format!("{}: {text}", path.display()));
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    let now = now.map_or(0, |since| since.as_secs() as i64);
    for (at, certificate) in chain.iter().enumerate() {
        let Ok((_, parsed)) = parse_x509_certificate(certificate) else {
            continue;
        };
        let which = match at {
            0 => "the certificate".to_owned(),
            _ => format!("the certificate of {} in it", parsed.subject()),
        };
        let validity = parsed.validity();
        if validity.not_after.timestamp() < now {
            let until = validity.not_after;
            warn(format!(
                "{which} expired on {until}, and clients refuse it; renew it"
            ));
        } else if validity.not_before.timestamp() > now {
            let from = validity.not_before;
            warn(format!(
                "{which} is valid from {from} on only, and clients refuse it until then; look \
                 whether the clock is right"
            ));
        }
        if at == 0 && !names_a_host(&parsed) {
            let who = match is_other {
                true => "so no client is ever given it",
                false => "so browsers refuse it",
            };
            warn(format!(
                "{which} names no host (it has no subjectAltName), {who}; have one made with the \
                 names, as by openssl req -addext subjectAltName=DNS:shop.example"
            ));
        }
    }
    warnings
}

fn names_a_host(certificate: &X509Certificate<'_>) -> bool {
    let Ok(Some(names)) = certificate.subject_alternative_name() else {
        return false;
    };
    let mut names = names.value.general_names.iter();
    names.any(|name| matches!(name, GeneralName::DNSName(_) | GeneralName::IPAddress(_)))
}

/// The file at `path`, which is to be PEM; `kind` is openssl's command for what is in it.
fn read(path: &Path, kind: &str) -> Result<Vec<u8>, TlsError> {
    let wrong = |why: &dyn std::fmt::Display| TlsError::file(path, why);
    let unreadable = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound => wrong(&"no such file or directory"),
        io::ErrorKind::PermissionDenied => {
            wrong(&"permission denied; let the user that rhost runs as read it")
        }
        _ => wrong(&error),
    };
    let pem = regular_file::read(path, regular_file::CERTIFICATES).map_err(unreadable)?;
    if pem.trim_ascii().is_empty() {
        return Err(wrong(&"it is empty; look at what was to write it"));
    }
    if pem.starts_with(b"\xef\xbb\xbf") {
        return Err(wrong(
            &"it begins with a byte order mark (BOM), which PEM has not; save it as UTF-8 \
              without one, as by sed -i '1s/^\\xEF\\xBB\\xBF//'",
        ));
    }
    if pem.starts_with(b"\xff\xfe") || pem.starts_with(b"\xfe\xff") {
        return Err(wrong(
            &"it is UTF-16, by its byte order mark (BOM); save it as UTF-8",
        ));
    }
    // A SEQUENCE, which all of these are in DER.
    if matches!(pem[..], [0x30, 0x80..=0x84, ..]) {
        return Err(wrong(&format!(
            "it is DER, and PEM is needed; convert it, as by openssl {kind} -inform der -in FILE \
             -out NEW, or openssl pkcs12 -nodes if it is PKCS #12"
        )));
    }
    Ok(pem)
}

/// What its sections are, by the lines that begin them.
fn labels(pem: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(pem);
    let begins = text.lines().filter_map(|line| {
        let label = line.trim().strip_prefix("-----BEGIN ")?;
        label.strip_suffix("-----")
    });
    begins.map(str::to_owned).collect()
}

fn is_key(label: &str) -> bool {
    label.ends_with("PRIVATE KEY")
}

/// As PKCS #8 has it, or openssl had before.
fn is_encrypted(pem: &[u8], labels: &[String]) -> bool {
    let text = String::from_utf8_lossy(pem);
    let mut lines = text.lines();
    labels.iter().any(|label| label == "ENCRYPTED PRIVATE KEY")
        || lines.any(|line| line.starts_with("Proc-Type:") && line.contains("ENCRYPTED"))
}

fn no_certificate(labels: &[String]) -> String {
    let has = |what: &str| labels.iter().any(|label| label == what);
    if labels.iter().any(|label| is_key(label)) {
        return "there is a key in it and no certificate; look whether certificate and key are \
                swapped"
            .into();
    }
    if has("CERTIFICATE REQUEST") || has("NEW CERTIFICATE REQUEST") {
        return "there is no certificate in it but a request for one; have an authority sign it"
            .into();
    }
    if has("TRUSTED CERTIFICATE") {
        return "its certificate has openssl's remarks on trust; take them off, as by openssl x509 \
                -in FILE -out NEW"
            .into();
    }
    "there is no certificate in it; PEM has one after a line -----BEGIN CERTIFICATE-----".into()
}

fn no_key(labels: &[String]) -> String {
    let has = |what: &str| labels.iter().any(|label| label == what);
    if has("CERTIFICATE") {
        return "there is a certificate in it and no key; look whether certificate and key are \
                swapped"
            .into();
    }
    if has("PUBLIC KEY") {
        return "there is a public key in it; the private one is needed".into();
    }
    "there is no key in it; PEM has one after a line -----BEGIN PRIVATE KEY-----".into()
}

fn damaged(error: &dyn std::fmt::Display) -> String {
    format!("it is damaged ({error}); get it anew from where it was made")
}

/// Why a key that could be read cannot sign.
fn unsupported(der: &[u8]) -> String {
    let has = |part: &[u8]| der.windows(part.len()).any(|found| found == part);
    let supported = "ECDSA with P-256 or P-384, Ed25519 and RSA of 2048 to 8192 bits are";
    match KINDS.iter().find(|(part, _)| has(part)) {
        Some((_, kind)) => {
            format!("it is a key {kind}, which is not supported here; {supported}; {MAKE}")
        }
        None if has(RSA) => {
            format!(
                "it is a key of RSA that is too short, too long or damaged; {supported}; {MAKE}"
            )
        }
        None => format!("it is a key that is damaged or not supported here; {supported}; {MAKE}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};
    use std::fs;

    fn file(name: &str, text: impl AsRef<[u8]>) -> (tempfile::TempDir, std::path::PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join(name);
        fs::write(&path, text).unwrap();
        (home, path)
    }

    #[test]
    fn what_is_wrong_with_a_file_is_told() {
        let made = rcgen::generate_simple_self_signed(["a.test".to_owned()]).unwrap();
        let (certificate, secret) = (made.cert.pem(), made.signing_key.serialize_pem());
        let with_bom = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
        for (text, why) in [
            (Vec::new(), "it is empty"),
            (b" \n".to_vec(), "it is empty"),
            (with_bom(&certificate), "byte order mark"),
            (made.cert.der().to_vec(), "it is DER"),
            (secret.clone().into_bytes(), "swapped"),
            (b"hello".to_vec(), "there is no certificate in it"),
            (
                b"-----BEGIN CERTIFICATE-----\nMII\n".to_vec(),
                "it is damaged",
            ),
            (
                b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n".to_vec(),
                "it is damaged",
            ),
            (
                vec![b'x'; regular_file::CERTIFICATES as usize + 1],
                "larger than",
            ),
        ] {
            let (_home, path) = file("x.pem", text);
            let said = chain(&path).unwrap_err().to_string();
            assert!(said.contains("x.pem: ") && said.contains(why), "{said}");
            assert!(!said.contains('\n'));
        }
        let p521 = b"-----BEGIN EC PRIVATE KEY-----\nBgUrgQQAIw==\n-----END EC PRIVATE KEY-----\n";
        let encrypted =
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n";
        let older = "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nMIIB\n-----END RSA PRIVATE KEY-----\n";
        for (text, why) in [
            (with_bom(&secret), "byte order mark"),
            (made.signing_key.serialize_der(), "it is DER"),
            (certificate.into_bytes(), "swapped"),
            (encrypted.into(), "the key is encrypted"),
            (older.into(), "the key is encrypted"),
            (p521.to_vec(), "of the curve P-521"),
            (b"hello".to_vec(), "there is no key in it"),
        ] {
            let (_home, path) = file("x.key", text);
            let said = key(&path).expect_err("it is wrong").to_string();
            assert!(said.contains("x.key: ") && said.contains(why), "{said}");
        }
        let (home, _) = file("x", "");
        assert!(
            chain(home.path())
                .unwrap_err()
                .to_string()
                .contains("a directory")
        );
        let null = chain(Path::new("/dev/zero")).unwrap_err().to_string();
        assert!(null.contains("a device"), "{null}");
    }

    #[test]
    fn what_is_most_likely_not_meant_is_told() {
        let warnings = |change: &dyn Fn(&mut CertificateParams), is_other| {
            let mut params = CertificateParams::new(["a.test".to_owned()]).unwrap();
            change(&mut params);
            let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
            super::warnings(Path::new("x.pem"), &[made.der().clone()], is_other).join("\n")
        };
        assert_eq!(warnings(&|_| (), false), "");
        let expired = warnings(
            &|params| params.not_after = date_time_ymd(2020, 1, 2),
            false,
        );
        assert!(
            expired.starts_with("x.pem: the certificate expired on"),
            "{expired}"
        );
        let early = warnings(
            &|params| params.not_before = date_time_ymd(2200, 1, 2),
            false,
        );
        assert!(early.contains("is valid from"), "{early}");
        let nameless = |params: &mut CertificateParams| params.subject_alt_names.clear();
        assert!(warnings(&nameless, false).contains("so browsers refuse it"));
        assert!(warnings(&nameless, true).contains("so no client is ever given it"));
    }
}
