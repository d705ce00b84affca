//! One request at a time, read with care: to see that an answer is right before
//! it is measured, and to time one that is late.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

use crate::request::Request;
use crate::response::{Answer, Reader};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(30);

/// An answer, how long it took, and whether it came whole.
pub struct Reply {
    /// The answer; none when it was cut short.
    pub answer: Option<Answer>,
    /// What came of its body.
    pub body: Vec<u8>,
    /// From before the first octet was sent until the last was read, or the
    /// connection was closed.
    pub took: Duration,
}

/// Asks on a connection of its own.
pub fn ask(addr: SocketAddr, request: &Request) -> Result<Reply> {
    let mut stream = TcpStream::connect(addr)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    let begun = Instant::now();
    let mut sent = 0;
    loop {
        let piece = request.piece(sent);
        if piece.is_empty() {
            break;
        }
        stream.write_all(piece)?;
        sent += piece.len() as u64;
    }
    let mut reader = Reader::keeping_bodies();
    let mut buffer = vec![0; 64 * 1024];
    let answer = loop {
        match stream.read(&mut buffer) {
            Ok(0) => break reader.closed(),
            Ok(octets) => {
                if let Some(answer) = reader.feed(&buffer[..octets])? {
                    break Some(answer);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break None,
            Err(error) => return Err(error).context("no answer came"),
        }
    };
    let took = begun.elapsed();
    Ok(Reply {
        answer,
        body: reader.into_body(),
        took,
    })
}

/// Asks, and requires a whole answer of 200.
pub fn ask_for_body(addr: SocketAddr, request: &Request) -> Result<Vec<u8>> {
    let reply = ask(addr, request)?;
    let answer = reply.answer.context("the answer was cut short")?;
    ensure!(answer.status == 200, "the status is {}", answer.status);
    Ok(reply.body)
}
