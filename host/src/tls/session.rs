//! TLS on the side of the server, apart from any socket: records in and out, and what
//! they carry.
//!
//! rustls does the work, by the interface of it that keeps no buffers of its own. Here
//! are the buffers: each has memory only while there is something in it, so that an
//! idle connection keeps none.

use bytes::{Buf, BytesMut};
use std::borrow::Cow;
use std::io::{self, IoSlice};
use std::sync::Arc;
use tokio::io::ReadBuf;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::server::{ServerConnectionData, UnbufferedServerConnection};
use tokio_rustls::rustls::unbuffered::{
    AppDataRecord, ConnectionState, EncodeError, EncryptError, InsufficientSizeError,
    UnbufferedStatus, WriteTraffic,
};

/// The longest record that may come: its head, 2^14 octets, and what a cipher adds
/// (RFC 8446 section 5.2, RFC 5246 section 6.2.3).
pub const RECORD: usize = 5 + (1 << 14) + 2048;

/// The most that may wait for its end. Only a message of a handshake is spread over
/// records, and rustls takes none that is longer.
pub const INCOMPLETE: usize = 0xffff;

/// What one record carries at the most (RFC 8446 section 5.1).
const FRAGMENT: usize = 1 << 14;

/// Up to this, pieces are copied to share a record. To copy more is dearer than to seal two.
const SHORT: usize = 4096;

/// More than a cipher adds to a record.
const SEAL: usize = 64;

/// The TLS of a connection.
pub struct Session {
    connection: UnbufferedServerConnection,
    /// Records that have come in part.
    incomplete: Vec<u8>,
    /// What has come in records, and nobody has taken yet.
    plain: BytesMut,
    /// Records that are to be sent.
    outgoing: BytesMut,
    /// Whether the client has said that no more comes.
    has_ended: bool,
    is_closed: bool,
}

/// What is to be made of a session that can send.
type Write<'a> =
    &'a mut dyn FnMut(WriteTraffic<'_, ServerConnectionData>, &mut BytesMut) -> io::Result<()>;

impl Session {
    /// One that waits for the client to begin.
    pub fn new(config: Arc<ServerConfig>) -> io::Result<Self> {
        Ok(Session {
            connection: UnbufferedServerConnection::new(config).map_err(wrong)?,
            incomplete: Vec::new(),
            plain: BytesMut::new(),
            outgoing: BytesMut::new(),
            has_ended: false,
            is_closed: false,
        })
    }

    /// What the handshake has come to.
    pub fn connection(&self) -> &UnbufferedServerConnection {
        &self.connection
    }

    /// What has come of records that are not complete; the next octets are to
    /// follow it in what [`receive`](Self::receive) is given.
    pub fn incomplete(&self) -> &[u8] {
        &self.incomplete
    }

    /// Takes in `records`. What they carry goes to `to` as far as it has room, and waits
    /// for [`take`](Self::take) beyond that.
    pub fn receive(&mut self, records: &mut [u8], to: &mut ReadBuf<'_>) -> io::Result<()> {
        self.incomplete = Vec::new();
        let done = self.advance(records, to, None)?;
        let rest = &records[done..];
        if rest.len() > INCOMPLETE {
            return Err(wrong("a message of the handshake is too long"));
        }
        self.incomplete = rest.to_vec();
        Ok(())
    }

    /// Moves what has come to `to`, as much as has room. Says whether there was any.
    pub fn take(&mut self, to: &mut ReadBuf<'_>) -> bool {
        if self.plain.is_empty() {
            return false;
        }
        let taken = self.plain.len().min(to.remaining());
        to.put_slice(&self.plain[..taken]);
        consume(&mut self.plain, taken);
        true
    }

    /// Whether the client has said that it sends no more.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Seals the beginning of what is in `slices`, as much as one record carries, to be
    /// sent. Returns how much that is.
    pub fn write(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let text = one_record_of(slices);
        if text.is_empty() {
            return Ok(0);
        }
        let mut sealed = false;
        self.write_with(&mut |mut traffic, outgoing| {
            sealed = true;
            append(outgoing, text.len() + SEAL, |room| {
                traffic.encrypt(&text, room).map_err(Refused::from)
            })
        })?;
        match sealed {
            true => Ok(text.len()),
            false => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    /// Says to the client that no more comes. What was written before is sent before.
    pub fn close(&mut self) -> io::Result<()> {
        if self.is_closed {
            return Ok(());
        }
        let closed = self.write_with(&mut |mut traffic, outgoing| {
            append(outgoing, SEAL, |room| {
                traffic.queue_close_notify(room).map_err(Refused::from)
            })
        });
        self.is_closed = true;
        closed
    }

    /// Records to send.
    pub fn outgoing(&self) -> &[u8] {
        &self.outgoing
    }

    /// They were sent as far as `length`.
    pub fn sent(&mut self, length: usize) {
        consume(&mut self.outgoing, length);
    }

    /// Has `write` done, once all before it is.
    fn write_with(&mut self, write: Write<'_>) -> io::Result<()> {
        if self.is_closed {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let mut incomplete = std::mem::take(&mut self.incomplete);
        let done = self.advance(&mut incomplete, &mut ReadBuf::new(&mut []), Some(write));
        self.incomplete = incomplete;
        self.incomplete.drain(..done?);
        Ok(())
    }

    /// Goes on as far as `records` carry it, and then does `write` if that is possible.
    /// Returns how many octets of them are done with.
    fn advance(
        &mut self,
        records: &mut [u8],
        to: &mut ReadBuf<'_>,
        mut write: Option<Write<'_>>,
    ) -> io::Result<usize> {
        let mut done = 0;
        loop {
            let UnbufferedStatus { discard, state } =
                self.connection.process_tls_records(&mut records[done..]);
            done += discard;
            match state {
                Ok(ConnectionState::ReadTraffic(mut traffic)) => {
                    while let Some(record) = traffic.next_record() {
                        let AppDataRecord { discard, payload } = record.map_err(wrong)?;
                        done += discard;
                        let (first, rest) = payload.split_at(payload.len().min(to.remaining()));
                        to.put_slice(first);
                        self.plain.extend_from_slice(rest);
                    }
                }
                Ok(ConnectionState::EncodeTlsData(mut message)) => {
                    append(&mut self.outgoing, 0, |room| {
                        message.encode(room).map_err(Refused::from)
                    })?;
                }
                // It is as good as sent: what is in there leaves in its order.
                Ok(ConnectionState::TransmitTlsData(message)) => message.done(),
                Ok(ConnectionState::PeerClosed) => self.has_ended = true,
                Ok(ConnectionState::WriteTraffic(traffic)) => match write.take() {
                    // Something may have to follow what is written.
                    Some(write) => write(traffic, &mut self.outgoing)?,
                    None => return Ok(done),
                },
                Ok(ConnectionState::BlockedHandshake) => return Ok(done),
                Ok(ConnectionState::Closed) => {
                    self.has_ended = true;
                    return Ok(done);
                }
                // Early data was not asked for; there are no others.
                Ok(_) => return Err(wrong("TLS is in a state that it cannot come to")),
                Err(error) => {
                    self.add_alert();
                    return Err(wrong(error));
                }
            }
        }
    }

    /// Has the client told what went wrong.
    fn add_alert(&mut self) {
        while let Ok(ConnectionState::EncodeTlsData(mut alert)) =
            self.connection.process_tls_records(&mut []).state
        {
            let encode = |room: &mut [u8]| alert.encode(room).map_err(Refused::from);
            if append(&mut self.outgoing, SEAL, encode).is_err() {
                return;
            }
        }
    }
}

/// What of `slices` is to be the next record: the first of them, as much as there is room
/// for, or as many as are short together.
fn one_record_of<'a>(slices: &'a [IoSlice<'_>]) -> Cow<'a, [u8]> {
    let mut slices = slices.iter().filter(|slice| !slice.is_empty());
    let first = slices.next().map_or(&[][..], |slice| slice);
    let mut text = Cow::Borrowed(&first[..first.len().min(FRAGMENT)]);
    for slice in slices {
        if text.len() + slice.len() > SHORT {
            break;
        }
        text.to_mut().extend_from_slice(slice);
    }
    text
}

/// Takes `length` octets off the front, and gives the memory back with the last.
fn consume(buffer: &mut BytesMut, length: usize) {
    buffer.advance(length);
    if buffer.is_empty() {
        *buffer = BytesMut::new();
    }
}

/// Why something was not written.
enum Refused {
    /// It takes this many octets.
    TooLittleRoom(usize),
    Wrong(io::Error),
}

impl From<EncodeError> for Refused {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::InsufficientSize(InsufficientSizeError { required_size }) => {
                Refused::TooLittleRoom(required_size)
            }
            error => Refused::Wrong(wrong(error)),
        }
    }
}

impl From<EncryptError> for Refused {
    fn from(error: EncryptError) -> Self {
        match error {
            EncryptError::InsufficientSize(InsufficientSizeError { required_size }) => {
                Refused::TooLittleRoom(required_size)
            }
            error => Refused::Wrong(wrong(error)),
        }
    }
}

/// Adds what `write` writes, which it is given `room` for at first.
fn append(
    buffer: &mut BytesMut,
    mut room: usize,
    mut write: impl FnMut(&mut [u8]) -> Result<usize, Refused>,
) -> io::Result<()> {
    let start = buffer.len();
    loop {
        buffer.resize(start + room, 0);
        let written = write(&mut buffer[start..]);
        buffer.truncate(start + *written.as_ref().unwrap_or(&0));
        match written {
            Ok(_) => return Ok(()),
            Err(Refused::TooLittleRoom(needed)) if needed > room => room = needed,
            Err(Refused::TooLittleRoom(_)) => return Err(wrong("no room is enough for TLS")),
            Err(Refused::Wrong(error)) => return Err(error),
        }
    }
}

fn wrong(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests;
