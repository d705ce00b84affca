//! One request, as it is to be sent.

use bytes::Bytes;
use std::fmt;

/// How it is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// HTTP/1.0.
    Http10,
    /// HTTP/1.1.
    Http11,
    /// HTTP/2 over cleartext, with prior knowledge.
    Http2,
}

/// Its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// None.
    Nothing,
    /// These octets, announced by Content-Length.
    Known(Bytes),
    /// So many octets, announced by nothing.
    Streamed(usize),
    /// These octets, but only to who answers `100 Continue`.
    Expected(Bytes),
    /// A first chunk, and then what is no chunk.
    Broken,
    /// Less than its Content-Length, and then the client leaves.
    CutShort,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Ask {
    /// How it is spoken.
    pub protocol: Protocol,
    /// Its method.
    pub method: &'static str,
    /// Its path and query, as they are sent.
    pub target: String,
    /// Fields beyond those that belong to the message.
    pub fields: Vec<(&'static str, Vec<u8>)>,
    /// Its body.
    pub payload: Payload,
    /// Whether the client leaves as soon as the answer has begun.
    pub leaves: bool,
    /// What is told of it in reports, beyond method, target and protocol.
    pub remark: String,
}

impl Ask {
    /// A request over HTTP/1.1, without a body.
    pub fn new(method: &'static str, target: impl Into<String>) -> Self {
        Ask {
            protocol: Protocol::Http11,
            method,
            target: target.into(),
            fields: Vec::new(),
            payload: Payload::Nothing,
            leaves: false,
            remark: String::new(),
        }
    }

    /// GET.
    pub fn get(target: impl Into<String>) -> Self {
        Ask::new("GET", target)
    }

    /// POST with a body of octets.
    pub fn post(target: impl Into<String>, payload: Payload, remark: &str) -> Self {
        let typed = ("content-type", b"application/octet-stream".to_vec());
        Ask {
            payload,
            fields: vec![typed],
            ..Ask::new("POST", target).remark(remark)
        }
    }

    /// The same over another protocol.
    pub fn over(self, protocol: Protocol) -> Self {
        Ask { protocol, ..self }
    }

    /// The same with another field.
    pub fn field(mut self, name: &'static str, value: &[u8]) -> Self {
        self.fields.push((name, value.to_vec()));
        self
    }

    /// The same from a client that leaves.
    pub fn leaving(self) -> Self {
        Ask {
            leaves: true,
            ..self
        }
    }

    /// The same, with `remark` in reports.
    pub fn remark(mut self, remark: &str) -> Self {
        if !self.remark.is_empty() {
            self.remark.push_str(", ");
        }
        self.remark.push_str(remark);
        self
    }
}

impl fmt::Display for Ask {
    /// As a report names it: method, target, what is special.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Characters that are shown of a target.
        const SHOWN: usize = 40;
        write!(f, "{} {:.SHOWN$}", self.method, self.target)?;
        if self.target.chars().nth(SHOWN).is_some() {
            f.write_str("...")?;
        }
        let spoken = match self.protocol {
            Protocol::Http10 => "HTTP/1.0",
            Protocol::Http11 => "",
            Protocol::Http2 => "HTTP/2",
        };
        let remarks = [spoken, self.remark.as_str()];
        let remarks: Vec<_> = remarks.into_iter().filter(|it| !it.is_empty()).collect();
        match remarks.is_empty() {
            true => Ok(()),
            false => write!(f, " ({})", remarks.join(", ")),
        }
    }
}
