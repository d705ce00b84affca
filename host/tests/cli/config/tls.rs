//! Certificates and keys in a file: what is said of wrong ones, and how new ones come to be
//! served.

use super::Home;
use crate::serving::Serving;
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd,
};
use rustix::process::Signal;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{
    CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName,
};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, Stream};

const APP: &str = "[apps.hello]\ncomponent = \"hello.wasm\"\n";

/// What openssl makes of `ecparam -name secp521r1 -genkey`.
const P521: &str = "-----BEGIN PRIVATE KEY-----
MIHuAgEAMBAGByqGSM49AgEGBSuBBAAjBIHWMIHTAgEBBEIAeZEJ5VPIZpTSYrQL
d723fsGCTN73lN5CMHzCGLlOO+2fVsctJ4fIm50QNQ2gGdc1NOzSyJwOecrmfryR
VrF/dkmhgYkDgYYABAFRGU5ziQbGqPESprfpNb/m+hs5MTp1wHc75BrgQ0z6uZgp
VuLh5/+DVo4nW9IKMJ2BgMVOIfT1sMBC3j7pGyxpCAGEafaK0jFQ71xdW/nPRrtB
I0/BimPYrGRIwmI67yVZITyt2vA6+G62xraN9lCHOpAzEYQ8AZkGramCYpcUAnuC
4w==
-----END PRIVATE KEY-----
";

/// What openssl makes of a key with a passphrase.
const ENCRYPTED: &str = "-----BEGIN ENCRYPTED PRIVATE KEY-----
MIHsMFcGCSqGSIb3DQEFDTBKMCkGCSqGSIb3DQEFDDAcBAhIJ476wIltQwICCAAw
DAYIKoZIhvcNAgkFADAdBglghkgBZQMEASoEEH+a4ouuv+LtPRzkbzA6V4UEgZC4
pxHSvB9EibMWmIiG6SJpCp45mYJpM+3mYE9IBGPm9W5tjl+ElRvVZ7EhyxvkHalr
9tOUEU/I0BZHkppy35wjlroeBrvcDHNOXTcvXOzkVNi/QkZZxuWNM1+1KivujawC
45elZ/AU4CmsrbX8gcZO8Xt9Brr3ZfEp4XjVC+IQMIvsOLS+g6pBbq0q3iabIOE=
-----END ENCRYPTED PRIVATE KEY-----
";

/// A certificate for `name` and its key, in PEM.
fn made(name: &str, change: impl Fn(&mut CertificateParams)) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new([name.to_owned()]).unwrap();
    change(&mut params);
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

/// An authority of this name.
fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// A file with `server` in it, and certificate and key for `site.test` beside it.
fn home(server: &str) -> Home {
    let home = Home::new(&format!("[server]\n{server}\n{APP}"));
    put(&home, &made("site.test", |_| ()));
    home
}

const PAIR: &str = "tls-cert = \"site.pem\"\ntls-key = \"site.key\"\n";

fn put(home: &Home, (certificate, key): &(impl AsRef<[u8]>, impl AsRef<[u8]>)) {
    replace(&home.path("site.key"), key);
    replace(&home.path("site.pem"), certificate);
}

fn replace(path: &Path, text: impl AsRef<[u8]>) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600)).unwrap();
    fs::rename(new, path).unwrap();
}

#[test]
fn what_is_wrong_is_said_in_a_line_with_what_to_do() {
    let home = home(PAIR);
    let (certificate, key) = made("site.test", |_| ());
    let (other, _) = made("site.test", |_| ());
    let bom = |text: &str| [b"\xef\xbb\xbf", text.as_bytes()].concat();
    let bytes = |text: &str| text.as_bytes().to_vec();
    let der = |text: &str| {
        let pem = tokio_rustls::rustls::pki_types::pem::PemObject::from_pem_slice(text.as_bytes());
        let der: CertificateDer<'static> = pem.unwrap();
        der.to_vec()
    };
    for (certificate, key, said) in [
        (
            bytes(&certificate),
            bytes(ENCRYPTED),
            "tls-key: HOME/site.key: the key is encrypted",
        ),
        (
            bytes(&certificate),
            bytes(P521),
            "tls-key: HOME/site.key: it is a key of the curve P-521",
        ),
        (
            bom(&certificate),
            bytes(&key),
            "tls-cert: HOME/site.pem: it begins with a byte order mark",
        ),
        (
            bytes(&certificate),
            bom(&key),
            "tls-key: HOME/site.key: it begins with a byte order mark",
        ),
        (
            der(&certificate),
            bytes(&key),
            "tls-cert: HOME/site.pem: it is DER, and PEM is needed",
        ),
        (
            bytes(&other),
            bytes(&key),
            "tls-key: HOME/site.key is not the key of HOME/site.pem",
        ),
        (
            bytes(""),
            bytes(&key),
            "tls-cert: HOME/site.pem: it is empty",
        ),
        (
            bytes(&certificate),
            bytes("\n"),
            "tls-key: HOME/site.key: it is empty",
        ),
        (
            bytes(&key),
            bytes(&certificate),
            "tls-cert: HOME/site.pem: there is a key in it and no certificate",
        ),
    ] {
        put(&home, &(certificate, key));
        let said = said.replace("HOME/", "");
        for command in [
            &["config", "check", "-c", "rhost.toml"][..],
            &["serve", "-c", "rhost.toml"],
        ] {
            let output = home.run(command);
            let text = String::from_utf8(output.stderr).unwrap();
            let lines: Vec<&str> = text.lines().filter(|line| line.contains("site.")).collect();
            let [line] = lines[..] else { panic!("{text}") };
            assert!(line.contains(&said), "{said}: {line}");
            assert!(!output.status.success());
        }
        // By flags as well.
        let flags = ["--tls-cert", "site.pem", "--tls-key", "site.key"];
        let output = home.run(&[&["serve", "hello.wasm"], &flags[..]].concat());
        let text = String::from_utf8(output.stderr).unwrap();
        let (_, what) = said.split_once(": ").unwrap();
        assert!(text.contains(what), "{said}: {text}");
        assert!(!output.status.success());
    }
}

#[test]
fn what_is_most_likely_not_meant_is_said() {
    let home = home(PAIR);
    for (change, said) in [
        (
            (&|params: &mut CertificateParams| params.subject_alt_names.clear()) as &dyn Fn(&mut _),
            "site.pem: the certificate names no host (it has no subjectAltName)",
        ),
        (
            &|params: &mut CertificateParams| params.not_after = date_time_ymd(2020, 1, 2),
            "site.pem: the certificate expired on ",
        ),
    ] {
        put(&home, &made("site.test", change));
        let output = home.run(&["config", "check", "-c", "rhost.toml"]);
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        let line = text.lines().find(|line| line.contains(said));
        assert!(
            line.is_some_and(|line| line.contains("warning: server.tls-cert: ")),
            "{text}"
        );
        let serving = home.serve(&[]);
        assert_eq!(serving.said.matches(said).count(), 1, "{}", serving.said);
        drop(serving);
        let mut command = crate::serving::rhost();
        command.current_dir(&home.0);
        let flags = [
            "hello.wasm",
            "--tls-cert",
            "site.pem",
            "--tls-key",
            "site.key",
        ];
        let mut serving = Serving::start(command, &flags);
        // The log has a thread of its own.
        if !serving.said.contains(said) {
            serving.until(said);
        }
    }
}

/// Begins TLS, shows the certificate that `issuer` signs, and asks. An empty answer is
/// that of one who is turned away. With it the certificate that the server showed.
fn ask(serving: &Serving, issuer: Option<&CertifiedIssuer<'static, KeyPair>>) -> (String, Vec<u8>) {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anyone));
    let config = match issuer {
        None => builder.with_no_client_auth(),
        Some(issuer) => {
            let key = KeyPair::generate().unwrap();
            let mut params = CertificateParams::new(Vec::new()).unwrap();
            params.distinguished_name.push(DnType::CommonName, "client");
            let certificate = params.signed_by(&key, issuer).unwrap().der().clone();
            let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
            builder
                .with_client_auth_cert(vec![certificate], key)
                .unwrap()
        }
    };
    let name = ServerName::try_from("site.test").unwrap();
    let mut session = ClientConnection::new(Arc::new(config), name).unwrap();
    let mut socket = TcpStream::connect(&serving.addr).unwrap();
    socket
        .set_read_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    let mut stream = Stream::new(&mut session, &mut socket);
    let _ = stream.write_all(b"GET / HTTP/1.1\r\nhost: site.test\r\nconnection: close\r\n\r\n");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let shown = session
        .peer_certificates()
        .map_or_else(Vec::new, |shown| shown[0].to_vec());
    (String::from_utf8(answer).unwrap(), shown)
}

/// Trusts everyone: who it is, is what is asked here.
#[derive(Debug)]
struct Anyone;

impl tokio_rustls::rustls::client::danger::ServerCertVerifier for Anyone {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: tokio_rustls::rustls::pki_types::UnixTime,
    ) -> Result<tokio_rustls::rustls::client::danger::ServerCertVerified, tokio_rustls::rustls::Error>
    {
        Ok(tokio_rustls::rustls::client::danger::ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &tokio_rustls::rustls::DigitallySignedStruct,
    ) -> Result<
        tokio_rustls::rustls::client::danger::HandshakeSignatureValid,
        tokio_rustls::rustls::Error,
    > {
        Ok(tokio_rustls::rustls::client::danger::HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &tokio_rustls::rustls::DigitallySignedStruct,
    ) -> Result<
        tokio_rustls::rustls::client::danger::HandshakeSignatureValid,
        tokio_rustls::rustls::Error,
    > {
        self.verify_tls12_signature(message, certificate, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<tokio_rustls::rustls::SignatureScheme> {
        vec![
            tokio_rustls::rustls::SignatureScheme::ECDSA_NISTP256_SHA256,
            tokio_rustls::rustls::SignatureScheme::ED25519,
        ]
    }
}

#[test]
fn who_signs_clients_certificates_is_read_again() {
    let home = home(&format!("{PAIR}tls-client-ca = \"ca.pem\"\n"));
    let (first, second) = (authority("first"), authority("second"));
    replace(&home.path("ca.pem"), first.pem());
    let mut serving = home.serve(&[]);
    assert!(ask(&serving, Some(&first)).0.ends_with("Hello, world!\n"));
    assert_eq!(ask(&serving, Some(&second)).0, "");
    replace(&home.path("ca.pem"), second.pem());
    serving.until("certificates were read again");
    assert!(ask(&serving, Some(&second)).0.ends_with("Hello, world!\n"));
    assert_eq!(ask(&serving, Some(&first)).0, "");
    // A signal has it done as well, where a watch may have been too late.
    replace(&home.path("ca.pem"), "none");
    serving.until("certificates stay as they are: ");
    serving.signal(Signal::HUP);
    serving.until("is not applied");
    assert!(ask(&serving, Some(&second)).0.ends_with("Hello, world!\n"));
    replace(&home.path("ca.pem"), first.pem());
    serving.signal(Signal::HUP);
    serving.until("rhost.toml is applied");
    assert!(ask(&serving, Some(&first)).0.ends_with("Hello, world!\n"));
    assert!(ask(&serving, None).0.ends_with("Hello, world!\n"));
}

/// The link at `link` leads to `to` from here on.
fn lead(link: &Path, to: &str) {
    let new = link.with_file_name("new-link");
    symlink(to, &new).unwrap();
    fs::rename(new, link).unwrap();
}

/// As secrets and certificates are lent to a container, and one link further.
#[test]
fn files_behind_chains_of_links_are_read_again() {
    let home = Home::new(
        "[server]\nwatch = true\ntls-cert = \"tree/site.pem\"\ntls-key = \"tree/site.key\"\n\
         [apps.hello]\ncomponent = \"tree/hello.wasm\"\n\
         secrets = { A = { file = \"tree/secret\" } }\n",
    );
    for volume in ["a", "b"] {
        let dir = home.path(volume).join("v1");
        fs::create_dir_all(&dir).unwrap();
        let (certificate, key) = made("site.test", |_| ());
        replace(&dir.join("site.pem"), certificate);
        replace(&dir.join("site.key"), key);
        replace(&dir.join("secret"), volume);
        fs::copy(home.path("hello.wasm"), dir.join("hello.wasm")).unwrap();
        symlink("v1", home.path(volume).join("..data")).unwrap();
        for file in ["site.pem", "site.key", "secret", "hello.wasm"] {
            let link = home.path(volume).join(file);
            symlink(format!("..data/{file}"), link).unwrap();
        }
    }
    symlink("a", home.path("tree")).unwrap();
    let mut serving = home.serve(&[]);
    let (answer, first) = ask(&serving, None);
    assert!(answer.ends_with("Hello, world!\n"), "{answer}");
    lead(&home.path("tree"), "b");
    both(&mut serving);
    let (answer, second) = ask(&serving, None);
    assert!(answer.ends_with("Hello, world!\n"), "{answer}");
    assert_ne!(first, second);
    // The volume that the link leads to now changes in its own way.
    let next = home.path("b").join("v2");
    fs::create_dir(&next).unwrap();
    let (certificate, key) = made("site.test", |_| ());
    replace(&next.join("site.pem"), certificate);
    replace(&next.join("site.key"), key);
    replace(&next.join("secret"), "c");
    fs::copy(home.path("hello.wasm"), next.join("hello.wasm")).unwrap();
    lead(&home.path("b").join("..data"), "v2");
    both(&mut serving);
    assert_ne!(ask(&serving, None).1, second);
}

/// Waits until certificates and app are new, in whatever order.
fn both(serving: &mut Serving) {
    let from = serving.said.len();
    for what in [
        "certificates were read again",
        "0 added, 1 changed, 0 removed",
    ] {
        if !serving.said[from..].contains(what) {
            serving.until(what);
        }
    }
}
