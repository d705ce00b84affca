//! An upgrade without a lost request: a process hands its listening sockets to
//! another of the same command line, and ends when that one serves.
//!
//! The sockets are the very same in both, so a connection that nobody has accepted
//! yet waits for whichever comes first, and none is refused. They go through a
//! Unix socket, the standard input of the new process (unix(7), SCM_RIGHTS), of
//! which each process has an end:
//!
//! 1. the old one sends the `Manifest`, and the sockets with it;
//! 2. the new one loads its app, serves, and says `READY`;
//! 3. the old one says `YOURS`, accepts no more and drains. Files of sockets, the
//!    pid file and the admin listener belong to the new one from here on.
//!
//! Each learns of the other's end by that of the connection. If the new one is not
//! there in time the old one serves on, as if nothing had been.
//!
//! [`Successor`] is the new process as the old one sees it, [`Predecessor`] the
//! other way round.

mod predecessor;
mod successor;

pub use predecessor::Predecessor;
pub use successor::{Successor, SuccessorError};

use crate::listener::Handed;
use serde::{Deserialize, Serialize};

/// The variable that tells a process of its predecessor: that one's id. What else
/// it starts has the variable too, and another parent.
const VARIABLE: &str = "RHOST_PREDECESSOR";

/// What the new process says when it serves.
const READY: &[u8] = b"ready";

/// What the old one answers.
const YOURS: &[u8] = b"yours";

/// Sockets that go in one message, by the kernel's limit (SCM_MAX_FD).
const MOST_SOCKETS: usize = 253;

/// Octets of a manifest, at most: for as many Unix sockets as that, whose paths
/// have 108 octets.
const MOST_OCTETS: usize = 64 << 10;

/// What a socket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The app's clients.
    App,
    /// Whoever looks after the server.
    Admin,
}

/// What goes with the sockets, in their order.
#[derive(Debug, Serialize, Deserialize)]
struct Manifest {
    sockets: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    role: Role,
    /// The address as it was asked for.
    asked: String,
    /// Which file goes with it.
    inode: Option<u64>,
}

impl Manifest {
    fn of(sockets: &[(Role, Handed)]) -> Self {
        let entry = |(role, handed): &(Role, Handed)| Entry {
            role: *role,
            asked: handed.asked.to_string(),
            inode: handed.file.as_ref().map(|file| file.inode()),
        };
        Manifest {
            sockets: sockets.iter().map(entry).collect(),
        }
    }
}
