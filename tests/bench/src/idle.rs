//! What a connection costs in memory that is kept and does nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Serialize;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::artefacts::{Artefacts, Ready};
use crate::process;
use crate::report::{Table, count, mark};
use crate::servers;
use crate::work::Work;

/// What one may cost, in octets.
const MARK: f64 = 25.0 * 1024.0;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// What comes before a request over HTTP/2: the preface, no settings, and the header
/// of its frame (RFC 9113, sections 3.4 and 6.2).
const BEFORE_HTTP2: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x0e\x01\x05\0\0\0\x01";

/// A request for / by http, and by https (RFC 7541, appendix A).
const GET_HTTP2: &[u8] = b"\x82\x86\x84\x01\x09localhost";
const GET_HTTPS2: &[u8] = b"\x82\x87\x84\x01\x09localhost";

/// The end of what hello answers.
const ANSWER: &[u8] = b"Hello, world!\n";

/// The flags of `idle`.
#[derive(Debug, Args)]
pub struct Idle {
    /// Connections that are opened
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..))]
    connections: u32,

    /// Print the figures as JSON
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    ready: Ready,
}

/// What was done over each connection before it was left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Use {
    Nothing,
    Http1,
    Http2,
    Tls,
    TlsHttp2,
}

impl Use {
    const ALL: [Use; 5] = [
        Use::Nothing,
        Use::Http1,
        Use::Http2,
        Use::Tls,
        Use::TlsHttp2,
    ];

    fn name(self) -> &'static str {
        match self {
            Use::Nothing => "new",
            Use::Http1 => "HTTP/1.1, one answer",
            Use::Http2 => "HTTP/2, one answer",
            Use::Tls => "TLS, HTTP/1.1, one answer",
            Use::TlsHttp2 => "TLS, HTTP/2, one answer",
        }
    }

    /// What is asked over it.
    fn request(self) -> Vec<u8> {
        match self {
            Use::Nothing => Vec::new(),
            Use::Http1 | Use::Tls => GET.to_vec(),
            Use::Http2 => [BEFORE_HTTP2, GET_HTTP2].concat(),
            Use::TlsHttp2 => [BEFORE_HTTP2, GET_HTTPS2].concat(),
        }
    }

    /// Which protocol is agreed on in the handshake of TLS, if there is one.
    fn alpn(self) -> Option<&'static [u8]> {
        match self {
            Use::Nothing | Use::Http1 | Use::Http2 => None,
            Use::Tls => Some(b"http/1.1"),
            Use::TlsHttp2 => Some(b"h2"),
        }
    }
}

/// Octets.
#[derive(Serialize)]
struct Figure {
    after: Use,
    connections: u32,
    resident_before: u64,
    resident: u64,
    each: f64,
}

/// What octets go over.
trait Duplex: Read + Write {}

impl<T: Read + Write> Duplex for T {}

/// A connection, which is kept as long as this is.
type Connection = Box<dyn Duplex>;

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Idle) -> Result<bool> {
    process::raise_open_files(u64::from(args.connections) + 100)?;
    let artefacts = Artefacts::of_examples(&args.ready, &["hello"])?;
    let mut figures = Vec::new();
    for after in Use::ALL {
        eprintln!("{}: {} connections", after.name(), args.connections);
        figures.push(measure(args, &artefacts, after)?);
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&figures)?);
    } else {
        print(&figures);
    }
    Ok(true)
}

fn measure(args: &Idle, artefacts: &Artefacts, after: Use) -> Result<Figure> {
    let home = std::env::temp_dir().join(format!("rhost-bench-{}-idle", std::process::id()));
    let cache = home
        .to_str()
        .context("the directory for temporary files has an odd name")?;
    let most = args.connections.saturating_add(100).to_string();
    let mut flags = vec!["--max-connections", &most, "--keep-alive", "1h"];
    flags.extend(["--header-timeout", "1h"]);
    let alpn = after.alpn();
    if alpn.is_some() {
        flags.extend(["--tls-self-signed", "--cache-dir", cache]);
    }
    let server = servers::rhost(artefacts, &artefacts.example(Work::Hello.app())?, &flags)?;
    let config = alpn.map(|alpn| trusting(&home.join("self-signed.crt"), alpn));
    let config = config.transpose()?;
    let open = || connect(server.addr, after, config.as_ref());
    // Whatever is made once is there after these.
    drop((0..100).map(|_| open()).collect::<Result<Vec<_>>>()?);
    let before = process::memory(server.pid())?.resident;
    let kept: Vec<_> = (0..args.connections)
        .map(|_| open())
        .collect::<Result<_>>()
        .with_context(|| format!("a connection failed{}", server.said()))?;
    let resident = process::memory(server.pid())?.resident;
    drop(kept);
    let _ = std::fs::remove_dir_all(home);
    Ok(Figure {
        after,
        connections: args.connections,
        resident_before: before,
        resident,
        each: resident.saturating_sub(before) as f64 / f64::from(args.connections),
    })
}

fn trusting(certificate: &Path, alpn: &[u8]) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![alpn.to_vec()];
    Ok(Arc::new(config))
}

fn connect(addr: SocketAddr, after: Use, tls: Option<&Arc<ClientConfig>>) -> Result<Connection> {
    let stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut stream: Connection = match tls {
        None => Box::new(stream),
        Some(config) => {
            let session = ClientConnection::new(config.clone(), "localhost".try_into()?)?;
            Box::new(StreamOwned::new(session, stream))
        }
    };
    let request = after.request();
    if !request.is_empty() {
        ask(&mut stream, &request)?;
    }
    Ok(stream)
}

/// Sends a request, and reads to the end of its answer.
fn ask(stream: &mut (impl Read + Write), request: &[u8]) -> Result<()> {
    stream.write_all(request)?;
    let mut received = Vec::new();
    let mut buffer = [0; 1024];
    while !received.windows(ANSWER.len()).any(|part| part == ANSWER) {
        match stream.read(&mut buffer)? {
            0 => bail!("no answer came"),
            length => received.extend_from_slice(&buffer[..length]),
        }
    }
    Ok(())
}

fn print(figures: &[Figure]) {
    println!("connections that do nothing: resident memory of rhost, kernel excluded");
    let mut table = Table::new(&["after", "connections", "octets each"]);
    for figure in figures {
        table.row([
            figure.after.name().to_owned(),
            count(figure.connections.into()),
            count(figure.each),
        ]);
    }
    println!("{table}");
    for figure in figures {
        let what = format!(
            "{}: {} octets (mark: {})",
            figure.after.name(),
            count(figure.each),
            count(MARK)
        );
        println!("{}", mark(&what, figure.each <= MARK));
    }
}
