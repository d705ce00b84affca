//! [`App`]: a site, and its answer to a request.

use std::mem::{self, ManuallyDrop};

use crate::body::Source;
use crate::gateway;
use crate::hooks::Hooks;
use crate::method::Method;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::respond::{Responder, Response};
use crate::routing::Table;
use crate::serve::{Gateway, Server, send};
use crate::status::Status;

/// A site: what `app!` defines as `APP`.
///
/// It answers requests from the gateway, and natively those of
/// [`testing`](crate::testing), on the same path.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/")]
/// fn index() -> &'static str {
///     "Hello, world!\n"
/// }
///
/// // Defines `APP`.
/// app!(index);
///
/// assert_eq!(rhost_sdk::testing::get(&APP, "/").send().text(), "Hello, world!\n");
/// ```
#[derive(Clone, Copy, Debug)]
pub struct App {
    table: &'static Table,
    hooks: &'static Hooks,
    /// What runs the hooks. A pointer, so that a site without hooks has none of
    /// the code in its component.
    around: Option<fn(&App, &Request) -> Response>,
}

impl App {
    /// The site with this table, which `app!` has written.
    #[must_use]
    pub const fn new(table: &'static Table) -> App {
        App {
            table,
            hooks: &Hooks::NONE,
            around: None,
        }
    }

    /// The same site with these hooks, in place of those that it had.
    #[must_use]
    pub const fn with_hooks(self, hooks: &'static Hooks) -> App {
        App {
            hooks,
            around: Some(|app, request| app.hooks.around(request, || app.answer(request))),
            ..self
        }
    }

    /// Answers a request of the gateway: what a component exports as `handle`.
    ///
    /// # Errors
    ///
    /// The response was begun and could not be ended. Whatever can still be
    /// answered is: with a 500, if need be.
    pub fn handle(
        &self,
        environ: gateway::Environ,
        input: gateway::Input,
    ) -> Result<(), gateway::Failure> {
        let run_once = environ.run_once;
        let request = Request::new(environ.into(), Source::Gateway(ManuallyDrop::new(input)));
        let result = self.serve(&request, &mut Gateway);
        if run_once {
            // The whole memory goes with this instance; freeing it piece by piece
            // before would be work for nothing.
            mem::forget(request);
        }
        result
    }

    pub(crate) fn serve<S: Server>(
        &self,
        request: &Request,
        server: &mut S,
    ) -> Result<(), gateway::Failure> {
        #[cfg(feature = "log")]
        crate::logger::install();
        let response = self.respond(request);
        #[cfg(feature = "cookies")]
        let response = response.with_cookies_for(request.environ());
        send(response, request.method() == "HEAD", server)
    }

    /// The response to a request: its handler's, or the site's own, when the
    /// hooks are through with it. Its cookies are not yet among its fields.
    #[must_use]
    pub fn respond(&self, request: &Request) -> Response {
        match self.around {
            None => self.answer(request),
            Some(around) => around(self, request),
        }
    }

    fn answer(&self, request: &Request) -> Response {
        let method = Method::from_name(request.method());
        if method == Some(Method::Options) && request.environ().request_uri == "*" {
            return with_allow(Status::NO_CONTENT.respond(), self.table.methods.allow());
        }
        let path = match request.path() {
            // The place itself where the application is mounted.
            [] => &[],
            [b'/', path @ ..] => path,
            _ => return Rejection::not_found().respond(),
        };
        if let Some(place) = method.and_then(|method| self.table.find(path, method)) {
            return (self.table.call)(place, request, path);
        }
        let allowed = self.table.allowed(path);
        if allowed.is_empty() {
            return Rejection::not_found().respond();
        }
        let answer = match method {
            Some(Method::Options) => Status::NO_CONTENT.respond(),
            _ => Rejection::new(
                Status::METHOD_NOT_ALLOWED,
                Status::METHOD_NOT_ALLOWED.reason(),
            )
            .respond(),
        };
        with_allow(answer, allowed.allow())
    }
}

fn with_allow(answer: Response, methods: String) -> Response {
    answer.header("allow", methods)
}
