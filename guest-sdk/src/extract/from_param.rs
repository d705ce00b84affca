//! [`FromParam`]: the parameters of a path.

use std::str::FromStr;

/// What a `{parameter}` of a path can be read as: every type that implements
/// [`FromStr`], such as the numbers, `bool`, `char`, `String`, addresses, and
/// your own; and `&str`, which borrows it from the request. What does not parse is no such page: 404.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a path",
    label = "does not implement `FromStr`",
    note = "every type that implements `FromStr` can be a parameter; for text take `&str` or `String`"
)]
pub trait FromParam: Sized {
    /// Reads one decoded segment, or the rest of the path for a `{tail..}`; it
    /// is not empty.
    fn from_param(segment: &str) -> Option<Self>;
}

impl<T: FromStr> FromParam for T {
    fn from_param(segment: &str) -> Option<Self> {
        segment.parse().ok()
    }
}
