//! The body of a response whose guest still runs.
//!
//! A task of its own drives the guest (`driver`), and the body takes what that guest
//! writes. The outlet between them holds one block, or two while a first one is held back.
//! So the client's pace is the guest's, and nothing else is: hyper does not poll a body whose
//! client takes nothing, and a guest that only a body polled would keep its turn and outlast
//! its limits meanwhile. A client that leaves drops the body, and with it the guest.

mod driver;

use crate::app_log::AppLog;
use crate::failure::Cause;
use crate::guest::{Guest, verdict};
use crate::ledger::Sheet;
use crate::output::{Blocks, Outlet};
use crate::request_id::RequestId;
use bytes::Bytes;
use driver::Driven;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

/// A response's body in the making.
pub struct Streamed {
    outlet: Outlet,
    /// The guest that makes it; none if it had ended before the body began.
    driven: Option<Arc<Driven>>,
    /// What the guest wrote and the connection has not asked for.
    blocks: Blocks,
    /// Bytes still to come of an announced length.
    left: Option<u64>,
    /// Whether the connection had its chance to send the last block.
    flushed: bool,
    failed: bool,
}

/// Where it is said how the guest ended.
#[derive(Clone)]
pub struct Records {
    /// Its app's log.
    pub log: Arc<AppLog>,
    /// Its app's ledger.
    pub sheet: Option<Arc<Sheet>>,
    /// What its request is called.
    pub request: RequestId,
}

/// The response was cut: a connection over which one goes cannot be used again
/// (HTTP/1.1), or its stream is reset (HTTP/2).
#[derive(Debug, thiserror::Error)]
#[error("the app did not finish its response")]
pub struct Cut;

impl Streamed {
    /// Returns a body of which `blocks` are there, and the rest comes from `guest`, which a
    /// task of its own drives from here on. `length` is what was announced, in bytes.
    pub fn begin(guest: Guest, blocks: Blocks, length: Option<u64>, records: Records) -> Self {
        Streamed {
            outlet: guest.outlet().clone(),
            driven: Some(Driven::start(guest, records)),
            blocks,
            left: length,
            flushed: true,
            failed: false,
        }
    }

    /// Returns a body that ends after `blocks`, before its announced `length` in bytes.
    pub fn unfinished(outlet: Outlet, blocks: Blocks, length: Option<u64>) -> Self {
        Streamed {
            outlet,
            driven: None,
            blocks,
            left: length,
            flushed: false,
            failed: true,
        }
    }

    /// Returns the bytes still to come, where a length was announced.
    pub fn left(&self) -> Option<u64> {
        self.left
    }

    /// Returns when the guest has to have finished, if it still runs.
    pub fn deadline(&self) -> Option<Instant> {
        self.driven.as_ref()?.deadline()
    }

    /// Stops the guest, whose deadline passed as its client took nothing.
    pub fn cut_late(&mut self) {
        if let Some(driven) = &self.driven {
            driven.cut_late();
        }
    }

    /// Returns the next block; none at the end.
    pub fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            if !self.blocks.is_empty() {
                let block = self.blocks.remove(0);
                self.left = self.left.map(|left| left - block.len() as u64);
                self.flushed = false;
                return Poll::Ready(Some(Ok(block)));
            }
            if let Some(driven) = &self.driven {
                let ended = driven.poll_ended(cx);
                // In this order: what it wrote before it ended is there.
                self.blocks = self.outlet.take().blocks;
                if !self.blocks.is_empty() {
                    continue;
                }
                match ended {
                    Poll::Ready(well) => {
                        self.failed = !well;
                        self.driven = None;
                    }
                    Poll::Pending => {
                        driven.go_on();
                        return Poll::Pending;
                    }
                }
            }
            if self.failed && !self.flushed {
                // The connection sends what it has when there is nothing more, and comes
                // back at once. When a body fails it forgets what it has not sent.
                self.flushed = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            return Poll::Ready(self.failed.then_some(Err(Cut)));
        }
    }
}

/// A connection that has all of an announced length asks for no more. Its guest was not left
/// by anyone, though, and may have something to do after its last block, so it goes on within
/// its limits. Every other guest whose body is dropped is dropped with it.
impl Drop for Streamed {
    fn drop(&mut self) {
        if let Some(driven) = &self.driven {
            match self.left {
                Some(0) => driven.finish(),
                _ => driven.stop(),
            }
        }
    }
}

impl Records {
    /// Logs how a guest ended whose headers had left; returns whether it ended well.
    fn end(&self, result: Result<(), Cause>, outlet: &Outlet) -> bool {
        let Records {
            log,
            sheet,
            request,
        } = self;
        let standing = outlet.standing();
        log.beyond(*request, standing.beyond);
        match verdict(result, standing, true) {
            Ok(()) => true,
            Err(cause) => {
                cause.count();
                if let (Some(sheet), Some(hit)) = (sheet, cause.hit()) {
                    sheet.hit(hit);
                }
                log.failed(*request, &cause);
                false
            }
        }
    }
}
