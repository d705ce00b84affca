//! The work that every server is given, and what its answers have to be.

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use std::net::SocketAddr;

use crate::ask;
use crate::load::Expected;
use crate::request::Request;

/// The document that `/json` answers.
pub const CATALOGUE: &[u8] = include_bytes!("../answers/catalogue.json");

/// What `/` answers.
pub const HELLO: &[u8] = b"Hello, world!\n";

const MIB: u64 = 1 << 20;

/// One kind of request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Work {
    /// `GET /`: fourteen octets
    Hello,
    /// `GET /json`: 1,024 octets
    Json,
    /// `POST /count`: 1 MiB up, its length down
    Up,
    /// `GET /download?mib=1`: 1 MiB down
    Down,
}

impl Work {
    /// All of them, in the order of the report.
    pub const ALL: [Work; 4] = [Work::Hello, Work::Json, Work::Up, Work::Down];

    /// What it is called in a report.
    pub fn name(self) -> &'static str {
        match self {
            Work::Hello => "hello",
            Work::Json => "JSON of 1 KiB",
            Work::Up => "1 MiB up",
            Work::Down => "1 MiB down",
        }
    }

    /// The example that does it.
    pub fn app(self) -> &'static str {
        match self {
            Work::Hello | Work::Json => "hello",
            Work::Up | Work::Down => "stream",
        }
    }

    /// Where it is asked for.
    pub fn target(self) -> &'static str {
        match self {
            Work::Hello => "/",
            Work::Json => "/json",
            Work::Up => "/count",
            Work::Down => "/download?mib=1",
        }
    }

    /// Octets sent with it; none for a GET.
    pub fn upload(self) -> Option<u64> {
        (self == Work::Up).then_some(MIB)
    }

    /// The request.
    pub fn request(self) -> Request {
        match self.upload() {
            Some(octets) => Request::post(self.target(), octets),
            None => Request::get(self.target()),
        }
    }

    fn body(self) -> Vec<u8> {
        match self {
            Work::Hello => HELLO.to_vec(),
            Work::Json => CATALOGUE.to_vec(),
            Work::Up => format!("{MIB}\n").into_bytes(),
            Work::Down => vec![b'.'; MIB as usize],
        }
    }

    /// What the load generator looks at in each answer.
    pub fn expected(self) -> Expected {
        Expected {
            status: 200,
            length: Some(self.body().len() as u64),
        }
    }

    /// Asks once, and compares every octet of the answer.
    pub fn verify(self, addr: SocketAddr) -> Result<()> {
        let body = ask::ask_for_body(addr, &self.request())
            .with_context(|| format!("the answer to {} is wrong", self.target()))?;
        ensure!(
            body == self.body(),
            "the answer to {} is not that of the others: {}",
            self.target(),
            String::from_utf8_lossy(&body[..body.len().min(200)])
        );
        Ok(())
    }
}
