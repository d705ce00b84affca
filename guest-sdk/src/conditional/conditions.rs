//! [`Conditions`]: what a request asks of the state it finds.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use crate::conditional::evaluate::{Outcome, evaluate, range_applies};
use crate::conditional::fields::not_modified;
use crate::conditional::range::{Part, select};
use crate::conditional::validators::Validators;
use crate::extract::FromRequest;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::respond::{HeaderValue, Responder, Response};
use crate::status::Status;

/// The conditions of a request, and the range that it asks for (RFC 9110,
/// sections 13 and 14).
///
/// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since are
/// evaluated in this order, as section 13.2.2 has it: 304 where a client that
/// reads has the answer already, 412 where the state is not the one it thinks.
/// What is no date is ignored; what is no tag matches nothing.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/notes/{id}")]
/// fn show(id: u32, conditions: Conditions<'_>) -> Response {
///     let (text, revision) = ("milk\n", 7);
///     conditions
///         .header("cache-control", "no-cache")
///         .respond(ETag::strong(format!("{id}.{revision}")), || text)
/// }
///
/// #[put("/notes/{id}")]
/// fn replace(id: u32, conditions: Conditions<'_>, text: String) -> Result<()> {
///     // Two who edit at once do not overwrite one another.
///     conditions.require(ETag::strong(format!("{id}.7")))?;
///     # let _ = text;
///     Ok(())
/// }
///
/// app!(show, replace);
/// # use rhost_sdk::testing;
/// # let answer = testing::get(&APP, "/notes/1").header("if-none-match", "\"1.7\"").send();
/// # assert_eq!(answer.status(), 304);
/// # assert_eq!(answer.header("cache-control"), Some("no-cache"));
/// # assert_eq!(answer.header("etag"), Some("\"1.7\""));
/// # let answer = testing::put(&APP, "/notes/1").header("if-match", "\"1.6\"").body("x").send();
/// # assert_eq!(answer.status(), 412);
/// ```
///
/// # Ranges
///
/// With [`ranged`](Conditions::ranged), and with [`part`](Conditions::part),
/// GET is also answered with the part that Range asks for: 206; or 416, where
/// the body is not so long. A Range of several parts, of another unit than
/// `bytes`, or that is malformed gets the whole, 200, which section 14.2 allows;
/// so does one whose If-Range names another state.
#[derive(Clone)]
pub struct Conditions<'r> {
    request: &'r Request,
    is_ranged: bool,
    /// For the answer and for the 304 in its place.
    fields: Vec<(Cow<'static, str>, HeaderValue)>,
}

impl<'r> FromRequest<'r> for Conditions<'r> {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        Ok(Conditions {
            request,
            is_ranged: false,
            fields: Vec::new(),
        })
    }
}

impl Conditions<'_> {
    /// Adds a field to the answer, and to the 304 in its place: Cache-Control,
    /// Content-Location, Expires and Vary belong to both (RFC 9110, section
    /// 15.4.5). It replaces those of its name in what is answered, and is left
    /// out where that is an error.
    #[must_use]
    pub fn header(
        mut self,
        name: impl Into<Cow<'static, str>>,
        value: impl Into<HeaderValue>,
    ) -> Self {
        self.fields.push((name.into(), value.into()));
        self
    }

    /// Offers parts of the answer as well, with Accept-Ranges, where its body is
    /// whole in memory. A stream is sent as it is; see
    /// [`part`](Conditions::part).
    #[must_use]
    pub fn ranged(mut self) -> Self {
        self.is_ranged = true;
        self
    }

    /// Goes on if a change may be made of the current state, before it is made.
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// #[put("/new")]
    /// fn create(conditions: Conditions<'_>) -> Result<Status> {
    ///     // `If-None-Match: *` says: only if there is none yet.
    ///     let current: Option<ETag> = None;
    ///     conditions.require(current)?;
    ///     Ok(Status::CREATED)
    /// }
    ///
    /// app!(create);
    /// # use rhost_sdk::testing;
    /// # assert_eq!(testing::put(&APP, "/new").header("if-none-match", "*").send().status(), 201);
    /// # assert_eq!(testing::put(&APP, "/new").header("if-match", "*").send().status(), 412);
    /// ```
    ///
    /// # Errors
    ///
    /// 412 (RFC 9110, section 15.5.13).
    pub fn require(&self, current: impl Into<Validators>) -> Result<(), Rejection> {
        match evaluate(self.request, &current.into()) {
            Outcome::Failed => Err(FAILED),
            // A client that reads can always be given the whole.
            Outcome::Proceed | Outcome::NotModified => Ok(()),
        }
    }

    /// Answers what `make` makes, with the current validators as ETag and
    /// Last-Modified; or 304 or 412, and then `make` does not run.
    pub fn respond<R: Responder>(
        self,
        current: impl Into<Validators>,
        make: impl FnOnce() -> R,
    ) -> Response {
        let current = current.into();
        match self.refuse(&current) {
            Some(response) => response,
            None => self.finish(&current, make().respond()),
        }
    }

    /// Answers what is there already, by the ETag and the Last-Modified that it
    /// has: or 304 with its fields, except those of the body; or 412. Only for
    /// GET and HEAD, and only for a 2xx: any other is answered as it is (RFC
    /// 9110, section 13.2.1).
    pub fn apply(self, answer: impl Responder) -> Response {
        let response = answer.respond();
        if !self.is_read() || !is_success(&response) {
            return response;
        }
        let current = Validators::of(&response);
        match evaluate(self.request, &current) {
            Outcome::Proceed => self.finish(&current, response),
            Outcome::NotModified => not_modified(response.with_headers(self.fields)),
            Outcome::Failed => FAILED.respond(),
        }
    }

    /// As [`respond`](Conditions::respond), for a body of known length that can
    /// be made from any octet on, as one that lies in a store. `make` gets the
    /// octets to answer, counted from 0; Content-Length and Content-Range are
    /// added.
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// const MANY: u64 = 1 << 40;
    ///
    /// #[get("/dots")]
    /// fn dots(conditions: Conditions<'_>) -> Response {
    ///     conditions.part(ETag::strong("dots"), MANY, |octets| {
    ///         Stream::blocks("text/plain", octets.map(|_| "."))
    ///     })
    /// }
    ///
    /// app!(dots);
    /// # let answer = rhost_sdk::testing::get(&APP, "/dots").header("range", "bytes=-3").send();
    /// # assert_eq!(answer.status(), 206);
    /// # assert_eq!(answer.header("content-range"), Some("bytes 1099511627773-1099511627775/1099511627776"));
    /// # assert_eq!(answer.header("content-length"), Some("3"));
    /// # assert_eq!(answer.text(), "...");
    /// ```
    pub fn part<R: Responder>(
        self,
        current: impl Into<Validators>,
        length: u64,
        make: impl FnOnce(Range<u64>) -> R,
    ) -> Response {
        let current = current.into();
        if let Some(response) = self.refuse(&current) {
            return response;
        }
        let part = self.selected(&current, length);
        let octets = match &part {
            Part::Whole => 0..length,
            Part::Octets(octets) => octets.clone(),
            Part::Unsatisfiable => return unsatisfiable(length),
        };
        let count = octets.end - octets.start;
        let response = make(octets).respond();
        if response.status() != Status::OK {
            return response;
        }
        let response = accept(response).with_headers([("content-length", count)]);
        self.complete(&current, partial(response, &part, length))
    }

    fn is_read(&self) -> bool {
        matches!(self.request.method(), "GET" | "HEAD")
    }

    /// The answer that comes in place of another.
    fn refuse(&self, current: &Validators) -> Option<Response> {
        match evaluate(self.request, current) {
            Outcome::Proceed => None,
            Outcome::NotModified => {
                let response = Response::new(Status::NOT_MODIFIED);
                Some(current.add_to(response).with_headers(self.fields.clone()))
            }
            Outcome::Failed => Some(FAILED.respond()),
        }
    }

    fn selected(&self, current: &Validators, length: u64) -> Part {
        let mut ranges = self.request.headers().get_all("range");
        match (ranges.next(), ranges.next()) {
            // No other method has ranges (RFC 9110, section 14.2).
            (Some(range), None)
                if self.request.method() == "GET" && range_applies(self.request, current) =>
            {
                select(range, length)
            }
            _ => Part::Whole,
        }
    }

    /// The fields, and the part of a body that is whole.
    fn finish(self, current: &Validators, mut response: Response) -> Response {
        if !self.is_ranged || !self.is_read() || response.status() != Status::OK {
            return self.complete(current, response);
        }
        let Some(body) = response.take_octets() else {
            return self.complete(current, response);
        };
        let response = accept(response);
        let length = body.len() as u64;
        let part = self.selected(current, length);
        let body = match &part {
            Part::Whole => body,
            Part::Octets(octets) => slice(body, octets),
            Part::Unsatisfiable => return unsatisfiable(length),
        };
        let response = partial(response.body(body), &part, length);
        self.complete(current, response)
    }

    /// The fields. What a change answers has not the validators of the state
    /// before it, and an error is not what the fields were meant for.
    fn complete(self, current: &Validators, response: Response) -> Response {
        if !is_success(&response) {
            return response;
        }
        let response = match self.is_read() {
            true => current.add_to(response),
            false => response,
        };
        response.with_headers(self.fields)
    }
}

const FAILED: Rejection = Rejection::new(
    Status::PRECONDITION_FAILED,
    Status::PRECONDITION_FAILED.reason(),
);

fn is_success(response: &Response) -> bool {
    (200..300).contains(&response.status().code())
}

fn accept(response: Response) -> Response {
    response.with_headers([("accept-ranges", "bytes")])
}

fn partial(response: Response, part: &Part, length: u64) -> Response {
    match part {
        Part::Octets(octets) => {
            let value = format!("bytes {}-{}/{length}", octets.start, octets.end - 1);
            response
                .with_status(Status::PARTIAL_CONTENT)
                .with_headers([("content-range", value)])
        }
        Part::Whole | Part::Unsatisfiable => response,
    }
}

#[cold]
fn unsatisfiable(length: u64) -> Response {
    Rejection::new(
        Status::RANGE_NOT_SATISFIABLE,
        Status::RANGE_NOT_SATISFIABLE.reason(),
    )
    .respond()
    .header("content-range", format!("bytes */{length}"))
}

/// The octets lie within the body, so that they can be counted in memory.
fn slice(body: Cow<'static, [u8]>, octets: &Range<u64>) -> Cow<'static, [u8]> {
    let octets = octets.start as usize..octets.end as usize;
    match body {
        Cow::Borrowed(body) => Cow::Borrowed(&body[octets]),
        Cow::Owned(mut body) => {
            body.truncate(octets.end);
            body.drain(..octets.start);
            Cow::Owned(body)
        }
    }
}

impl fmt::Debug for Conditions<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Conditions")
            .field("is_ranged", &self.is_ranged)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}
