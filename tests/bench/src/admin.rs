//! Deploys: components that differ, and the admin socket that takes them.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::artefacts::Artefacts;

/// What hello answers. Its end is what tells variants from each other.
const GREETING: &[u8] = b"Hello, world!";
const NAME: std::ops::Range<usize> = 7..12;

/// Hello, in as many variants as there are numbers of five digits: as long, and as
/// different as two versions of an app are to a server.
pub struct Variants {
    octets: Vec<u8>,
    name: usize,
}

impl Variants {
    /// Those of the example.
    pub fn of_hello(artefacts: &Artefacts) -> Result<Self> {
        let octets = fs::read(artefacts.example("hello")?)?;
        let mut windows = octets.windows(GREETING.len());
        let at = windows.position(|window| window == GREETING);
        let name = at.context("hello has another greeting")? + NAME.start;
        Ok(Variants { octets, name })
    }

    /// The component of one.
    pub fn component(&self, number: u32) -> Vec<u8> {
        let mut octets = self.octets.clone();
        octets[self.name..self.name + NAME.len()].copy_from_slice(name(number).as_bytes());
        octets
    }

    /// Which one answered; none if it was none.
    pub fn number(answer: &[u8]) -> Option<u32> {
        let name = answer.strip_prefix(b"Hello, ")?.strip_suffix(b"!\n")?;
        std::str::from_utf8(name).ok()?.parse().ok()
    }
}

fn name(number: u32) -> String {
    format!("{number:05}")
}

/// Time without a byte after which an answer does not come any more. A deploy may have to
/// wait until others have compiled.
const PATIENCE: Duration = Duration::from_secs(180);

/// The admin listener of a server.
#[derive(Clone)]
pub struct Admin {
    place: Place,
    /// Fields that each request has.
    fields: String,
    patience: Duration,
}

#[derive(Clone)]
enum Place {
    Socket(PathBuf),
    Tcp(SocketAddr),
}

impl Admin {
    /// The socket of the server with this state directory.
    pub fn of(state: &Path) -> Self {
        Admin {
            place: Place::Socket(state.join("admin.sock")),
            fields: String::new(),
            patience: PATIENCE,
        }
    }

    /// The listener at an address, asked with a token.
    pub fn with_token(addr: SocketAddr, token: &str) -> Self {
        Admin {
            place: Place::Tcp(addr),
            fields: format!("Authorization: Bearer {token}\r\n"),
            patience: PATIENCE,
        }
    }

    /// The same, where an answer counts as lost after that time.
    pub fn patient_for(self, patience: Duration) -> Self {
        Admin { patience, ..self }
    }

    /// Deploys `component` as `app`, at its host. Returns when that is acknowledged.
    pub fn deploy(&self, app: &str, component: &[u8]) -> Result<()> {
        let settings = format!("{{\"hosts\": \"{app}.test\"}}");
        self.deploy_with(app, &settings, component)
    }

    /// The same with settings, as JSON.
    pub fn deploy_with(&self, app: &str, settings: &str, component: &[u8]) -> Result<()> {
        let fields = format!("Rhost-Settings: {settings}\r\n");
        let target = format!("/v1/apps/{app}/versions");
        self.ask("POST", &target, &fields, component).map(drop)
    }

    /// What is sent to ask for something.
    pub fn request(&self, method: &str, target: &str, fields: &str, body: &[u8]) -> Vec<u8> {
        let (own, length) = (&self.fields, body.len());
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\n{own}{fields}Content-Length: {length}\r\n\r\n"
        );
        [head.as_bytes(), body].concat()
    }

    /// The body of an answer that is a good one.
    pub fn ask(&self, method: &str, target: &str, fields: &str, body: &[u8]) -> Result<String> {
        let request = self.request(method, target, fields, body);
        let answer = match &self.place {
            Place::Socket(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(self.patience))?;
                stream.set_write_timeout(Some(self.patience))?;
                exchange(stream, &request)
            }
            Place::Tcp(addr) => {
                let stream = TcpStream::connect_timeout(addr, self.patience)?;
                stream.set_read_timeout(Some(self.patience))?;
                stream.set_write_timeout(Some(self.patience))?;
                exchange(stream, &request)
            }
        };
        let answer = answer.with_context(|| format!("{method} {target}"))?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 20") => Ok(body.to_owned()),
            _ => bail!("{method} {target}: {answer}"),
        }
    }
}

fn exchange(mut stream: impl Read + Write, request: &[u8]) -> Result<String> {
    // What is refused may be refused before all of it was sent.
    let written = stream.write_all(request);
    let mut answer = Vec::new();
    let read = stream.read_to_end(&mut answer);
    if answer.is_empty() {
        written?;
        read?;
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variant_is_known_by_its_answer() {
        let variants = Variants {
            octets: b"\0asm Hello, world!\n".to_vec(),
            name: 12,
        };
        let component = variants.component(42);
        assert_eq!(Variants::number(&component[5..]), Some(42));
        assert_eq!(Variants::number(b"Hello, world!\n"), None);
    }
}
