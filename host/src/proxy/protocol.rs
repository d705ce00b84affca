//! The PROXY protocol, versions 1 and 2 (HAProxy's proxy-protocol.txt): the first
//! octets of a connection say whose it is, before TLS and before HTTP.

use crate::socket::Socket;
use ppp::{v1, v2};
use std::io;
use std::net::SocketAddr;
use thiserror::Error;
use tokio::io::AsyncReadExt;

/// Octets that both versions have at least, and by which they are told apart.
const SIGNATURE: usize = 12;
/// The longest line of version 1, with its end (section 2.1).
const LONGEST_LINE: usize = 107;
/// What of version 2 comes before the octets that it counts (section 2.2).
const FIXED: usize = 16;

/// The ends of the connection that the proxy was asked on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ends {
    /// The client.
    pub source: SocketAddr,
    /// What it connected to.
    pub destination: SocketAddr,
}

/// Octets that are no header of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it does not begin with a header of the PROXY protocol")]
pub struct Malformed;

impl From<Malformed> for io::Error {
    fn from(error: Malformed) -> Self {
        io::Error::new(io::ErrorKind::InvalidData, error)
    }
}

/// Reads the header that `socket` begins with, and not an octet more. None if it
/// names nobody: the proxy's own connection (LOCAL), or one of a kind that has no
/// addresses here (UNKNOWN, UNSPEC, Unix sockets, datagrams).
pub async fn receive(socket: &mut Socket) -> io::Result<Option<Ends>> {
    let mut header = vec![0; SIGNATURE];
    socket.read_exact(&mut header).await?;
    if header == v2::PROTOCOL_PREFIX {
        header.resize(FIXED, 0);
        socket.read_exact(&mut header[SIGNATURE..]).await?;
        let rest = u16::from_be_bytes([header[FIXED - 2], header[FIXED - 1]]);
        header.resize(FIXED + usize::from(rest), 0);
        socket.read_exact(&mut header[FIXED..]).await?;
    } else if header.starts_with(b"PROXY ") {
        while !header.ends_with(b"\n") {
            read_line(socket, &mut header).await?;
        }
    }
    Ok(parse(&header)?)
}

/// Reads more of a line: what is there of it.
async fn read_line(socket: &mut Socket, line: &mut Vec<u8>) -> io::Result<()> {
    let start = line.len();
    line.resize(LONGEST_LINE, 0);
    if start == LONGEST_LINE {
        return Err(Malformed.into());
    }
    // What stands behind it is TLS's or HTTP's.
    let there = socket.peek(&mut line[start..]).await?;
    if there == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    let end = memchr::memchr(b'\n', &line[start..start + there]);
    line.truncate(start + end.map_or(there, |end| end + 1));
    socket.read_exact(&mut line[start..]).await?;
    Ok(())
}

/// Reads a whole header, of either version.
pub fn parse(header: &[u8]) -> Result<Option<Ends>, Malformed> {
    match header.starts_with(v2::PROTOCOL_PREFIX) {
        true => version_2(header),
        false => version_1(header),
    }
}

fn version_1(header: &[u8]) -> Result<Option<Ends>, Malformed> {
    if header.len() > LONGEST_LINE {
        return Err(Malformed);
    }
    // What follows is to be ignored; the library would look at it.
    if let Some(rest) = header.strip_prefix(b"PROXY UNKNOWN") {
        return match rest {
            [b' ', .., b'\r', b'\n'] | b"\r\n" => Ok(None),
            _ => Err(Malformed),
        };
    }
    let parsed = v1::Header::try_from(header).map_err(|_| Malformed)?;
    if parsed.header.len() != header.len() {
        return Err(Malformed);
    }
    let ends = match parsed.addresses {
        v1::Addresses::Unknown => return Err(Malformed),
        v1::Addresses::Tcp4(ends) => Ends {
            source: (ends.source_address, ends.source_port).into(),
            destination: (ends.destination_address, ends.destination_port).into(),
        },
        v1::Addresses::Tcp6(ends) => Ends {
            source: (ends.source_address, ends.source_port).into(),
            destination: (ends.destination_address, ends.destination_port).into(),
        },
    };
    // The library would take `+80` for a port.
    match header.contains(&b'+') {
        true => Err(Malformed),
        false => Ok(Some(ends)),
    }
}

fn version_2(header: &[u8]) -> Result<Option<Ends>, Malformed> {
    let counted = header.get(FIXED - 2..FIXED).ok_or(Malformed)?;
    let length = FIXED + usize::from(u16::from_be_bytes([counted[0], counted[1]]));
    if header.len() != length {
        return Err(Malformed);
    }
    // Whatever else stands in the header of a proxy's own connection is to be
    // ignored, the family included; the library would refuse one that it does not
    // know.
    const LOCAL: u8 = 0x20;
    if header[SIGNATURE] == LOCAL {
        return Ok(None);
    }
    let parsed = v2::Header::try_from(header).map_err(|_| Malformed)?;
    Ok(match parsed.addresses {
        _ if parsed.protocol != v2::Protocol::Stream => None,
        v2::Addresses::IPv4(ends) => Some(Ends {
            source: (ends.source_address, ends.source_port).into(),
            destination: (ends.destination_address, ends.destination_port).into(),
        }),
        v2::Addresses::IPv6(ends) => Some(Ends {
            source: (ends.source_address, ends.source_port).into(),
            destination: (ends.destination_address, ends.destination_port).into(),
        }),
        v2::Addresses::Unspecified | v2::Addresses::Unix(_) => None,
    })
}

#[cfg(test)]
mod tests;
