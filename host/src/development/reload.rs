//! A page that loads itself again when its app has changed. The script that does
//! it follows the page's last octet, where every browser runs it.

use super::broken_build;
use super::live::Live;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderMap, HeaderValue,
};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use sha2::{Digest, Sha256};
use std::sync::LazyLock;

/// Where the script asks. No app is asked for what lies here while it is watched.
const PATH: &str = "/.rhost/revision";

/// Asks for a revision that the page is not of, while anyone looks at the page: a
/// browser has few connections for all tabs of a site.
const SCRIPT: &str = "\
(() => {
  const path = '/.rhost/revision?seen=' + document.currentScript.dataset.revision;
  const visible = () => new Promise(resolve => {
    const look = () => document.hidden || resolve(document.removeEventListener('visibilitychange', look));
    document.addEventListener('visibilitychange', look);
    look();
  });
  const wait = ms => new Promise(resolve => setTimeout(resolve, ms));
  (async () => {
    for (;;) {
      await visible();
      try {
        const answer = await fetch(path, { cache: 'no-store' });
        if (answer.status === 200) return location.reload();
        if (answer.status !== 204) return;
      } catch { await wait(500); }
    }
  })();
})();";

/// What a Content-Security-Policy calls the script.
static HASH: LazyLock<String> = LazyLock::new(|| {
    let digest = BASE64_STANDARD.encode(Sha256::digest(SCRIPT));
    format!("'sha256-{digest}'")
});

/// Reloads the pages of one app.
pub struct Reload(Live);

/// A browser's request for a page.
pub struct Visit {
    revision: u64,
}

impl Reload {
    /// Reloads pages at each revision of `live`.
    pub fn new(live: Live) -> Self {
        Reload(live)
    }

    /// The answer to the script's question, if the request is one.
    pub async fn answer(&self, head: &Parts) -> Option<Response<String>> {
        if head.uri.path() != PATH || head.method != Method::GET {
            return None;
        }
        let seen = head.uri.query()?.strip_prefix("seen=")?.parse().ok()?;
        let (status, text) = match self.0.other_than(seen).await {
            Some(number) => (StatusCode::OK, number.to_string()),
            None => (StatusCode::NO_CONTENT, String::new()),
        };
        let mut response = Response::new(text);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        Some(response)
    }

    /// The visit that a request is, unless it is for something else than a page.
    pub fn visit(&self, head: &Parts) -> Option<Visit> {
        let dest = head.headers.get("sec-fetch-dest")?;
        let is_page = head.method == Method::GET && (dest == "document" || dest == "iframe");
        is_page.then(|| Visit {
            revision: self.0.number(),
        })
    }

    /// The page in place of an app that does not build.
    pub fn broken(&self) -> Option<Response<String>> {
        let mut response = Response::new(broken_build::page(&self.0.broken()?));
        *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        let headers = response.headers_mut();
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(CONTENT_TYPE, html);
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let policy = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'");
        headers.insert(CONTENT_SECURITY_POLICY, policy);
        Some(response)
    }
}

impl Visit {
    /// What is to follow the body that these headers announce; none where it is
    /// not HTML. The page's own policy is widened by the script and what it asks.
    pub fn follow(&self, status: StatusCode, headers: &mut HeaderMap) -> Option<Bytes> {
        let kind = headers.get(CONTENT_TYPE)?.as_bytes();
        let is_html = kind.len() >= 9 && kind[..9].eq_ignore_ascii_case(b"text/html");
        let is_whole = status != StatusCode::PARTIAL_CONTENT && status != StatusCode::NOT_MODIFIED;
        if !is_html || !is_whole || headers.contains_key(CONTENT_ENCODING) {
            return None;
        }
        widen(headers);
        let revision = self.revision;
        let script = format!("<script data-revision=\"{revision}\">{SCRIPT}</script>\n");
        Some(script.into())
    }
}

/// Lets every policy among `headers` allow the script; a field can hold several.
fn widen(headers: &mut HeaderMap) {
    if !headers.contains_key(CONTENT_SECURITY_POLICY) {
        return;
    }
    let policies: Vec<HeaderValue> = headers
        .get_all(CONTENT_SECURITY_POLICY)
        .iter()
        .map(|field| {
            let policies = field.to_str().ok()?.split(',').map(widened);
            HeaderValue::try_from(policies.collect::<Vec<_>>().join(", ")).ok()
        })
        .zip(headers.get_all(CONTENT_SECURITY_POLICY))
        .map(|(widened, field)| widened.unwrap_or_else(|| field.clone()))
        .collect();
    headers.remove(CONTENT_SECURITY_POLICY);
    for policy in policies {
        headers.append(CONTENT_SECURITY_POLICY, policy);
    }
}

/// A policy (Content Security Policy Level 3, section 2.2) with the script in it.
fn widened(policy: &str) -> String {
    let mut directives: Vec<(&str, String)> = policy
        .split(';')
        .map(|directive| {
            directive
                .trim()
                .split_once(' ')
                .unwrap_or((directive.trim(), ""))
        })
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, sources)| (name, sources.trim().to_owned()))
        .collect();
    for (name, source) in [
        ("script-src", HASH.as_str()),
        ("script-src-elem", HASH.as_str()),
        ("connect-src", "'self'"),
    ] {
        let place = |wanted: &str| {
            let mut names = directives.iter().map(|(name, _)| name);
            names.position(|name| name.eq_ignore_ascii_case(wanted))
        };
        // What has no directive of its own falls back on others.
        let own = place(name);
        let fallback = if name == "script-src-elem" {
            None
        } else {
            place("default-src")
        };
        let Some(governing) = own.or(fallback) else {
            continue;
        };
        let sources = directives[governing].1.clone();
        // A hash would turn 'unsafe-inline' off, which allows the script already.
        if source != "'self'" && sources.contains("'unsafe-inline'") {
            continue;
        }
        let widened = match sources.as_str() {
            "" | "'none'" => source.to_owned(),
            sources => format!("{sources} {source}"),
        };
        match own {
            Some(own) => directives[own].1 = widened,
            None => directives.push((name, widened)),
        }
    }
    let directives: Vec<String> = directives
        .into_iter()
        .map(|(name, sources)| format!("{name} {sources}"))
        .collect();
    directives.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_keeps_what_it_says_and_lets_the_script_in() {
        let hash = HASH.as_str();
        assert_eq!(
            widened("default-src 'none'; style-src 'unsafe-inline'"),
            format!(
                "default-src 'none'; style-src 'unsafe-inline'; script-src {hash}; connect-src 'self'"
            )
        );
        assert_eq!(
            widened("script-src 'self' https://cdn.example; connect-src 'none'"),
            format!("script-src 'self' https://cdn.example {hash}; connect-src 'self'")
        );
        assert_eq!(
            widened("script-src-elem 'nonce-a'; default-src *"),
            format!(
                "script-src-elem 'nonce-a' {hash}; default-src *; script-src * {hash}; connect-src * 'self'"
            )
        );
        assert_eq!(
            widened("img-src *; script-src 'unsafe-inline'"),
            "img-src *; script-src 'unsafe-inline'"
        );
    }

    #[test]
    fn only_pages_are_followed() {
        let visit = Visit { revision: 7 };
        let follow = |status: u16, fields: &[(&'static str, &'static str)]| {
            let mut headers: HeaderMap = fields
                .iter()
                .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
                .collect();
            visit.follow(StatusCode::from_u16(status).unwrap(), &mut headers)
        };
        let html = ("content-type", "text/HTML; charset=utf-8");
        let script = follow(200, &[html]).unwrap();
        assert!(script.starts_with(b"<script data-revision=\"7\">"));
        assert!(follow(500, &[html]).is_some());
        assert!(follow(206, &[html]).is_none());
        assert!(follow(200, &[html, ("content-encoding", "gzip")]).is_none());
        assert!(follow(200, &[("content-type", "application/json")]).is_none());
        assert!(follow(200, &[]).is_none());
    }
}
