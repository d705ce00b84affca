//! What a connection costs in memory that is kept and does nothing.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use rustix::process::{Resource, getrlimit, setrlimit};
use serde::Serialize;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, pem::PemObject};
use tokio_rustls::rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use crate::artefacts::{Artefacts, Ready};
use crate::process;
use crate::report::{Table, count, mark};
use crate::servers;
use crate::work::Work;

/// What one may cost after an answer over HTTP/1.1, in octets.
const MARK: f64 = 25.0 * 1024.0;

const GET: &[u8] = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// The preface, no settings, and a request for / (RFC 9113; RFC 7541, appendix A).
const GET_HTTP2: &[u8] =
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\0\0\x0e\x01\x05\0\0\0\x01\x82\x86\x84\x01\x09localhost";

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
}

impl Use {
    const ALL: [Use; 4] = [Use::Nothing, Use::Http1, Use::Http2, Use::Tls];

    fn name(self) -> &'static str {
        match self {
            Use::Nothing => "new",
            Use::Http1 => "HTTP/1.1, one answer",
            Use::Http2 => "HTTP/2, one answer",
            Use::Tls => "TLS, HTTP/1.1, one answer",
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

/// A connection, which is kept as long as this is.
type Connection = Box<dyn Read>;

/// Runs it. Returns whether every answer was right.
pub fn run(args: &Idle) -> Result<bool> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    let needed = u64::from(args.connections) + 100;
    ensure!(
        limit.maximum.is_none_or(|most| most >= needed),
        "that many connections need {needed} open files; raise the limit with ulimit -Hn"
    );
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
    if after == Use::Tls {
        flags.extend(["--tls-self-signed", "--cache-dir", cache]);
    }
    let server = servers::rhost(artefacts, &artefacts.example(Work::Hello.app())?, &flags)?;
    let config = match after {
        Use::Tls => Some(trusting(&home.join("self-signed.crt"))?),
        _ => None,
    };
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

fn trusting(certificate: &Path) -> Result<Arc<ClientConfig>> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(certificate)?)?;
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn connect(addr: SocketAddr, after: Use, tls: Option<&Arc<ClientConfig>>) -> Result<Connection> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    if let Some(config) = tls {
        let session = ClientConnection::new(config.clone(), "localhost".try_into()?)?;
        let mut stream = StreamOwned::new(session, stream);
        ask(&mut stream, GET)?;
        return Ok(Box::new(stream));
    }
    match after {
        Use::Http1 => ask(&mut stream, GET)?,
        Use::Http2 => ask(&mut stream, GET_HTTP2)?,
        Use::Nothing | Use::Tls => {}
    }
    Ok(Box::new(stream))
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
    for figure in figures.iter().filter(|figure| figure.after == Use::Http1) {
        let what = format!(
            "after an answer over HTTP/1.1 one costs {} octets (mark: {})",
            count(figure.each),
            count(MARK)
        );
        println!("{}", mark(&what, figure.each <= MARK));
    }
}
