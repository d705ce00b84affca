//! A body that is the running guest. Each time the connection asks for more, the
//! guest is let run on, in the request's own task. The client's pace is therefore
//! the guest's, and a client that leaves drops the body and with it the guest.

use crate::app_log::AppLog;
use crate::failure::Cause;
use crate::guest::{Guest, verdict};
use crate::ledger::Sheet;
use crate::output::{Blocks, Outlet};
use crate::request_id::RequestId;
use bytes::Bytes;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

/// A response's body in the making.
pub struct Streamed {
    outlet: Outlet,
    /// None once the guest has ended.
    guest: Option<Guest>,
    /// What the guest wrote and the connection has not asked for.
    blocks: Blocks,
    /// Octets still to come of an announced length.
    left: Option<u64>,
    /// Whether the connection had its chance to send the last block. Until then
    /// the guest rests: a block is never held for the next (PEP 3333, "Buffering
    /// and Streaming").
    flushed: bool,
    failed: bool,
    records: Records,
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
    /// A body of which `blocks` are there, and the rest comes from `guest`.
    /// `length` is what was announced.
    pub fn begin(guest: Guest, blocks: Blocks, length: Option<u64>, records: Records) -> Self {
        let outlet = guest.outlet().clone();
        Streamed {
            outlet,
            guest: Some(guest),
            blocks,
            left: length,
            flushed: true,
            failed: false,
            records,
        }
    }

    /// A body that ends after `blocks`, before its announced `length`.
    pub fn unfinished(
        outlet: Outlet,
        blocks: Blocks,
        length: Option<u64>,
        records: Records,
    ) -> Self {
        Streamed {
            outlet,
            guest: None,
            blocks,
            left: length,
            flushed: false,
            failed: true,
            records,
        }
    }

    /// Octets still to come, where a length was announced.
    pub fn left(&self) -> Option<u64> {
        self.left
    }

    /// The guest that still makes it.
    pub fn guest(&self) -> Option<&Guest> {
        self.guest.as_ref()
    }

    /// Stops the guest, whose deadline passed as its client took nothing.
    pub fn cut_late(&mut self) {
        if let Some(guest) = self.guest.take() {
            self.failed = true;
            self.records.end(Err(guest.late()), &self.outlet);
        }
    }

    /// The next block; none at the end.
    pub fn poll_block(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Cut>>> {
        loop {
            if !self.blocks.is_empty() {
                let block = self.blocks.remove(0);
                self.left = self.left.map(|left| left - block.len() as u64);
                self.flushed = false;
                return Poll::Ready(Some(Ok(block)));
            }
            if !self.flushed && (self.guest.is_some() || self.failed) {
                // The connection sends what it has when there is nothing more,
                // and comes back at once. When a body fails it forgets what it
                // has not sent.
                self.flushed = true;
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            let Some(guest) = &mut self.guest else {
                return Poll::Ready(self.failed.then_some(Err(Cut)));
            };
            let polled = guest.poll(cx);
            self.blocks = self.outlet.take().blocks;
            match polled {
                Poll::Ready(result) => {
                    self.guest = None;
                    self.failed = !self.records.end(result, &self.outlet);
                }
                Poll::Pending if self.blocks.is_empty() => return Poll::Pending,
                Poll::Pending => {}
            }
        }
    }
}

impl Records {
    /// Says how a guest ended whose headers had left; returns whether it ended well.
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

/// A connection that has all of an announced length asks for no more. Its guest
/// was not left by anyone, though, and may have something to do after its last
/// block, so it goes on by itself, within its limits. Every other guest whose body
/// is dropped is dropped with it.
impl Drop for Streamed {
    fn drop(&mut self) {
        let (Some(guest), Some(0)) = (self.guest.take(), self.left) else {
            return;
        };
        let (outlet, records) = (self.outlet.clone(), self.records.clone());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let result = finish(guest).await;
                records.end(result, &outlet);
            });
        }
    }
}

/// Lets a guest run to its end; what it still writes goes nowhere.
async fn finish(mut guest: Guest) -> Result<(), Cause> {
    poll_fn(|cx| {
        loop {
            let polled = guest.poll(cx);
            let discarded = guest.outlet().take().blocks;
            if polled.is_ready() || discarded.is_empty() {
                return polled;
            }
        }
    })
    .await
}
