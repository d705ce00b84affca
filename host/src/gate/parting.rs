//! Why a connection ends without an answer.

use h2::Reason;
use std::io;

/// Why a connection ends without an answer.
#[derive(Clone, Copy)]
pub enum Fault {
    /// A frame has a fault.
    Frame(Reason),
    /// TLS was begun.
    Tls,
}

/// The alert that ends a handshake of TLS: fatal, handshake_failure (RFC 8446, section 6).
pub const ALERT: [u8; 7] = [21, 3, 1, 0, 2, 2, 40];

/// The first byte of a client that begins TLS (RFC 8446, section 5.1). No method has it.
const HANDSHAKE: u8 = 22;

/// Whether the first bytes of a client begin TLS.
pub fn is_tls(octets: &[u8]) -> bool {
    octets.first() == Some(&HANDSHAKE)
}

/// A client spoke TLS where it is not spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the client speaks TLS, which this address does not")]
pub struct SpokeTls;

impl From<Fault> for io::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Frame(reason) => {
                io::Error::new(io::ErrorKind::InvalidData, h2::Error::from(reason))
            }
            Fault::Tls => io::Error::new(io::ErrorKind::InvalidData, SpokeTls),
        }
    }
}
