//! [`Request`]: what a handler can ask for.

use std::cell::Cell;
use std::fmt;

use crate::body::{Body, Source};
use crate::environ::Environ;
use crate::headers::Headers;
use crate::rejection::Rejection;
use crate::status::Status;

/// A request: what the server knows of it, and its body until somebody takes
/// it.
///
/// Handlers rarely need the whole: whatever implements
/// [`FromRequest`](crate::FromRequest) can be an argument of its own.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// /// Says what was asked for, as TRACE would.
/// #[get("/{rest..}")]
/// fn echo(rest: &str, request: &Request) -> String {
///     let query = request.query();
///     format!("{} {rest} with {query:?}\n", request.method())
/// }
///
/// app!(echo);
///
/// let answer = rhost_sdk::testing::get(&APP, "/a/b?page=2").send();
/// assert_eq!(answer.text(), "GET a/b with \"page=2\"\n");
/// ```
pub struct Request {
    environ: Environ,
    body: Cell<Option<Source>>,
    /// Environment variables that a test has set for this request.
    #[cfg(all(feature = "session", not(target_family = "wasm")))]
    variables: Vec<(String, String)>,
}

impl Request {
    pub(crate) fn new(environ: Environ, body: Source) -> Request {
        Request {
            environ,
            body: Cell::new(Some(body)),
            #[cfg(all(feature = "session", not(target_family = "wasm")))]
            variables: Vec::new(),
        }
    }

    #[cfg(all(feature = "session", not(target_family = "wasm")))]
    pub(crate) fn with_variables(self, variables: Vec<(String, String)>) -> Request {
        Request { variables, ..self }
    }

    /// An environment variable of the application.
    #[cfg(feature = "session")]
    pub(crate) fn variable(&self, name: &str) -> Option<String> {
        #[cfg(not(target_family = "wasm"))]
        if let Some((_, value)) = self.variables.iter().rfind(|(other, _)| other == name) {
            return Some(value.clone());
        }
        std::env::var(name).ok()
    }

    /// The method, as it was sent (RFC 9110, section 9.1).
    #[must_use]
    pub fn method(&self) -> &str {
        &self.environ.request_method
    }

    /// The path below the place where the application is mounted, decoded once
    /// (PEP 3333 `PATH_INFO`).
    #[must_use]
    pub fn path(&self) -> &[u8] {
        &self.environ.path_info
    }

    /// The query, undecoded and without its `?` (PEP 3333 `QUERY_STRING`).
    #[must_use]
    pub fn query(&self) -> &str {
        &self.environ.query_string
    }

    /// The fields.
    #[must_use]
    pub fn headers(&self) -> &Headers {
        &self.environ.headers
    }

    /// All that the server knows of the request.
    #[must_use]
    pub fn environ(&self) -> &Environ {
        &self.environ
    }

    /// Takes the body.
    ///
    /// # Errors
    ///
    /// It can be taken once: the second taker gets a 500, and the log says why.
    pub fn body(&self) -> Result<Body, Rejection> {
        match self.body.take() {
            Some(source) => Ok(Body::new(source, self.environ.content_length)),
            None => Err(Rejection::new(
                Status::INTERNAL_SERVER_ERROR,
                Status::INTERNAL_SERVER_ERROR.reason(),
            )
            .because("the request's body was taken twice: one argument of a handler can read it")),
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Request")
            .field("environ", &self.environ)
            .finish_non_exhaustive()
    }
}
