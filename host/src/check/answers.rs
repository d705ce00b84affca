//! What one answer shows by itself.

use super::client::Answer;
use super::rules::{Rule, http as rules};

/// The rules that `answer` breaks, and how. The app made it; the host's own pages
/// are not looked at.
pub fn check(answer: &Answer) -> Vec<(&'static Rule, String)> {
    let status = answer.status;
    let has = |name: &str| answer.headers.contains_key(name);
    let mut broken = Vec::new();
    let mut breaks = |rule, happened: String| broken.push((rule, happened));
    match status {
        405 if !has("allow") => breaks(&rules::ALLOW, "405 without Allow".into()),
        401 if !has("www-authenticate") => {
            breaks(&rules::CHALLENGE, "401 without WWW-Authenticate".into());
        }
        301 | 302 | 303 | 307 | 308 if !has("location") => {
            breaks(&rules::LOCATION, format!("{status} without Location"));
        }
        204 if has("content-type") => breaks(
            &rules::CONTENT_TYPE_OF_NOTHING,
            "204 with a Content-Type".into(),
        ),
        // 501 and 503 say what they say on purpose.
        500 | 502 | 504.. => breaks(&rules::SERVER_ERROR, format!("it answered {status}")),
        _ => {}
    }
    if answer.octets > 0 && !has("content-type") {
        let octets = answer.octets;
        breaks(
            &rules::CONTENT_TYPE,
            format!("{status} with {octets} octets and no Content-Type"),
        );
    }
    let odd = answer
        .headers
        .iter()
        .find(|(_, value)| !value.as_bytes().is_ascii());
    if let Some((name, _)) = odd {
        breaks(
            &rules::NOT_ASCII,
            format!("the field {name} has octets beyond ASCII"),
        );
    }
    broken
}
