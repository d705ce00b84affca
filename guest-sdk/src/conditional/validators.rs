//! [`Validators`]: what tells one state of a resource from another.

use std::time::SystemTime;

use crate::conditional::etag::ETag;
use crate::conditional::time::Seconds;
use crate::respond::Response;

/// What tells one state of a resource from another (RFC 9110, section 8.8): an
/// [`ETag`], the time of the last change, both as a pair, or neither:
/// [`UNKNOWN`](Validators::UNKNOWN) and [`ABSENT`](Validators::ABSENT).
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use rhost_sdk::prelude::*;
///
/// #[get("/news")]
/// fn news(conditions: Conditions<'_>) -> Response {
///     let changed = UNIX_EPOCH + Duration::from_secs(784_111_777);
///     conditions.respond((ETag::weak("31"), changed), || "nothing new\n")
/// }
///
/// app!(news);
/// # let answer = rhost_sdk::testing::get(&APP, "/news")
/// #     .header("if-modified-since", "Sun, 06 Nov 1994 08:49:37 GMT")
/// #     .send();
/// # assert_eq!(answer.status(), 304);
/// # assert_eq!(answer.header("etag"), Some("W/\"31\""));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Validators {
    pub(super) exists: bool,
    pub(super) etag: Option<ETag>,
    pub(super) modified: Option<Seconds>,
}

impl Validators {
    /// There is nothing at this path yet, or no more: `If-Match: *` is false,
    /// and `If-None-Match: *` is true.
    pub const ABSENT: Validators = Validators {
        exists: false,
        etag: None,
        modified: None,
    };

    /// There is something, and nothing is known of its state: only `*` speaks of
    /// it.
    pub const UNKNOWN: Validators = Validators {
        exists: true,
        etag: None,
        modified: None,
    };

    /// Those that an answer has.
    pub(super) fn of(response: &Response) -> Validators {
        let field = |name: &str| {
            response
                .headers()
                .find(|(other, _)| other.eq_ignore_ascii_case(name))
                .map(|(_, value)| value)
        };
        Validators {
            exists: true,
            etag: field("etag").and_then(ETag::from_field),
            modified: field("last-modified").and_then(Seconds::from_field),
        }
    }

    /// Adds the fields, in place of those that are there.
    pub(crate) fn add_to(&self, mut response: Response) -> Response {
        if let Some(tag) = &self.etag {
            response = response.with_headers([("etag", tag.to_string())]);
        }
        if let Some(time) = &self.modified {
            response = response.with_headers([("last-modified", time.to_string())]);
        }
        response
    }
}

impl From<ETag> for Validators {
    fn from(tag: ETag) -> Validators {
        Validators {
            exists: true,
            etag: Some(tag),
            modified: None,
        }
    }
}

/// Parts of a second are cut off. A time before 1970 or after 9999 is as good
/// as none: Last-Modified cannot say it.
impl From<SystemTime> for Validators {
    fn from(modified: SystemTime) -> Validators {
        Validators {
            exists: true,
            etag: None,
            modified: Seconds::new(modified),
        }
    }
}

impl From<(ETag, SystemTime)> for Validators {
    fn from((tag, modified): (ETag, SystemTime)) -> Validators {
        Validators {
            etag: Some(tag),
            ..modified.into()
        }
    }
}

/// Absent where there is none.
impl<V: Into<Validators>> From<Option<V>> for Validators {
    fn from(current: Option<V>) -> Validators {
        current.map_or(Validators::ABSENT, V::into)
    }
}
