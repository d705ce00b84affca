//! What can be asked of the admin listener.

use super::Health;
use super::answer::{self, Answer, JSON};
use super::api::Api;
use super::lobby::Visit;
use super::own_host;
use super::places::Errand;
use crate::exposition::{self, Seen};
use crate::roster::Refused;
use http::header::{ALLOW, AUTHORIZATION};
use http::request::Parts;
use http::{HeaderValue, Method, Request, StatusCode};
use hyper::body::Incoming;
use serde_json::json;
use std::sync::Arc;

/// What is shown, and what it is made from.
pub struct Pages {
    health: Health,
    /// What may be changed.
    api: Arc<Api>,
    /// Whether every client of this machine is shown what tenants used.
    is_public: bool,
}

impl Pages {
    /// Pages about `health`, the metrics of the process, and below `/v1/` what `api`
    /// answers.
    pub fn new(health: Health, api: Arc<Api>) -> Self {
        Pages {
            health,
            api,
            is_public: false,
        }
    }

    /// The same; with `is_public` the metrics of all tenants are shown over TCP to
    /// whoever asks.
    pub fn with_public_metrics(self, is_public: bool) -> Self {
        Pages { is_public, ..self }
    }

    /// The answer to a request; `is_local` says whether it came over a Unix socket, and
    /// `visit` is its connection's.
    pub(super) async fn ask(
        &self,
        request: Request<Incoming>,
        is_local: bool,
        visit: &Visit,
    ) -> Answer {
        let is_read = [Method::GET, Method::HEAD].contains(request.method());
        match request.uri().path() {
            path if path.starts_with("/v1/") => self.api.answer(request, is_local, visit).await,
            "/metrics" if is_read => {
                let (head, _) = request.into_parts();
                let shown = self.metrics(&head, is_local, visit).await;
                shown.unwrap_or_else(|refused| answer::refused(&refused))
            }
            path => self.answer(request.method(), path),
        }
    }

    /// What was counted, as far as it is for who asks.
    async fn metrics(
        &self,
        head: &Parts,
        is_local: bool,
        visit: &Visit,
    ) -> Result<Answer, Refused> {
        let seen = match self.api.caller(&head.headers, is_local) {
            Ok(caller) => {
                self.api.let_in(&caller, Errand::Short, visit).await?;
                caller.scope.into()
            }
            Err(refused) if head.headers.contains_key(AUTHORIZATION) => return Err(refused),
            Err(_) => {
                own_host::check(head)?;
                match self.is_public {
                    true => Seen::All,
                    false => Seen::NoTenant,
                }
            }
        };
        let text = self.api.rendered(seen).await?;
        Ok(answer::page(StatusCode::OK, exposition::CONTENT_TYPE, text))
    }

    /// The answer to a request for a page. HEAD is answered as GET is; the body is not
    /// sent.
    pub fn answer(&self, method: &Method, path: &str) -> Answer {
        let (status, kind, body) = match path {
            "/live" => (StatusCode::OK, JSON, json!({ "live": true }).to_string()),
            "/ready" => self.ready(),
            // To read it is answered elsewhere.
            "/metrics" => (StatusCode::OK, JSON, String::new()),
            _ => {
                let error =
                    "there is no such page; ask for /live, /ready, /metrics or /v1/openapi.json";
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
    use http_body_util::BodyExt;

    async fn text(response: Answer) -> String {
        let body = response.into_body().collect().await.unwrap().to_bytes();
        String::from_utf8(body.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn it_is_ready_when_there_is_an_app_and_not_while_it_drains() {
        let health = Health::default();
        let pages = Pages::new(health.clone(), Api::new(0));
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
    async fn what_else_is_asked_is_told_apart() {
        let pages = Pages::new(Health::default(), Api::new(0));
        let posted = pages.answer(&Method::POST, "/live");
        assert_eq!(posted.status(), 405);
        assert_eq!(pages.answer(&Method::POST, "/metrics").status(), 405);
        assert_eq!(posted.headers()[ALLOW], "GET, HEAD");
        assert_eq!(pages.answer(&Method::POST, "/").status(), 404);
        assert_eq!(pages.answer(&Method::GET, "/live/").status(), 404);
    }
}
