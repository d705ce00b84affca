//! `/v1/`: what is served, seen and changed over HTTP, as `openapi.json` describes it.

mod caller;
mod deploy;
mod logs;
mod routes;
mod top;

use super::answer::{self, Answer, JSON};
use crate::roster::{Refused, Steward, Why};
use crate::store::{Scope, Token, Tokens};
use caller::scope;
use http::header::{ALLOW, EXPECT};
use http::request::Parts;
use http::{HeaderValue, Request, StatusCode};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use routes::{Found, Operation, find};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::task::spawn_blocking;

/// The description, OpenAPI 3.1.
const DESCRIPTION: &str = include_str!("openapi.json");

/// Octets of a body that is not a component, and how long it may take.
const SMALL: usize = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(10);
/// Uploads and followed logs at a time. They take long, and others are to find a
/// connection.
const LONG: usize = 32;
/// What is read of a body that nobody wants, so that its sender sees the answer.
const UNWANTED: usize = 1 << 20;

/// The API of one server.
pub struct Api {
    /// None until apps are served.
    steward: OnceLock<Steward>,
    /// Octets of a component, at most.
    most: u64,
    long: Arc<Semaphore>,
    /// Components that are tried at a time.
    trials: Semaphore,
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
    note: String,
}

impl Api {
    /// One that takes components of `most` octets.
    pub fn new(most: u64) -> Arc<Self> {
        let trials = std::thread::available_parallelism().map_or(1, usize::from);
        Arc::new(Api {
            steward: OnceLock::new(),
            most,
            long: Arc::new(Semaphore::new(LONG)),
            trials: Semaphore::new(trials),
        })
    }

    /// Apps are served, and `steward` changes them.
    pub fn serving(&self, steward: Steward) {
        // There is one in a process.
        let _ = self.steward.set(steward);
    }

    /// The answer to a request for a path below `/v1/`. `is_local` says whether it
    /// came over a Unix socket, whose file says who may connect.
    pub async fn answer(&self, request: Request<Incoming>, is_local: bool) -> Answer {
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
            .operate(operation, &names, &head, &mut body, is_local)
            .await
        {
            Ok(answer) => answer,
            Err(refused) => {
                discard(&head, body).await;
                answer::refused(&refused)
            }
        }
    }

    async fn operate(
        &self,
        operation: Operation,
        names: &[String],
        head: &Parts,
        body: &mut Incoming,
        is_local: bool,
    ) -> Result<Answer, Refused> {
        if operation == Operation::Describe {
            return Ok(answer::page(StatusCode::OK, JSON, DESCRIPTION));
        }
        if operation == Operation::Top && self.steward.get().is_none() {
            // There is one app, which /metrics shows to whoever can ask.
            return Ok(answer::value(StatusCode::OK, &top::top(&Scope::All)));
        }
        let Some(steward) = self.steward.get().cloned() else {
            let text = "it is starting, or serves an app of its command line, which cannot be changed; ask again, or start it with --state DIR";
            return Err(Refused::new(Why::NotNow, text));
        };
        let scope = scope(&head.headers, is_local, steward.tokens())?;
        let name = names.first().cloned().unwrap_or_default();
        let done = match operation {
            Operation::Describe => unreachable!("it is answered"),
            Operation::ListApps => {
                blocking(move || Ok(json!({ "apps": steward.list(&scope) }))).await?
            }
            Operation::ShowApp => blocking(move || steward.show(&scope, &name)).await?,
            Operation::Deploy => {
                let done = self.deploy(steward, scope, name, head, body).await?;
                return Ok(answer::value(StatusCode::CREATED, &done));
            }
            Operation::RollBack => {
                let RollBack { version } = small(body).await?;
                let _place = self.trial().await?;
                blocking(move || steward.roll_back(&scope, &name, version)).await?
            }
            Operation::Enable | Operation::Disable => {
                let is_enabled = operation == Operation::Enable;
                blocking(move || steward.enable(&scope, &name, is_enabled)).await?
            }
            Operation::Delete => {
                blocking(move || {
                    steward.delete(&scope, &name)?;
                    Ok(json!({ "app": name, "deleted": true }))
                })
                .await?
            }
            Operation::Top => blocking(move || Ok(top::top(&scope))).await?,
            Operation::Logs => return self.logs(steward, scope, name, head).await,
            Operation::ListTokens => {
                for_all(&scope)?;
                let all = steward.tokens().map(Tokens::all);
                let all: Vec<Value> = all.unwrap_or_default().iter().map(listed).collect();
                json!({ "tokens": all })
            }
            Operation::MakeToken => {
                for_all(&scope)?;
                let MakeToken { tenant, note } = small(body).await?;
                let made = blocking(move || steward.make_token(tenant.as_deref(), &note)).await?;
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

    /// A place among those that take long.
    fn long(&self) -> Result<OwnedSemaphorePermit, Refused> {
        self.long.clone().try_acquire_owned().map_err(|_| {
            let text = "too many deploys and followed logs at a time; ask again in a moment";
            Refused::new(Why::TooMuch, text)
        })
    }

    /// A place among those that compile.
    async fn trial(&self) -> Result<SemaphorePermit<'_>, Refused> {
        let place = self.trials.acquire().await;
        place.map_err(|_| Refused::new(Why::NotNow, "it is stopping; ask again in a moment"))
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
async fn small<T: DeserializeOwned + Default>(body: &mut Incoming) -> Result<T, Refused> {
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
