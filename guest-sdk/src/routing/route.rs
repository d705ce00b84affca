//! [`Route`] and [`Handler`]: what a route attribute leaves beside its function.

use crate::method::Methods;
use crate::request::Request;
use crate::respond::Response;
use crate::routing::cursor::Cursor;
use crate::routing::param::Params;

/// What `app!` has to know of a route while it compiles. Nothing of it is in the
/// component.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    /// The methods that it answers.
    pub methods: Methods,
    /// The pattern, as it is written.
    pub pattern: &'static str,
    /// The pattern, taken apart at its slashes; never empty.
    pub segments: &'static [Segment],
    /// How many of the segments `app!` put before those of the function.
    pub prefix: usize,
    /// The function's path, for messages.
    pub name: &'static str,
}

/// A part of a pattern, between two slashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// Text that the path has to hold; empty at the end of `/notes/`.
    Literal(&'static str),
    /// `{name}`: any text but none.
    Param(&'static str),
    /// `{name..}`, at the end: the rest of the path, slashes and all, but not
    /// nothing.
    Tail(&'static str),
}

/// A function with a route. The attributes implement it, for an empty type of
/// the function's name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a route",
    label = "no route attribute",
    note = "a route is a function with `#[get(\"/path\")]` or another of the route attributes"
)]
pub trait Handler {
    /// The route.
    const ROUTE: Route;

    /// Whether the pattern fits what is left of a path.
    fn fits(path: &mut Cursor<'_>) -> bool;

    /// Takes the arguments from the request, calls the function, and makes a
    /// response of what it returns.
    fn call(request: &Request, params: Params<'_>) -> Response;
}
