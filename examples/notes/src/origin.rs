//! Other sites' pages change nothing here.
//!
//! The session's cookie is SameSite=Lax, so another site's form comes without it.
//! This is the second lock: a browser says where a request comes from, and what
//! does not come from this site's own pages is refused before it is read. That also
//! covers signing in, which needs no cookie. Programs that are no browsers say
//! nothing, have no user's cookie, and may.

use rhost_sdk::prelude::*;

use crate::errors;

/// Goes on unless another site's page sent a request that changes something.
pub fn own(request: &Request) -> Result<(), Response> {
    if matches!(request.method(), "GET" | "HEAD" | "OPTIONS") || is_own(request.headers()) {
        return Ok(());
    }
    Err(errors::page(
        request,
        Status::FORBIDDEN,
        "Another site's page sent this. Open the notebook itself, and do it there.",
    ))
}

fn is_own(headers: &Headers) -> bool {
    // Fetch Metadata. `none` is a user's own doing, as a bookmark.
    if let Some(site) = headers.get("sec-fetch-site") {
        return matches!(site, "same-origin" | "none");
    }
    // Over plain HTTP browsers leave that out, and send the origin.
    match (headers.get("origin"), headers.get("host")) {
        (None, _) => !headers.contains("origin"),
        (Some(origin), Some(host)) => origin
            .split_once("://")
            .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(host)),
        (Some(_), None) => false,
    }
}
