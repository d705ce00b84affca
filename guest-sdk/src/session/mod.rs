//! What a client keeps for an application and cannot forge.
//!
//! A [`Session`] holds values between the requests of one browser. A fresh
//! sandbox runs each request, so nothing stays in memory: the values travel in
//! a cookie, signed with HMAC-SHA-256 (RFC 2104). A [`Signer`] does the same for
//! a cookie of your own.
//!
//! Signed is not secret: the client can read what it keeps. Nor does a server
//! remember what it signed: a cookie that somebody copied is good until it
//! expires, also after the session was cleared. What must end at once belongs
//! in a database, with its name alone in the session.
//!
//! # Keys
//!
//! The key is the application's environment variable `SECRET_KEY`: at least 32
//! octets, of random text. Without it, an argument that needs it is a 500, and
//! the log says why.
//!
//! To replace a key, move the old one to `SECRET_KEY_FALLBACKS`, which holds
//! keys with spaces between them: what they signed is still read, and nothing
//! new is signed with them. Remove it when the last cookie of its time has
//! expired. A key that was found out is not kept there.

mod keys;
mod signer;
mod state;

pub use signer::Signer;
pub use state::{DEFAULT_LIFETIME, Session};
