//! Cookies on their way out: on a response, and beside another answer.

use std::mem;

use crate::environ::Environ;
use crate::error::Error;
use crate::respond::cookie::Cookie;
use crate::respond::responder::Responder;
use crate::respond::response::Response;
use crate::status::Status;

impl Response {
    /// Sets a cookie. Unlike a field it stays when others are set; what the
    /// request decides about it is filled in when the response is sent.
    #[must_use]
    pub fn cookie(mut self, cookie: Cookie) -> Response {
        self.cookies.push(cookie);
        self
    }

    /// The cookies that are to be set, in order.
    #[must_use]
    pub fn cookies(&self) -> &[Cookie] {
        &self.cookies
    }

    /// Makes fields of the cookies: 500 for a name that is none.
    pub(crate) fn with_cookies_for(mut self, environ: &Environ) -> Response {
        for cookie in mem::take(&mut self.cookies) {
            let name = cookie.name().escape_debug().to_string();
            let Some(value) = cookie.into_value(environ) else {
                let status = Status::INTERNAL_SERVER_ERROR;
                return Error::new(status, status.reason())
                    .because(format!("the name `{name}` of a cookie is not a token"))
                    .respond();
            };
            self = self.header("set-cookie", value);
        }
        self
    }
}

/// `R`, which sets the cookie besides.
impl<R: Responder> Responder for (Cookie, R) {
    fn respond(self) -> Response {
        self.1.respond().cookie(self.0)
    }
}

/// `R`, which sets the cookies besides.
impl<const COUNT: usize, R: Responder> Responder for ([Cookie; COUNT], R) {
    fn respond(self) -> Response {
        self.0
            .into_iter()
            .fold(self.1.respond(), |response, cookie| response.cookie(cookie))
    }
}
