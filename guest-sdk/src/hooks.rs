//! [`Hooks`]: what runs around the routes of a site, and its own pages.

use std::fmt;

use crate::request::Request;
use crate::respond::Response;
use crate::status::Status;

/// What runs around the routes of a site: `before_request`, `after_request` and
/// `errorhandler` of Flask. `app!` makes one of what stands after the routes:
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/")]
/// fn index() -> &'static str {
///     "Hello, world!\n"
/// }
///
/// #[get("/stock")]
/// fn stock() -> Result<String> {
///     Ok("seven".parse::<u32>()?.to_string())
/// }
///
/// fn known(request: &Request) -> Result<(), Rejection> {
///     match request.headers().contains("x-api-key") {
///         true => Ok(()),
///         false => Err(Rejection::new(Status::UNAUTHORIZED, "An API key is needed")),
///     }
/// }
///
/// fn sealed(_: &Request, response: Response) -> Response {
///     response.with_headers([("x-content-type-options", "nosniff")])
/// }
///
/// fn nothing(_: &Request) -> Html<&'static str> {
///     Html("<h1>Nothing here</h1>")
/// }
///
/// fn broken(_: &Request, text: &str) -> Html<String> {
///     Html(format!("<h1>{text}</h1>"))
/// }
///
/// app!(
///     index,
///     stock,
///     before = [known],
///     after = [sealed],
///     not_found = nothing,
///     internal_error = broken,
/// );
///
/// let get = |path| rhost_sdk::testing::get(&APP, path);
/// assert_eq!(get("/").send().status(), 401);
///
/// let answer = get("/absent").header("x-api-key", "7").send();
/// assert_eq!(answer.status(), 404);
/// assert_eq!(answer.text(), "<h1>Nothing here</h1>");
/// assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
///
/// let answer = get("/stock").header("x-api-key", "7").send();
/// assert_eq!(answer.status(), 500);
/// assert_eq!(answer.text(), "<h1>Internal Server Error</h1>");
/// ```
///
/// The hooks run for every request, also for those that the site answers by
/// itself: 404, 405 and OPTIONS. First those before, until one answers; then
/// the route, unless one did; then the page, if the answer is to have one; then
/// those after, the last first, so that the first of the list is around all.
///
/// A page stands in for the line of a [`Rejection`](crate::Rejection) or an
/// [`Error`](crate::Error) with its status: of the site's own 404 and 405, of an
/// argument that could not be had, and of what a handler or a hook before
/// returns (`None` is a 404 as well). It never replaces a response that was
/// made in another way. The status and the fields of the answer stay, Allow
/// among them, except for Content-Type and the fields that the page has. A page
/// can have a status of its own, as a [`Redirect`](crate::Redirect) has; 200
/// counts as none. There is no page for a page: one that fails is a line.
///
/// A response that the server refuses, because of an invalid field for example,
/// is a plain 500: it is refused after all of them.
#[derive(Clone, Copy)]
pub struct Hooks {
    /// Run before the routes, in order. The first that answers ends the
    /// request; see [`Outcome`](crate::Outcome).
    pub before: &'static [fn(&Request) -> Option<Response>],
    /// Run on each response, in the reverse order.
    pub after: &'static [fn(&Request, Response) -> Response],
    /// The page for 404.
    pub not_found: Option<fn(&Request) -> Response>,
    /// The page for 405.
    pub method_not_allowed: Option<fn(&Request) -> Response>,
    /// The page for 500. It gets the line that the client would see, without
    /// its end; the cause is for the log alone.
    pub internal_error: Option<fn(&Request, &str) -> Response>,
}

impl Hooks {
    /// None at all.
    pub const NONE: Hooks = Hooks {
        before: &[],
        after: &[],
        not_found: None,
        method_not_allowed: None,
        internal_error: None,
    };

    /// The response to a request that `answer` answers.
    pub(crate) fn around(&self, request: &Request, answer: impl FnOnce() -> Response) -> Response {
        let response = self
            .before
            .iter()
            .find_map(|before| before(request))
            .unwrap_or_else(answer);
        self.after
            .iter()
            .rev()
            .fold(self.dress(request, response), |response, after| {
                after(request, response)
            })
    }

    /// Puts a page in the place of a line.
    fn dress(&self, request: &Request, response: Response) -> Response {
        let Some(text) = response.line() else {
            return response;
        };
        let page = match response.status() {
            Status::NOT_FOUND => self.not_found.map(|page| page(request)),
            Status::METHOD_NOT_ALLOWED => self.method_not_allowed.map(|page| page(request)),
            Status::INTERNAL_SERVER_ERROR => self.internal_error.map(|page| page(request, text)),
            _ => None,
        };
        match page {
            Some(page) => response.with_page(page),
            None => response,
        }
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Hooks")
            .field("before", &self.before.len())
            .field("after", &self.after.len())
            .field("not_found", &self.not_found.is_some())
            .field("method_not_allowed", &self.method_not_allowed.is_some())
            .field("internal_error", &self.internal_error.is_some())
            .finish()
    }
}
