//! In which of two types an answer is.

use rhost_sdk::FromRequest;
use rhost_sdk::prelude::*;

/// The type of an answer, as the client would rather have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// A page.
    Html,
    /// A document.
    Json,
}

const HTML: &str = "text/html";
const JSON: &str = "application/json";

impl Media {
    /// For an answer that has to be in one of them, as an error.
    pub fn of(request: &Request) -> Media {
        choose(request).unwrap_or(Media::Html)
    }
}

/// 406 for a client that takes neither.
impl FromRequest<'_> for Media {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        choose(request)
    }
}

fn choose(request: &Request) -> Result<Media, Rejection> {
    // Who sends a document and says nothing else wants one back.
    let kind = request
        .environ()
        .content_type
        .as_deref()
        .unwrap_or_default();
    let offers = match kind.starts_with(JSON) {
        true => [JSON, HTML],
        false => [HTML, JSON],
    };
    let chosen = Accept::from_request(request)?.choose(&offers)?;
    Ok(match chosen {
        JSON => Media::Json,
        _ => Media::Html,
    })
}
