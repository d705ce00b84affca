//! [`LastEventId`]: where a client left off.

use crate::extract::{FromRequest, Optional};
use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

const NAME: &str = "last-event-id";

/// The ID of the last event that a client got, which sends it when it comes
/// back (HTML Standard, section 9.2.4). 400 where there is none, or it is not
/// UTF-8.
///
/// A client that comes for the first time has none: take
/// `Option<LastEventId<'_>>`. What it holds is the client's word, as every field
/// is.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/news")]
/// fn news(seen: Option<LastEventId<'_>>) -> String {
///     let seen = seen.and_then(|seen| seen.0.parse().ok()).unwrap_or(0);
///     format!("from {}\n", seen + 1)
/// }
///
/// app!(news);
///
/// let request = rhost_sdk::testing::get(&APP, "/news");
/// assert_eq!(request.clone().send().text(), "from 1\n");
/// assert_eq!(request.header("last-event-id", "41").send().text(), "from 42\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastEventId<'r>(pub &'r str);

impl<'r> FromRequest<'r> for LastEventId<'r> {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        match request.headers().get(NAME) {
            Some(id) if !id.is_empty() => Ok(LastEventId(id)),
            _ => Err(Rejection::new(
                Status::BAD_REQUEST,
                "A Last-Event-ID in UTF-8 is needed",
            )),
        }
    }
}

/// Absent: no such field, or an empty one.
impl<'r> Optional<'r> for LastEventId<'r> {
    fn is_absent(request: &'r Request) -> bool {
        request
            .headers()
            .get_bytes(NAME)
            .is_none_or(<[u8]>::is_empty)
    }
}
