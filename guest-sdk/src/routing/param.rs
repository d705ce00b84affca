//! [`Params`]: the segments that parameters take.

use crate::extract::FromParam;
use crate::rejection::Rejection;

/// The path of a request that a route has matched.
///
/// A parameter is the path's segment at its place in the pattern, so nothing
/// need be kept while routes are tried.
#[derive(Clone, Copy, Debug)]
pub struct Params<'r>(&'r [u8]);

impl<'r> Params<'r> {
    /// `path` is without its first slash.
    pub(crate) fn new(path: &'r [u8]) -> Params<'r> {
        Params(path)
    }

    /// The segment at a place, counted from 0, decoded.
    #[must_use]
    pub fn segment(self, place: usize) -> Option<&'r [u8]> {
        self.0.split(|&octet| octet == b'/').nth(place)
    }
}

/// Reads a parameter: the segment at its place.
///
/// # Errors
///
/// 404 for a segment that is not UTF-8, or does not parse.
pub fn param<T: FromParam>(params: Params<'_>, place: usize) -> Result<T, Rejection> {
    params
        .segment(place)
        .and_then(|segment| std::str::from_utf8(segment).ok())
        .and_then(T::from_param)
        .ok_or(Rejection::not_found())
}
