//! [`Params`]: what parameters take of a path.

use crate::extract::FromParam;
use crate::rejection::Rejection;

/// The path of a request that a route has matched, below the route's prefix.
///
/// A parameter is the path's segment at its place in the pattern, so nothing
/// need be kept while routes are tried.
#[derive(Clone, Copy, Debug)]
pub struct Params<'r>(&'r [u8]);

impl<'r> Params<'r> {
    /// `path` is without its first slash; the first `prefix` segments are not
    /// the function's.
    #[must_use]
    pub fn new(path: &'r [u8], prefix: usize) -> Params<'r> {
        Params(Params(path).tail(prefix).unwrap_or_default())
    }

    /// The segment at a place of the function's own pattern, counted from 0,
    /// decoded.
    #[must_use]
    pub fn segment(self, place: usize) -> Option<&'r [u8]> {
        self.0.split(|&octet| octet == b'/').nth(place)
    }

    /// The rest of the path from such a place on, decoded.
    #[must_use]
    pub fn tail(self, place: usize) -> Option<&'r [u8]> {
        self.0.splitn(place + 1, |&octet| octet == b'/').nth(place)
    }
}

/// Reads a parameter from what it takes of the path.
///
/// # Errors
///
/// 404 for octets that are not UTF-8, or do not parse.
pub fn param<T: FromParam>(octets: Option<&[u8]>) -> Result<T, Rejection> {
    text(octets).and_then(|text| T::from_param(text).ok_or(Rejection::not_found()))
}

/// Borrows a parameter that is text from the path: an argument `&str`.
///
/// A function of its own, since `&str` cannot implement [`FromParam`] beside
/// every type that implements `FromStr`: one day it may be one of them.
///
/// # Errors
///
/// 404 for octets that are not UTF-8.
pub fn text(octets: Option<&[u8]>) -> Result<&str, Rejection> {
    octets
        .and_then(|octets| std::str::from_utf8(octets).ok())
        .ok_or(Rejection::not_found())
}
