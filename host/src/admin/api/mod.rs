//! `/v1/`: what is served, seen and changed over HTTP, as `openapi.json` describes it.

mod caller;
mod deploy;
mod logs;
mod routes;
mod top;

use super::answer::{self, Answer, JSON};
use super::lobby::Visit;
use super::own_host;
use super::places::{Errand, Places};
use crate::exposition::{self, Seen};
use crate::roster::{Refused, Steward, Why};
use crate::settings::ApiQuota;
use crate::store::{Scope, Token, Tokens};
pub(super) use caller::Caller;
pub use deploy::settings;
use http::header::{ALLOW, EXPECT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use routes::{Found, Operation, find};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::spawn_blocking;

/// The description, OpenAPI 3.1.
const DESCRIPTION: &str = include_str!("openapi.json");

/// Octets of a body that is not a component, and how long it may take.
const SMALL: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(10);
/// What is read of a body that nobody wants, so that its sender sees the answer.
const UNWANTED: usize = 1 << 20;

/// The API of one server.
pub struct Api {
    /// None until apps are served.
    steward: OnceLock<Steward>,
    /// Octets of a component, at most.
    most: u64,
    places: Places,
    /// Who renders metrics: one at a time, and the operator does not wait for others.
    rendering: [Semaphore; 2],
}

/// The body of `POST /v1/apps/{app}/rollback`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct RollBack {
    version: Option<u32>,
}

/// The body of `POST /v1/tokens`.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct MakeToken {
    tenant: Option<String>,
    #[serde(default)]
    all: bool,
    #[serde(default)]
    note: String,
}

impl Api {
    /// One that takes components of `most` octets.
    pub fn new(most: u64) -> Arc<Self> {
        Arc::new(Api {
            steward: OnceLock::new(),
            most,
            places: Places::default(),
            rendering: [Semaphore::new(1), Semaphore::new(1)],
        })
    }

    /// Apps are served, and `steward` changes them.
    pub fn serving(&self, steward: Steward) {
        // There is one in a process.
        let _ = self.steward.set(steward);
    }

    /// The answer to a request for a path below `/v1/`. `is_local` says whether it
    /// came over a Unix socket, whose file says who may connect.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        is_local: bool,
        visit: &Visit,
    ) -> Answer {
        let (head, mut body) = request.into_parts();
        let (operation, names) = match find(&head.method, head.uri.path()) {
            Found::Operation(operation, names) => (operation, names),
            Found::OtherMethods(allowed) => {
                discard(&head, body).await;
                let text = format!("it takes {allowed}");
                let mut answer =
                    answer::value(StatusCode::METHOD_NOT_ALLOWED, &json!({ "error": text }));
                if let Ok(allowed) = HeaderValue::try_from(allowed) {
                    answer.headers_mut().insert(ALLOW, allowed);
                }
                return answer;
            }
            Found::Nothing => {
                discard(&head, body).await;
                let text =
                    "there is no such path; GET /v1/openapi.json describes those that there are";
                return answer::refused(&Refused::new(Why::Missing, text));
            }
        };
        match self
            .operate(operation, &names, &head, &mut body, is_local, visit)
            .await
        {
            Ok(answer) => answer,
            Err(refused) => {
                discard(&head, body).await;
                answer::refused(&refused)
            }
        }
    }

    /// Whoever sent these fields.
    pub(super) fn caller(&self, headers: &HeaderMap, is_local: bool) -> Result<Caller, Refused> {
        let tokens = self.steward.get().and_then(Steward::tokens);
        Caller::of(headers, is_local, tokens)
    }

    /// Has a place for an errand of `caller`, until its visit ends.
    pub(super) async fn let_in(
        &self,
        caller: &Caller,
        errand: Errand,
        visit: &Visit,
    ) -> Result<(), Refused> {
        let scope = caller.scope.clone();
        let quota = match (self.steward.get().cloned(), &scope) {
            (Some(steward), Scope::Tenant(_)) => {
                blocking(move || Ok(steward.quota(&scope))).await?
            }
            _ => ApiQuota::default(),
        };
        visit.let_in(self.places.take(&caller.whose(), errand, &quota)?);
        Ok(())
    }

    /// The metrics that may be `seen`.
    pub(super) async fn rendered(&self, seen: Seen) -> Result<String, Refused> {
        let [operators, others] = &self.rendering;
        let turn = if seen == Seen::All { operators } else { others };
        let _turn = turn.acquire().await;
        blocking(move || Ok(exposition::render_for(&seen))).await
    }

    async fn operate(
        &self,
        operation: Operation,
        names: &[String],
        head: &Parts,
        body: &mut Incoming,
        is_local: bool,
        visit: &Visit,
    ) -> Result<Answer, Refused> {
        if operation == Operation::Describe {
            return Ok(answer::page(StatusCode::OK, JSON, DESCRIPTION));
        }
        let Some(steward) = self.steward.get().cloned() else {
            if operation == Operation::Top {
                return self.top_of_one(head, is_local).await;
            }
            let text = "it is starting, or serves an app of its command line, which cannot be changed; ask again, or start it with --state DIR";
            return Err(Refused::new(Why::NotNow, text));
        };
        let caller = self.caller(&head.headers, is_local)?;
        let errand = match operation {
            Operation::Deploy => Errand::Upload,
            Operation::Logs if logs::follows(head)? => Errand::Follow,
            _ => Errand::Short,
        };
        self.let_in(&caller, errand, visit).await?;
        let scope = caller.scope.clone();
        let name = names.first().cloned().unwrap_or_default();
        let done = match operation {
            Operation::Describe => unreachable!("it is answered"),
            Operation::ListApps => {
                blocking(move || Ok(json!({ "apps": steward.list(&scope) }))).await?
            }
            Operation::ShowApp => blocking(move || steward.show(&scope, &name)).await?,
            Operation::Deploy => {
                let done = self.deploy(steward, &caller, name, head, body).await?;
                return Ok(answer::value(StatusCode::CREATED, &done));
            }
            Operation::RollBack => {
                let RollBack { version } = small(&caller, body).await?;
                blocking(move || {
                    let _changing = steward.begin(&scope)?;
                    steward.roll_back(&scope, &name, version)
                })
                .await?
            }
            Operation::Enable | Operation::Disable => {
                let is_enabled = operation == Operation::Enable;
                blocking(move || {
                    let _changing = steward.begin(&scope)?;
                    steward.enable(&scope, &name, is_enabled)
                })
                .await?
            }
            Operation::Delete => {
                blocking(move || {
                    let _changing = steward.begin(&scope)?;
                    steward.delete(&scope, &name)?;
                    Ok(json!({ "app": name, "deleted": true }))
                })
                .await?
            }
            Operation::Top => blocking(move || Ok(top::top(&scope.into()))).await?,
            Operation::Logs => return logs::logs(steward, &caller, name, head).await,
            Operation::ListTokens => {
                for_all(&scope)?;
                let all = steward.tokens().map(Tokens::all);
                let all: Vec<Value> = all.unwrap_or_default().iter().map(listed).collect();
                json!({ "tokens": all })
            }
            Operation::MakeToken => {
                for_all(&scope)?;
                let asked: MakeToken = small(&caller, body).await?;
                let (scope, note) = (asked.scope()?, asked.note);
                let made = blocking(move || steward.make_token(&scope, &note)).await?;
                return Ok(answer::value(StatusCode::CREATED, &made));
            }
            Operation::RevokeToken => {
                for_all(&scope)?;
                blocking(move || {
                    steward.revoke_token(&name)?;
                    Ok(json!({ "id": name, "revoked": true }))
                })
                .await?
            }
        };
        Ok(answer::value(StatusCode::OK, &done))
    }

    /// What a server uses that has one app, which nobody changes: it shows that, as
    /// /metrics does, to whoever can ask.
    async fn top_of_one(&self, head: &Parts, is_local: bool) -> Result<Answer, Refused> {
        if !is_local {
            own_host::check(head)?;
        }
        // While it starts, others may be there that are tenants'.
        let seen = if is_local { Seen::All } else { Seen::NoTenant };
        let shown = blocking(move || Ok(top::top(&seen))).await?;
        Ok(answer::value(StatusCode::OK, &shown))
    }
}

impl MakeToken {
    /// What it is to be good for. A token for all is asked for in so many words: a tenant
    /// that was left out, or is null, may have been forgotten.
    fn scope(&self) -> Result<Scope, Refused> {
        match (&self.tenant, self.all) {
            (Some(tenant), false) => Ok(Scope::Tenant(tenant.clone())),
            (None, true) => Ok(Scope::All),
            (Some(_), true) => Err(Refused::new(
                Why::Wrong,
                "it is for a tenant or for all; leave out `tenant` or `all`",
            )),
            (None, false) => Err(Refused::new(
                Why::Wrong,
                "whose apps is it for? give {\"tenant\": \"NAME\"}, or {\"all\": true} for all apps of all tenants",
            )),
        }
    }
}

/// Whoever is for one tenant makes no tokens.
fn for_all(scope: &Scope) -> Result<(), Refused> {
    match scope {
        Scope::All => Ok(()),
        Scope::Tenant(_) => Err(Refused::new(
            Why::Forbidden,
            "a token of one tenant is not for tokens; ask on the admin socket, or with a token for all",
        )),
    }
}

fn listed(token: &Token) -> Value {
    let tenant = match &token.scope {
        Scope::All => None,
        Scope::Tenant(tenant) => Some(tenant),
    };
    json!({
        "id": token.id,
        "tenant": tenant,
        "note": token.note,
        "made": humantime::format_rfc3339_seconds(token.at).to_string(),
    })
}

/// What `work` comes to, on a thread that may be held up.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Refused> + Send + 'static,
) -> Result<T, Refused> {
    spawn_blocking(work).await.unwrap_or_else(|error| {
        tracing::error!("the admin API failed: {error}");
        Err(Refused::new(
            Why::Failed,
            "it failed; the server's log says more",
        ))
    })
}

/// A body of JSON; what it is without one if there is none.
async fn small<T: DeserializeOwned + Default>(
    caller: &Caller,
    body: &mut Incoming,
) -> Result<T, Refused> {
    let read = Limited::new(body, SMALL).collect();
    let octets = match tokio::time::timeout(PATIENCE, read).await {
        Err(_) => {
            return Err(Refused::new(
                Why::Late,
                "the body did not come; send it again",
            ));
        }
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return Err(Refused::new(
                Why::TooLarge,
                "the body is larger than 64 KiB",
            ));
        }
        Ok(Err(error)) => return Err(Refused::new(Why::Malformed, error.to_string())),
        Ok(Ok(body)) => body.to_bytes(),
    };
    caller.check()?;
    if octets.is_empty() {
        return Ok(T::default());
    }
    serde_json::from_slice(&octets).map_err(|error| {
        let text = format!(
            "the body is not what it should be: {error}; GET /v1/openapi.json describes it"
        );
        Refused::new(Why::Malformed, text)
    })
}

/// Reads the rest of a body, if its sender did not ask first whether it is wanted.
async fn discard(head: &Parts, mut body: Incoming) {
    if head.headers.contains_key(EXPECT) {
        return;
    }
    let read = async {
        let mut octets = 0;
        while octets < UNWANTED
            && let Some(Ok(frame)) = body.frame().await
        {
            octets += frame.data_ref().map_or(0, bytes::Bytes::len);
        }
    };
    let _ = tokio::time::timeout(Duration::from_secs(1), read).await;
}
