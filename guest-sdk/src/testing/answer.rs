//! [`Answer`]: what came of a request.

use crate::gateway::{ExcInfo, Failure, Header};
use crate::status::Status;

/// The answer to a request of a test.
///
/// # Panics
///
/// The status, the fields and the body are those of a response that was begun:
/// asking for them panics if the application failed before that.
#[derive(Clone, Debug)]
pub struct Answer {
    pub(crate) response: Option<Begun>,
    pub(crate) blocks: Vec<Vec<u8>>,
    pub(crate) bodiless: bool,
    pub(crate) failure: Option<Failure>,
}

/// What `start-response` was called with.
#[derive(Clone, Debug)]
pub(crate) struct Begun {
    pub(crate) status: Status,
    pub(crate) fields: Vec<Header>,
    pub(crate) exception: Option<ExcInfo>,
}

impl Answer {
    fn begun(&self) -> &Begun {
        match &self.response {
            Some(begun) => begun,
            None => panic!("no response was begun: {:?}", self.failure),
        }
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.begun().status
    }

    /// The first value of a field; `None` too if it is not UTF-8.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let value = self
            .headers()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))?
            .1;
        std::str::from_utf8(value).ok()
    }

    /// The fields, as name and value, in order, as the application gave them.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.begun()
            .fields
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_slice()))
    }

    /// The body, as the client gets it: none in an answer to HEAD, and none
    /// with 204 and 304 (RFC 9110, section 6.4.1).
    #[must_use]
    pub fn body(&self) -> Vec<u8> {
        if self.bodiless
            || matches!(
                self.begun().status,
                Status::NO_CONTENT | Status::NOT_MODIFIED
            )
        {
            return Vec::new();
        }
        self.blocks.concat()
    }

    /// The body as text.
    ///
    /// # Panics
    ///
    /// If it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.body()).expect("the body is UTF-8")
    }

    /// The body, deserialized.
    ///
    /// # Panics
    ///
    /// If it is not such a JSON document.
    #[cfg(feature = "json")]
    #[must_use]
    pub fn json<T: serde::de::DeserializeOwned>(&self) -> T {
        serde_json::from_slice(&self.body()).expect("the body is such a JSON document")
    }

    /// The blocks, one for each that the application wrote, whatever the
    /// client gets of them.
    #[must_use]
    pub fn blocks(&self) -> &[Vec<u8>] {
        &self.blocks
    }

    /// The exception that the response was begun with: the server refused
    /// another one before it.
    #[must_use]
    pub fn exception(&self) -> Option<&ExcInfo> {
        self.begun().exception.as_ref()
    }

    /// Why the response was not ended, if it was not.
    #[must_use]
    pub fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }
}
