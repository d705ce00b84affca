//! A JSON object a line.

use super::{End, Entry};
use crate::environ::{Peer, protocol, text};
use http::HeaderValue;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use std::borrow::Cow;
use std::io::{self, Write};
use std::time::{Duration, SystemTime};

#[derive(Serialize)]
struct Access<'a> {
    time: String,
    remote_addr: &'a str,
    /// The proxy that said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    via: Option<&'a str>,
    method: &'a str,
    target: &'a str,
    protocol: &'a str,
    status: u16,
    octets: u64,
    /// From the request's head to the end of its answer.
    micros: u64,
    /// Of that, in a queue.
    queue_micros: u64,
    /// What its sandbox used; none of it if it got to none.
    #[serde(skip_serializing_if = "Option::is_none")]
    cpu_micros: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    start_micros: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    memory: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    received: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host_calls: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    referer: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<Cow<'a, str>>,
    /// None if the request got to no app.
    #[serde(skip_serializing_if = "Option::is_none")]
    app: Option<&'a str>,
    request: &'a str,
    /// The number of its trace.
    trace: &'a str,
}

/// Every text in ASCII, and without controls.
pub fn append(line: &mut Vec<u8>, entry: &Entry, end: &End<'_>, at: SystemTime) {
    let of = |field: &'_ Option<HeaderValue>| {
        let octets = field.as_ref().map(HeaderValue::as_bytes);
        octets.map(|octets| text(octets).into_owned().into())
    };
    let client = entry.client.as_deref();
    let (receipt, trace) = (&end.receipt, end.trace.parent());
    let used = |value: u64| end.had_sandbox.then_some(value);
    let access = Access {
        time: humantime::format_rfc3339_millis(at).to_string(),
        remote_addr: &entry.peer.remote_addr,
        via: entry
            .peer
            .via()
            .map(|peer: &Peer| peer.remote_addr.as_str()),
        method: entry.method.as_str(),
        target: &entry.target(),
        protocol: protocol(entry.version),
        status: end.status(),
        octets: receipt.sent,
        micros: micros(receipt.wall),
        queue_micros: micros(receipt.queue),
        cpu_micros: used(micros(receipt.cpu)),
        start_micros: used(micros(receipt.start)),
        memory: used(receipt.memory),
        received: used(receipt.received),
        host_calls: used(receipt.host_calls),
        referer: client.and_then(|client| of(&client.referer)),
        user_agent: client.and_then(|client| of(&client.user_agent)),
        app: entry.app(),
        request: end.request.as_str(),
        trace: trace.trace_id(),
    };
    // It fails only for maps whose keys are no strings; there are none here.
    let _ = access.serialize(&mut Serializer::with_formatter(&mut *line, Ascii));
    line.push(b'\n');
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// As serde_json writes on its own, but what is not ASCII, and DEL, by numbers (RFC
/// 8259, section 7).
struct Ascii;

impl Formatter for Ascii {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut plain = 0;
        for (at, c) in fragment.char_indices() {
            if c.is_ascii() && c != '\x7f' {
                continue;
            }
            writer.write_all(&fragment.as_bytes()[plain..at])?;
            for unit in c.encode_utf16(&mut [0; 2]) {
                write!(writer, "\\u{unit:04x}")?;
            }
            plain = at + c.len_utf8();
        }
        writer.write_all(&fragment.as_bytes()[plain..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_is_ascii_and_none_of_it_is_lost() {
        let texts = [
            "plain",
            "é",
            "\u{1f600}x\u{7f}",
            "\"\\\r\n\x1b\u{9b}\u{202e}",
            "",
        ];
        for text in texts {
            let mut line = Vec::new();
            let mut serializer = Serializer::with_formatter(&mut line, Ascii);
            text.serialize(&mut serializer).unwrap();
            assert!(line.iter().all(|octet| (b' '..=b'~').contains(octet)));
            assert_eq!(serde_json::from_slice::<String>(&line).unwrap(), text);
        }
    }
}
