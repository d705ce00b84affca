//! The admin listener over TCP, as a client has it that may misbehave.

use super::{Home, answer};
use crate::serving::Serving;
use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than whatever is waited for here.
const PATIENCE: Duration = Duration::from_secs(60);

/// Where it listens.
pub struct Admin(pub String);

/// A request.
#[derive(Clone)]
pub struct Asked {
    line: String,
    host: String,
    fields: String,
    body: Vec<u8>,
}

impl Asked {
    /// For `path`, by `method`.
    pub fn new(method: &str, path: &str) -> Self {
        Asked {
            line: format!("{method} {path} HTTP/1.1"),
            host: "localhost".into(),
            fields: String::new(),
            body: Vec::new(),
        }
    }

    pub fn get(path: &str) -> Self {
        Asked::new("GET", path)
    }

    /// A deploy, so far without a component.
    pub fn deploy(app: &str) -> Self {
        Asked::new("POST", &format!("/v1/apps/{app}/versions"))
    }

    /// A followed log.
    pub fn follow(app: &str) -> Self {
        Asked::get(&format!("/v1/apps/{app}/logs?follow=true"))
    }

    pub fn host(self, host: &str) -> Self {
        Asked {
            host: host.into(),
            ..self
        }
    }

    /// The same with another field.
    pub fn with(mut self, field: &str) -> Self {
        self.fields += &format!("{field}\r\n");
        self
    }

    pub fn token(self, token: &str) -> Self {
        self.with(&format!("authorization: Bearer {token}"))
    }

    pub fn body(self, body: &[u8]) -> Self {
        Asked {
            body: body.to_vec(),
            ..self
        }
    }

    /// Its octets, with a body of `length`.
    pub fn head(&self, length: usize) -> String {
        let mut head = format!("{}\r\nhost: {}\r\n{}", self.line, self.host, self.fields);
        if length > 0 {
            let _ = write!(head, "content-length: {length}\r\n");
        }
        head + "\r\n"
    }
}

impl Admin {
    /// That of `serving`, which says where it is.
    pub fn of(serving: &Serving) -> Self {
        let said = serving.said.lines();
        let mut found = said.filter_map(|line| line.split("admin listener on http://").nth(1));
        let address = found.next().expect("it says where");
        Admin(address.trim_end_matches('/').to_owned())
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(&self.0).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The answer, whole: its status, and the rest.
    pub fn ask(&self, asked: &Asked) -> (u16, String) {
        let mut stream = self.connect();
        stream
            .write_all(asked.head(asked.body.len()).as_bytes())
            .unwrap();
        // What is refused before may not be read.
        let _ = stream.write_all(&asked.body);
        let (status, text) = answer(&mut stream);
        // Without what differs by the second.
        let text = text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status, text.to_owned())
    }

    /// Asks, announces a body of `length`, sends nothing of it, and waits for the first
    /// line of what is answered.
    pub fn begin(&self, asked: &Asked, length: usize) -> (TcpStream, u16) {
        let mut stream = self.connect();
        stream.write_all(asked.head(length).as_bytes()).unwrap();
        let mut line = [0; 12];
        stream.read_exact(&mut line).unwrap();
        let status = std::str::from_utf8(&line[9..]).unwrap().parse().unwrap();
        (stream, status)
    }
}

impl Home {
    /// A token of `tenant`.
    pub fn token(&self, tenant: &str) -> String {
        let token = self.done(&["token", "create", "--tenant", tenant]);
        token.trim_end().to_owned()
    }
}
