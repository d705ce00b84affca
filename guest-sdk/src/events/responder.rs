//! [`Events`]: the answer that events are sent in.

use std::io;

use crate::events::sender::Sender;
use crate::respond::{Responder, Response, Stream};

/// An answer of server-sent events (HTML Standard, section 9.2): 200,
/// text/event-stream, not to be cached.
///
/// The closure runs when the handler has returned, as a [`Stream`]'s does; what
/// it needs, it owns. It lasts as long as the server lets a request last. When
/// it returns, or fails, the client comes back by itself, and says where it left
/// off: see [`LastEventId`](crate::LastEventId). To make it stay away, answer
/// 204.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/countdown")]
/// fn countdown(last: Option<LastEventId<'_>>) -> Events {
///     let from = last.and_then(|LastEventId(id)| id.parse().ok()).unwrap_or(3);
///     Events::new(move |events| {
///         for left in (0..from).rev() {
///             let event = Event::new(format!("{left} to go")).id(left.to_string());
///             events.send(&event)?;
///         }
///         Ok(())
///     })
/// }
///
/// app!(countdown);
/// # let answer = rhost_sdk::testing::get(&APP, "/countdown")
/// #     .header("last-event-id", "2")
/// #     .send();
/// # assert_eq!(answer.header("content-type"), Some("text/event-stream"));
/// # assert_eq!(answer.text(), "id: 1\ndata: 1 to go\n\nid: 0\ndata: 0 to go\n\n");
/// ```
#[derive(Debug)]
pub struct Events(Response);

impl Events {
    /// What `write` sends.
    #[must_use]
    pub fn new(write: impl FnOnce(&mut Sender<'_, '_>) -> io::Result<()> + 'static) -> Events {
        let stream = Stream::new("text/event-stream", |out| write(&mut Sender::new(out)));
        Events(stream.respond().header("cache-control", "no-cache"))
    }
}

impl Responder for Events {
    fn respond(self) -> Response {
        self.0
    }
}
