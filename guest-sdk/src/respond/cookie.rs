//! [`Cookie`]: what a client is to keep, and to send back.

use std::borrow::Cow;
use std::time::Duration;

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

use crate::environ::Environ;
use crate::respond::fields::HeaderValue;

pub use cookie::SameSite;

/// What a value cannot hold as it is (RFC 6265, section 4.1.1), and `%`.
const IN_VALUE: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b',')
    .add(b';')
    .add(b'\\')
    .add(b'%');

/// What a path cannot hold as it is (RFC 3986, section 3.3), and `;`, which
/// would end the attribute.
const IN_PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b';')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}');

/// A cookie to set (RFC 6265, section 4.1), which
/// [`Response::cookie`](crate::Response::cookie) takes.
/// Beside a responder it is an answer too: `(Cookie::new("theme", "dark"),
/// Redirect::see_other("/"))`.
///
/// Unless it says otherwise, scripts of a page cannot read it (HttpOnly), other
/// sites' forms do not send it along (SameSite=Lax), it is sent to this
/// application alone (Path is the place where it is mounted, or `/`), over TLS
/// only if it came over TLS (Secure), and until the browser is closed.
///
/// A value may be any text: what a cookie cannot hold is percent-encoded, and
/// [`Cookies`](crate::Cookies) decodes it. A name is a token (RFC 9110, section
/// 5.6.2); with another one the answer is a 500.
///
/// ```
/// use std::time::Duration;
/// use rhost_sdk::prelude::*;
///
/// #[post("/theme")]
/// fn choose(theme: String) -> (Cookie, Redirect) {
///     let cookie = Cookie::new("theme", theme).max_age(Duration::from_secs(3600));
///     (cookie, Redirect::see_other("/"))
/// }
///
/// app!(choose);
/// # let answer = rhost_sdk::testing::post(&APP, "/theme").body("dark blue").send();
/// # assert_eq!(answer.header("set-cookie"), Some(
/// #     "theme=dark%20blue; HttpOnly; SameSite=Lax; Path=/; Max-Age=3600"
/// # ));
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Cookie(cookie::Cookie<'static>);

impl Cookie {
    /// A cookie of this name, with this value.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>, value: impl AsRef<str>) -> Cookie {
        let value = utf8_percent_encode(value.as_ref(), IN_VALUE).to_string();
        let mut cookie = cookie::Cookie::new(name, value);
        cookie.set_http_only(true);
        cookie.set_same_site(SameSite::Lax);
        Cookie(cookie)
    }

    /// Makes the client forget the cookie of this name (RFC 6265, section
    /// 3.1). One that was set with a path of its own is removed with the same.
    #[must_use]
    pub fn removal(name: impl Into<Cow<'static, str>>) -> Cookie {
        Cookie::new(name, "").max_age(Duration::ZERO)
    }

    /// How long the client keeps it, in whole seconds (Max-Age; RFC 6265,
    /// section 5.2.2).
    #[must_use]
    pub fn max_age(mut self, age: Duration) -> Cookie {
        let seconds = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        self.0.set_max_age(cookie::time::Duration::seconds(seconds));
        self
    }

    /// The path below which it is sent back, in place of the application's own
    /// (RFC 6265, section 5.2.4). What cannot stand in one is percent-encoded.
    #[must_use]
    pub fn path(mut self, path: impl AsRef<str>) -> Cookie {
        self.0
            .set_path(utf8_percent_encode(path.as_ref(), IN_PATH).to_string());
        self
    }

    /// Whether it is sent over TLS only, whatever it came over (RFC 6265,
    /// section 5.2.5). A client without TLS drops it then.
    #[must_use]
    pub fn secure(mut self, secure: bool) -> Cookie {
        self.0.set_secure(secure);
        self
    }

    /// Whether it is kept from scripts (RFC 6265, section 5.2.6).
    #[must_use]
    pub fn http_only(mut self, http_only: bool) -> Cookie {
        self.0.set_http_only(http_only);
        self
    }

    /// Which requests of other sites it is sent with (RFC 6265bis, section
    /// 5.6.7). With [`SameSite::None`] it is Secure unless it says otherwise,
    /// since clients drop it if it is not.
    #[must_use]
    pub fn same_site(mut self, same_site: SameSite) -> Cookie {
        self.0.set_same_site(same_site);
        self
    }

    /// The name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// The value of a Set-Cookie field in the answer to such a request; `None`
    /// for a name that is none.
    pub(crate) fn into_value(mut self, environ: &Environ) -> Option<HeaderValue> {
        // It is sent as it is: one with a `;` would begin an attribute.
        if !is_token(self.0.name()) {
            return None;
        }
        if self.0.path().is_none() {
            let mount = match environ.script_name.as_str() {
                "" => "/",
                mount => mount,
            };
            self = self.path(mount);
        }
        if self.0.secure().is_none() {
            let none = self.0.same_site() == Some(SameSite::None);
            self.0.set_secure(none || environ.url_scheme == "https");
        }
        Some(self.0.to_string().into())
    }
}

fn is_token(name: &str) -> bool {
    let is_token = |octet: u8| octet.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&octet);
    !name.is_empty() && name.bytes().all(is_token)
}
