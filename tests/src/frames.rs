//! A client that speaks HTTP/2 frame by frame, and says what none should.

use std::net::SocketAddr;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a connection begins with (RFC 9113, section 3.4).
pub const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Octets of a body.
pub const DATA: u8 = 0;
/// Begins a block of fields.
pub const HEADERS: u8 = 1;
/// Out of use.
pub const PRIORITY: u8 = 2;
/// Ends a stream.
pub const RST_STREAM: u8 = 3;
/// Says how frames may be sent.
pub const SETTINGS: u8 = 4;
/// Asks for the same back.
pub const PING: u8 = 6;
/// Says which streams are the last.
pub const GOAWAY: u8 = 7;
/// Lets more be sent.
pub const WINDOW_UPDATE: u8 = 8;
/// Goes on with a block of fields.
pub const CONTINUATION: u8 = 9;

/// Of SETTINGS and PING: an answer to one.
pub const ACK: u8 = 1;
/// Of DATA and HEADERS: the last on this side of the stream.
pub const END_STREAM: u8 = 1;
/// Of HEADERS and CONTINUATION: the block ends.
pub const END_HEADERS: u8 = 4;

/// An entry of SETTINGS with which no octet of an answer may be sent.
pub const NO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

/// A frame (RFC 9113, section 4.1).
pub fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// `GET http://test/` and the path as HPACK has it (RFC 7541, appendix A): indexed
/// fields, and others in full.
pub fn get(path: &str) -> Vec<u8> {
    let mut block = b"\x82\x86\x01\x04test\x04".to_vec();
    block.push(u8::try_from(path.len()).expect("a short path"));
    block.extend(path.as_bytes());
    block
}

/// The whole request for `path`.
pub fn request(stream: u32, path: &str) -> Vec<u8> {
    frame(HEADERS, END_STREAM | END_HEADERS, stream, &get(path))
}

/// A frame that came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// What it is.
    pub kind: u8,
    /// What it says by that.
    pub flags: u8,
    /// Its stream; 0 for the connection.
    pub stream: u32,
    /// What it carries.
    pub payload: Vec<u8>,
}

impl Frame {
    /// The code of an RST_STREAM or GOAWAY.
    pub fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

/// A connection, frame by frame.
pub struct Frames<T> {
    stream: T,
    received: Vec<u8>,
}

impl Frames<TcpStream> {
    /// Begins a connection with these settings.
    pub async fn connect(addr: SocketAddr, settings: &[u8]) -> Self {
        let stream = TcpStream::connect(addr).await.expect("the server listens");
        Frames::over(stream, settings).await
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> Frames<T> {
    /// The same over a connection that is there.
    pub async fn over(stream: T, settings: &[u8]) -> Self {
        let mut frames = Frames {
            stream,
            received: Vec::new(),
        };
        frames.send(PREFACE).await;
        frames.send(&frame(SETTINGS, 0, 0, settings)).await;
        frames
    }

    /// Sends frames, unless the host has had enough.
    pub async fn send(&mut self, frames: &[u8]) {
        let _ = self.stream.write_all(frames).await;
    }

    /// The next frame; none when the connection has ended.
    pub async fn next(&mut self) -> Option<Frame> {
        loop {
            if let Some(frame) = self.take() {
                return Some(frame);
            }
            match self.stream.read_buf(&mut self.received).await {
                Ok(length) if length > 0 => {}
                _ => return None,
            }
        }
    }

    /// The next frame of this kind; none when the connection ended before.
    pub async fn until(&mut self, kind: u8) -> Option<Frame> {
        loop {
            let frame = self.next().await?;
            if frame.kind == kind {
                return Some(frame);
            }
        }
    }

    /// Sends the frames until the host has had enough; the code of its GOAWAY.
    pub async fn flood(mut self, frames: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
        let (mut reading, mut writing) = tokio::io::split(self.stream);
        let send = async {
            for frame in frames {
                if writing.write_all(&frame).await.is_err() {
                    return;
                }
            }
            // A host that has had enough closes; this one would be waited for.
            std::future::pending::<()>().await;
        };
        tokio::select! {
            _ = reading.read_to_end(&mut self.received) => {}
            () = send => {}
        }
        let _ = reading.read_to_end(&mut self.received).await;
        let mut received = Frames {
            stream: tokio::io::empty(),
            received: self.received,
        };
        received.until(GOAWAY).await.map(|frame| frame.code())
    }

    fn take(&mut self) -> Option<Frame> {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3, rest @ ..] = &self.received[..] else {
            return None;
        };
        let length = u32::from_be_bytes([0, *l0, *l1, *l2]) as usize;
        let frame = Frame {
            kind: *kind,
            flags: *flags,
            stream: u32::from_be_bytes([*s0 & 0x7f, *s1, *s2, *s3]),
            payload: rest.get(..length)?.to_vec(),
        };
        self.received.drain(..9 + length);
        Some(frame)
    }
}
