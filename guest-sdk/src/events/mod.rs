//! Server-sent events (HTML Standard, section 9.2): an answer that stays open,
//! and tells the browser's `EventSource` what happens.
//!
//! [`Events`] is the answer, [`Event`] one event of it, [`LastEventId`] where a
//! client left off that comes back.

mod event;
mod last_event_id;
mod responder;
mod sender;

pub use event::Event;
pub use last_event_id::LastEventId;
pub use responder::Events;
pub use sender::Sender;
