//! Deploys: components that differ, and the admin socket that takes them.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

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

/// The admin socket of a server.
#[derive(Clone)]
pub struct Admin(PathBuf);

impl Admin {
    /// That of the server with this state directory.
    pub fn of(state: &Path) -> Self {
        Admin(state.join("admin.sock"))
    }

    /// Deploys `component` as `app`, at its host. Returns when that is acknowledged.
    pub fn deploy(&self, app: &str, component: &[u8]) -> Result<()> {
        let fields = format!("rhost-settings: {{\"hosts\": \"{app}.test\"}}\r\n");
        let target = format!("/v1/apps/{app}/versions");
        self.ask("POST", &target, &fields, component).map(drop)
    }

    /// The body of an answer that is a good one.
    pub fn ask(&self, method: &str, target: &str, fields: &str, body: &[u8]) -> Result<String> {
        let mut stream = UnixStream::connect(&self.0)?;
        let length = body.len();
        let head = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\n{fields}Content-Length: {length}\r\n\r\n"
        );
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        match answer.split_once("\r\n\r\n") {
            Some((head, body)) if head.starts_with("HTTP/1.1 20") => Ok(body.to_owned()),
            _ => bail!("{method} {target}: {answer}"),
        }
    }
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
