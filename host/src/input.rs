//! The request's body as the guest reads it (`wsgi.input`; PEP 3333, "Input and
//! Error Streams").

use crate::gateway::InputError;
use crate::metrics::{self, Event};
use bytes::{Buf, Bytes};
use http_body::Body;
use hyper::body::Incoming;
use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

/// The most that one read hands over, whatever the guest asks for: what the host
/// copies, and the guest allocates, at a time.
const MAX_BLOCK: usize = 64 << 10;

/// A body that is read from the connection only as the guest asks for it, so
/// that a guest which does not read holds nothing in memory.
pub struct Input {
    body: Incoming,
    /// What arrived and has not been read.
    rest: Bytes,
    /// Octets that arrived so far.
    received: u64,
    /// The most that may arrive.
    limit: u64,
    /// How long to wait for the next octets.
    patience: Duration,
    /// Once a read failed, every later one fails in the same way.
    failed: Option<InputError>,
}

impl Input {
    /// A body of at most `limit` octets, with at most `patience` between them.
    pub fn new(body: Incoming, limit: u64, patience: Duration) -> Self {
        Input {
            body,
            rest: Bytes::new(),
            received: 0,
            limit,
            patience,
            failed: None,
        }
    }

    /// Waits for octets, and gives at least 1 and at most `max` of them; none at
    /// the end of the body.
    pub async fn read(&mut self, max: u32) -> Result<Bytes, InputError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        if max == 0 {
            return Ok(Bytes::new());
        }
        if !self.rest.has_remaining() {
            match self.arrive().await {
                Ok(block) => self.rest = block,
                Err(error) => {
                    metrics::count(event(error));
                    self.failed = Some(error);
                    return Err(error);
                }
            }
        }
        let max = (max as usize).min(MAX_BLOCK).min(self.rest.len());
        Ok(self.rest.split_to(max))
    }

    /// The error that a read has given, and every later one gives.
    pub fn failed(&self) -> Option<InputError> {
        self.failed
    }

    /// The next octets from the connection; none at the end.
    async fn arrive(&mut self) -> Result<Bytes, InputError> {
        loop {
            if self.body.is_end_stream() {
                return Ok(Bytes::new());
            }
            let next = poll_fn(|cx| Pin::new(&mut self.body).poll_frame(cx));
            let frame = match tokio::time::timeout(self.patience, next).await {
                Err(_) => return Err(InputError::TimedOut),
                Ok(None) => return Ok(Bytes::new()),
                // Whatever the cause (a chunk that does not parse, a client that
                // left), the body is not whole.
                Ok(Some(Err(_))) => return Err(InputError::Incomplete),
                Ok(Some(Ok(frame))) => frame,
            };
            // Trailers are not part of the body; PEP 3333 has no place for them.
            let Ok(block) = frame.into_data() else {
                continue;
            };
            self.received += block.len() as u64;
            if self.received > self.limit {
                return Err(InputError::TooLarge(self.limit));
            }
            if !block.is_empty() {
                return Ok(block);
            }
        }
    }
}

/// What a body that fails counts as.
fn event(error: InputError) -> Event {
    match error {
        InputError::TooLarge(_) => Event::BodyTooLarge,
        InputError::TimedOut => Event::BodyTimeout,
        InputError::Incomplete => Event::BodyIncomplete,
    }
}
