//! What can be asked of the admin listener.

use super::Health;
use super::answer::{self, Answer, JSON};
use super::api::Api;
use crate::exposition;
use http::header::ALLOW;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use std::sync::Arc;

/// What is shown, and what it is made from.
pub struct Pages {
    health: Health,
    /// What may be changed.
    api: Option<Arc<Api>>,
}

impl Pages {
    /// Pages about `health`, and the metrics of the process.
    pub fn new(health: Health) -> Self {
        Pages { health, api: None }
    }

    /// The same, and below `/v1/` what `api` answers.
    pub fn with_api(self, api: Arc<Api>) -> Self {
        Pages {
            api: Some(api),
            ..self
        }
    }

    /// The answer to a request; `is_local` says whether it came over a Unix socket.
    pub async fn ask(&self, request: Request<Incoming>, is_local: bool) -> Answer {
        match &self.api {
            Some(api) if request.uri().path().starts_with("/v1/") => {
                api.answer(request, is_local).await
            }
            _ => self.answer(request.method(), request.uri().path()),
        }
    }

    /// The answer to a request for a page. HEAD is answered as GET is; the body is not
    /// sent.
    pub fn answer(&self, method: &Method, path: &str) -> Answer {
        let (status, kind, body) = match path {
            "/live" => (StatusCode::OK, JSON, json!({ "live": true }).to_string()),
            "/ready" => self.ready(),
            "/metrics" => (
                StatusCode::OK,
                exposition::CONTENT_TYPE,
                exposition::render(),
            ),
            _ => {
                let error = match self.api {
                    Some(_) => {
                        "there is no such page; ask for /live, /ready, /metrics or /v1/openapi.json"
                    }
                    None => "there is no such page; ask for /live, /ready or /metrics",
                };
                let error = json!({ "error": error });
                (StatusCode::NOT_FOUND, JSON, error.to_string())
            }
        };
        let is_asked_for = [Method::GET, Method::HEAD].contains(method);
        if !is_asked_for && status != StatusCode::NOT_FOUND {
            let error = json!({ "error": "it can be read only; use GET or HEAD" });
            let mut response =
                answer::page(StatusCode::METHOD_NOT_ALLOWED, JSON, error.to_string());
            let allowed = HeaderValue::from_static("GET, HEAD");
            response.headers_mut().insert(ALLOW, allowed);
            return response;
        }
        answer::page(status, kind, body)
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

#[cfg(test)]
mod tests {
    use super::*;
    use http::header::CONTENT_TYPE;
    use http_body_util::BodyExt;

    async fn text(response: Answer) -> String {
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
