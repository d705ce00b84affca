//! [`Session`]: values that last from one request to the next.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::error::Error;
use crate::extract::{Cookies, FromRequest};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::respond::{Cookie, Responder, Response};
use crate::session::signer::{MOST, Signer};
use crate::status::Status;

/// The cookie's name.
const NAME: &str = "session";

/// The value that holds the messages for the next page.
const FLASHES: &str = "_flashes";

/// How long a session lasts after it was last changed, unless
/// [`Session::set_lifetime`] says otherwise: two weeks.
pub const DEFAULT_LIFETIME: Duration = Duration::from_secs(14 * 24 * 60 * 60);

/// Values that last from one request of a browser to the next, in a signed
/// cookie named `session`. The client can read them, see
/// [`session`](crate::session).
///
/// A handler takes it as an argument, and gives it back beside its answer:
/// `(session, answer)`. The cookie is set then if a value was changed, and
/// removed if none is left; a session that is not given back stays as it was.
/// The answer has `Vary: Cookie`, so that no cache gives it to somebody else
/// (RFC 9110, section 12.5.5).
///
/// A cookie that was tampered with, has expired or was signed with another key
/// is an empty session. One that would be larger than 4096 octets with its
/// name is a 500, and the log says so.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/")]
/// fn count(mut session: Session) -> Result<(Session, String)> {
///     let visits = session.get::<u32>("visits").unwrap_or(0) + 1;
///     session.insert("visits", visits)?;
///     Ok((session, format!("Visit {visits}\n")))
/// }
///
/// app!(count);
///
/// # let key = "0123456789abcdef0123456789abcdef";
/// // In a test, the key is said with the request:
/// let first = rhost_sdk::testing::get(&APP, "/").variable("SECRET_KEY", key).send();
/// let cookie = first.header("set-cookie").unwrap().split(';').next().unwrap();
/// let again = rhost_sdk::testing::get(&APP, "/").variable("SECRET_KEY", key);
/// assert_eq!(again.header("cookie", cookie).send().text(), "Visit 2\n");
/// ```
#[derive(Debug)]
pub struct Session {
    values: Map<String, Value>,
    signer: Signer,
    lifetime: Duration,
    /// Whether the client has it.
    kept: bool,
    changed: bool,
}

impl Session {
    /// The value of this name; `None` too if it is not such a value.
    #[must_use]
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        T::deserialize(self.values.get(name)?).ok()
    }

    /// Sets a value. Names that begin with `_` are the session's own.
    ///
    /// # Errors
    ///
    /// The value cannot be written as JSON.
    pub fn insert<T: Serialize>(&mut self, name: &str, value: T) -> Result<(), Error> {
        let value = serde_json::to_value(value)?;
        if self.values.get(name) != Some(&value) {
            self.values.insert(name.into(), value);
            self.changed = true;
        }
        Ok(())
    }

    /// Removes a value, and says whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let removed = self.values.remove(name).is_some();
        self.changed |= removed;
        removed
    }

    /// Removes every value, as a logout does.
    pub fn clear(&mut self) {
        self.changed |= !self.values.is_empty();
        self.values.clear();
    }

    /// Whether it holds no value.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Sets how long it lasts from this request on, in whole seconds, and
    /// writes it even if no value was changed: called in each request, it ends
    /// so long after the last one.
    pub fn set_lifetime(&mut self, lifetime: Duration) {
        self.lifetime = lifetime;
        self.changed = true;
    }

    /// Leaves a message for the page that the client gets next.
    pub fn flash(&mut self, message: impl Into<String>) {
        let mut messages: Vec<String> = self.get(FLASHES).unwrap_or_default();
        messages.push(message.into());
        self.values.insert(FLASHES.into(), messages.into());
        self.changed = true;
    }

    /// Takes the messages that were left, in order.
    pub fn take_flashes(&mut self) -> Vec<String> {
        let messages = self.get(FLASHES).unwrap_or_default();
        self.remove(FLASHES);
        messages
    }

    /// The cookie to set, if one is.
    fn into_cookie(self) -> Result<Option<Cookie>, Error> {
        if !self.changed {
            return Ok(None);
        }
        if self.values.is_empty() {
            return Ok(self.kept.then(|| Cookie::removal(NAME)));
        }
        let text = serde_json::to_string(&self.values)?;
        let value = self.signer.value(NAME, &text, self.lifetime);
        let length = NAME.len() + value.len();
        if length > MOST {
            let status = Status::INTERNAL_SERVER_ERROR;
            return Err(Error::new(status, status.reason()).because(format!(
                "the session has {length} octets, and a cookie has at most {MOST}"
            )));
        }
        Ok(Some(Cookie::new(NAME, value).max_age(self.lifetime)))
    }
}

impl FromRequest<'_> for Session {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        let signer = Signer::from_request(request)?;
        let cookies = Cookies::from_request(request)?;
        let text = signer.read(&cookies, NAME);
        Ok(Session {
            // Signed, and yet no session, if a `Signer` was given its name.
            values: text
                .and_then(|text| serde_json::from_str(&text).ok())
                .unwrap_or_default(),
            signer,
            lifetime: DEFAULT_LIFETIME,
            kept: cookies.get(NAME).is_some(),
            changed: false,
        })
    }
}

/// `R`, which keeps the session besides.
impl<R: Responder> Responder for (Session, R) {
    fn respond(self) -> Response {
        match self.0.into_cookie() {
            Ok(cookie) => {
                let response = self.1.respond().header("vary", "cookie");
                match cookie {
                    Some(cookie) => response.cookie(cookie),
                    None => response,
                }
            }
            Err(error) => error.respond(),
        }
    }
}
