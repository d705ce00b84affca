//! What can be asked of the admin listener.

use super::Health;
use crate::metrics;
use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::json;

/// What is shown, and what it is made from.
pub struct Pages {
    health: Health,
}

impl Pages {
    /// Pages about `health`, and the metrics of the process.
    pub fn new(health: Health) -> Self {
        Pages { health }
    }

    /// The answer to a request. HEAD is answered as GET is; the body is not sent.
    pub fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        let (status, kind, body) = match path {
            "/live" => (StatusCode::OK, JSON, json!({ "live": true }).to_string()),
            "/ready" => self.ready(),
            "/metrics" => (StatusCode::OK, metrics::CONTENT_TYPE, metrics::render()),
            _ => {
                let error = "there is no such page; ask for /live, /ready or /metrics";
                let error = json!({ "error": error });
                (StatusCode::NOT_FOUND, JSON, error.to_string())
            }
        };
        let is_asked_for = [Method::GET, Method::HEAD].contains(method);
        if !is_asked_for && status != StatusCode::NOT_FOUND {
            let error = json!({ "error": "it can be read only; use GET or HEAD" });
            let mut response = page(StatusCode::METHOD_NOT_ALLOWED, JSON, error.to_string());
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        page(status, kind, body)
    }

    fn ready(&self) -> (StatusCode, &'static str, String) {
        match self.health.ready() {
            Ok(()) => (StatusCode::OK, JSON, json!({ "ready": true }).to_string()),
            Err(why) => {
                let body = json!({ "ready": false, "why": why });
                (StatusCode::SERVICE_UNAVAILABLE, JSON, body.to_string())
            }
        }
    }
}

const JSON: &str = "application/json";

fn page(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    // The next answer may be another.
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use http_body_util::BodyExt;

    async fn text(response: Response<Full<Bytes>>) -> String {
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn it_is_ready_when_there_is_an_app_and_not_while_it_drains() {
        let health = Health::default();
        let pages = Pages::new(health.clone());
        let ready = pages.answer(&Method::GET, "/ready");
        assert_eq!(ready.status(), 503);
        assert!(text(ready).await.contains("it is starting"));
        let (log, _) = crate::log::Sink::to_memory("log", crate::log::Format::Text);
        let site = crate::tenant::Site::new(None, &Default::default(), &log, None);
        health.serving(&site.into());
        let ready = pages.answer(&Method::GET, "/ready");
        assert!(text(ready).await.contains("no app is built yet"));
        health.draining();
        let ready = pages.answer(&Method::HEAD, "/ready");
        assert_eq!(ready.status(), 503);
        assert!(text(ready).await.contains("it was told to stop"));
        assert_eq!(pages.answer(&Method::GET, "/live").status(), 200);
    }

    #[tokio::test]
    async fn what_is_counted_is_shown() {
        let pages = Pages::new(Health::default());
        let shown = pages.answer(&Method::GET, "/metrics");
        let kind = shown.headers()[CONTENT_TYPE].to_str().unwrap();
        assert!(kind.starts_with("application/openmetrics-text"));
        assert!(text(shown).await.ends_with("# EOF\n"));
    }

    #[tokio::test]
    async fn what_else_is_asked_is_told_apart() {
        let pages = Pages::new(Health::default());
        let posted = pages.answer(&Method::POST, "/live");
        assert_eq!(posted.status(), 405);
        assert_eq!(posted.headers()[ALLOW], "GET, HEAD");
        assert_eq!(pages.answer(&Method::POST, "/").status(), 404);
        assert_eq!(pages.answer(&Method::GET, "/live/").status(), 404);
    }
}
