//! [`Problem`]: an error as a document.

use std::borrow::Cow;
use std::error::Error as StdError;
use std::fmt;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::Value;

use crate::error::Error;
use crate::log;
use crate::rejection::Rejection;
use crate::respond::{Responder, Response};
use crate::status::Status;

/// The members that RFC 9457 defines (section 3.1).
const DEFINED: [&str; 5] = ["type", "title", "status", "detail", "instance"];

/// An error as a problem document: application/problem+json (RFC 9457).
///
/// As the error of a handler's `Result` it takes whatever an
/// [`Error`](crate::Error) takes: `?` makes one of any error, of a [`Rejection`]
/// and of an [`Error`](crate::Error), with their status. The client sees what it
/// would have seen of those, as `detail`, and the log gets the cause. So a
/// handler that takes its arguments as results answers every error of its own in
/// this form:
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     pieces: u32,
/// }
///
/// #[post("/orders")]
/// fn order(order: Result<Json<Order>, Rejection>) -> Result<Status, Problem> {
///     let Json(order) = order?;
///     if order.pieces > 3 {
///         return Err(Problem::new(Status::CONFLICT)
///             .kind("https://shop.example/problems/out-of-stock")
///             .title("There are not so many left")
///             .with("left", 3));
///     }
///     Ok(Status::CREATED)
/// }
///
/// app!(order);
/// # let send = |body: &str| {
/// #     let order = rhost_sdk::testing::post(&APP, "/orders");
/// #     order.header("content-type", "application/json").body(body).send()
/// # };
/// # let answer = send(r#"{"pieces":4}"#);
/// # assert_eq!(answer.status(), 409);
/// # assert_eq!(answer.header("content-type"), Some("application/problem+json"));
/// # assert_eq!(answer.text(), r#"{"type":"https://shop.example/problems/out-of-stock","title":"There are not so many left","status":409,"left":3}"#);
/// # assert_eq!(send("[").text(), r#"{"title":"Bad Request","status":400,"detail":"The JSON document is malformed"}"#);
/// ```
///
/// An argument that is taken by itself is rejected before the handler runs, as a
/// line of text.
// Boxed: it is what a function returns that rarely fails.
pub struct Problem(Box<Parts>);

struct Parts {
    status: Status,
    kind: Option<Cow<'static, str>>,
    title: Option<Cow<'static, str>>,
    detail: Option<Cow<'static, str>>,
    instance: Option<Cow<'static, str>>,
    extensions: Vec<(Cow<'static, str>, Value)>,
    cause: Option<Box<dyn StdError + Send + Sync>>,
}

impl Problem {
    /// A problem that says no more than its status: its type is `about:blank`,
    /// which is left out, and its title the status' phrase (section 4.2.1).
    #[must_use]
    pub fn new(status: Status) -> Problem {
        Problem(Box::new(Parts {
            status,
            kind: None,
            title: None,
            detail: None,
            instance: None,
            extensions: Vec::new(),
            cause: None,
        }))
    }

    /// Sets `type`: the URI that says which kind of problem it is (section
    /// 3.1.1). Clients tell problems apart by it.
    #[must_use]
    pub fn kind(mut self, uri: impl Into<Cow<'static, str>>) -> Problem {
        self.0.kind = Some(uri.into());
        self
    }

    /// Sets `title`: a line for people, the same for each problem of the kind
    /// (section 3.1.3).
    #[must_use]
    pub fn title(mut self, title: impl Into<Cow<'static, str>>) -> Problem {
        self.0.title = Some(title.into());
        self
    }

    /// Sets `detail`: what went wrong this time, for people (section 3.1.4).
    #[must_use]
    pub fn detail(mut self, detail: impl Into<Cow<'static, str>>) -> Problem {
        self.0.detail = Some(detail.into());
        self
    }

    /// Sets `instance`: a URI that names this occurrence (section 3.1.5).
    #[must_use]
    pub fn instance(mut self, uri: impl Into<Cow<'static, str>>) -> Problem {
        self.0.instance = Some(uri.into());
        self
    }

    /// Adds a member of your own, for programs (section 3.2), in place of one of
    /// this name. Names of the five members that the RFC defines are theirs, and
    /// are passed over. A value that JSON cannot say is left out, and the log
    /// says so.
    #[must_use]
    pub fn with(mut self, name: impl Into<Cow<'static, str>>, value: impl Serialize) -> Problem {
        let name = name.into();
        if DEFINED.contains(&&*name) {
            return self;
        }
        match serde_json::to_value(value) {
            Ok(value) => {
                self.0.extensions.retain(|(other, _)| *other != name);
                self.0.extensions.push((name, value));
            }
            Err(error) => log::line(format!(
                "a member of a problem cannot be serialized: {}",
                log::chain(&error)
            )),
        }
        self
    }

    /// Adds the cause, for the log.
    #[must_use]
    pub fn because(mut self, cause: impl Into<Box<dyn StdError + Send + Sync>>) -> Problem {
        self.0.cause = Some(cause.into());
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status
    }
}

/// The document, without the cause.
impl Serialize for Problem {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut document = serializer.serialize_map(None)?;
        if let Some(kind) = &self.0.kind {
            document.serialize_entry("type", kind)?;
        }
        let title = match &self.0.title {
            Some(title) => title,
            None => self.0.status.reason(),
        };
        if !title.is_empty() {
            document.serialize_entry("title", title)?;
        }
        document.serialize_entry("status", &self.0.status.code())?;
        if let Some(detail) = &self.0.detail {
            document.serialize_entry("detail", detail)?;
        }
        if let Some(instance) = &self.0.instance {
            document.serialize_entry("instance", instance)?;
        }
        for (name, value) in &self.0.extensions {
            document.serialize_entry(name, value)?;
        }
        document.end()
    }
}

/// The status is the problem's, and the cause, with its sources, goes to the
/// log.
impl Responder for Problem {
    fn respond(mut self) -> Response {
        if let Some(cause) = self.0.cause.take() {
            let text = self.0.detail.as_deref().or(self.0.title.as_deref());
            let text = text.unwrap_or(self.0.status.reason());
            log::cause(self.0.status, text, &*cause);
        }
        match serde_json::to_vec(&self) {
            Ok(document) => Response::new(self.0.status)
                .header("content-type", "application/problem+json")
                .body(document),
            Err(error) => Error::from(error).respond(),
        }
    }
}

impl From<Error> for Problem {
    /// Its text is the `detail`, unless that is the phrase of its status.
    fn from(error: Error) -> Problem {
        let (status, text, cause) = error.into_parts();
        let detail = (text != status.reason()).then_some(text);
        let mut problem = Problem::new(status);
        problem.0.detail = detail;
        problem.0.cause = cause;
        problem
    }
}

impl From<Rejection> for Problem {
    fn from(rejection: Rejection) -> Problem {
        Error::from(rejection).into()
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Problem {
    fn from(cause: E) -> Problem {
        Error::from(cause).into()
    }
}

// No `std::error::Error`, for the reason that `Error` is none.
impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.detail.as_deref().or(self.0.title.as_deref()) {
            Some(text) => out.write_str(text),
            None => out.write_str(self.0.status.reason()),
        }
    }
}

impl fmt::Debug for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Problem")
            .field("status", &self.0.status)
            .field("kind", &self.0.kind)
            .field("title", &self.0.title)
            .field("detail", &self.0.detail)
            .field("instance", &self.0.instance)
            .field("extensions", &self.0.extensions)
            .field("cause", &self.0.cause)
            .finish()
    }
}
