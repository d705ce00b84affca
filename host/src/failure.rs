//! Everything that can end a request badly, and the one place that says what
//! the client is told, and what the log is.

mod limit;

pub use limit::{Limit, LimitReached, Octets};

use crate::backtrace::Backtrace;
use crate::gate::Refusal;
use crate::gateway::{ExcInfo, Failure as Reported, InputError, OutputError};
use crate::hit::Hit;
use crate::metrics::{self, Event};
use crate::output::Fault;
use crate::settings::UnknownHost;
use http::header::{CONNECTION, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Why a request failed.
#[derive(Debug)]
pub enum Cause {
    /// No app is mounted at this path.
    NotMounted,
    /// No app has this host.
    UnknownHost(UnknownHost),
    /// The host is another tenant's than the one that the client named in TLS.
    OtherTenant,
    /// Other apps have all sandboxes of this size.
    NoSandbox,
    /// The app's tenant has its share of the sandboxes of this size.
    NoShare,
    /// There is no app yet: the crate it is to be built from does not build.
    NotBuilt,
    /// The app whose host and mount it is is disabled, or cannot be served.
    NotServed,
    /// The app cannot be loaded, and why.
    NotLoaded(Arc<str>),
    /// The app runs as many requests as it may, and no more can wait.
    Overloaded,
    /// A place did not become free in time.
    QueueTimeout(Duration),
    /// One of these two, of all apps of the tenant called so.
    Tenant(Arc<str>, Box<Cause>),
    /// The request announced a larger body than the app takes, in octets.
    RequestTooLarge(u64),
    /// The sandbox could not be made.
    NotStarted(String),
    /// The guest reached a limit, and where it was then, if that is known.
    Limit(Limit, Backtrace),
    /// The guest trapped: what the trap was, and where, one frame a line.
    Trap {
        /// What wasmtime calls the trap.
        reason: String,
        /// The guest's frames; may be empty.
        backtrace: Backtrace,
        /// A limit that the guest met before, which is most likely why.
        limit: Option<Limit>,
    },
    /// The guest was refused what all sandboxes have together, and then failed like this.
    Refused(Limit, Box<Cause>),
    /// The guest called `exit` instead of answering.
    Exited(i32),
    /// `handle` returned without having called `start-response`.
    NoAnswer,
    /// `handle` returned an error.
    Reported(Reported),
    /// The guest broke the rules of `start-response`.
    Fault(Fault),
    /// The guest wrote less than its Content-Length; so many octets are missing.
    Missing(u64),
}

impl Cause {
    /// What the client gets, as long as no headers have left.
    pub fn status(&self) -> StatusCode {
        match self {
            Cause::NotMounted | Cause::UnknownHost(UnknownHost::NotFound) => StatusCode::NOT_FOUND,
            Cause::UnknownHost(UnknownHost::Misdirected) | Cause::OtherTenant => {
                StatusCode::MISDIRECTED_REQUEST
            }
            // It is this tenant that asks for too much, not the host that has too little.
            Cause::Tenant(..) | Cause::NoShare => StatusCode::TOO_MANY_REQUESTS,
            Cause::NotBuilt
            | Cause::NotServed
            | Cause::NotLoaded(_)
            | Cause::Overloaded
            | Cause::QueueTimeout(_)
            | Cause::NoSandbox => StatusCode::SERVICE_UNAVAILABLE,
            Cause::RequestTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Cause::Limit(limit, _) | Cause::Refused(limit, _) => limit.status(),
            Cause::Trap {
                limit: Some(limit), ..
            } => limit.status(),
            Cause::Reported(Reported::Input(InputError::Incomplete)) => StatusCode::BAD_REQUEST,
            Cause::Reported(Reported::Input(InputError::TooLarge(_))) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Cause::Reported(Reported::Input(InputError::TimedOut)) => StatusCode::REQUEST_TIMEOUT,
            Cause::NotStarted(_)
            | Cause::Trap { limit: None, .. }
            | Cause::Exited(_)
            | Cause::NoAnswer
            | Cause::Reported(Reported::Exception(_) | Reported::Output(_))
            | Cause::Fault(_)
            | Cause::Missing(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }
}

impl Cause {
    /// Counts it, but for what was counted when it happened, or is nobody's
    /// failure.
    pub fn count(&self) {
        if let Some(event) = self.event() {
            metrics::count(event);
        }
    }

    fn event(&self) -> Option<Event> {
        match self {
            Cause::NotMounted
            | Cause::UnknownHost(_)
            | Cause::OtherTenant
            | Cause::NotBuilt
            | Cause::NotServed
            | Cause::Reported(Reported::Input(_)) => None,
            Cause::Tenant(_, cause) => cause.event(),
            Cause::RequestTooLarge(_) => Some(Event::BodyTooLarge),
            Cause::Overloaded | Cause::NoSandbox | Cause::NoShare => Some(Event::Overloaded),
            Cause::QueueTimeout(_) => Some(Event::QueueTimeout),
            Cause::Limit(limit, _)
            | Cause::Refused(limit, _)
            | Cause::Trap {
                limit: Some(limit), ..
            } => Some(limit.event()),
            Cause::Fault(Fault::TooLarge(_))
            | Cause::Reported(Reported::Output(OutputError::TooLarge(_))) => {
                Some(Event::ResponseBody)
            }
            _ => Some(Event::AppFailed),
        }
    }

    /// What the app's ledger says of it; nothing where it is nobody's failure.
    pub fn hit(&self) -> Option<Hit> {
        match self {
            Cause::NotMounted
            | Cause::UnknownHost(_)
            | Cause::OtherTenant
            | Cause::NotBuilt
            | Cause::NotServed
            | Cause::Reported(Reported::Input(InputError::Incomplete | InputError::TimedOut)) => {
                None
            }
            Cause::Tenant(_, cause) => match cause.hit()? {
                Hit::Queue => Some(Hit::TenantQueue),
                Hit::QueueTimeout => Some(Hit::TenantQueueTimeout),
                other => Some(other),
            },
            Cause::RequestTooLarge(_) | Cause::Reported(Reported::Input(_)) => {
                Some(Hit::RequestBody)
            }
            Cause::Overloaded => Some(Hit::Queue),
            Cause::NoSandbox | Cause::NoShare => Some(Hit::NoSandbox),
            Cause::QueueTimeout(_) => Some(Hit::QueueTimeout),
            Cause::Limit(limit, _)
            | Cause::Refused(limit, _)
            | Cause::Trap {
                limit: Some(limit), ..
            } => Some(limit.hit()),
            Cause::Fault(Fault::TooLarge(_))
            | Cause::Reported(Reported::Output(OutputError::TooLarge(_))) => {
                Some(Hit::ResponseBody)
            }
            _ => Some(Hit::App),
        }
    }

    /// Whether what it says is the guest's own text, as long as the guest likes.
    pub fn is_told(&self) -> bool {
        match self {
            Cause::Reported(Reported::Exception(_)) => true,
            Cause::Refused(_, then) | Cause::Tenant(_, then) => then.is_told(),
            _ => false,
        }
    }

    /// Where the guest was.
    pub fn backtrace(&self) -> Option<&Backtrace> {
        match self {
            Cause::Limit(_, backtrace) | Cause::Trap { backtrace, .. } => Some(backtrace),
            _ => None,
        }
    }
}

impl fmt::Display for Cause {
    /// For the log, never for the client.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::NotMounted => f.write_str("no app is mounted at this path"),
            Cause::UnknownHost(_) => f.write_str("no app has this host (hosts, unknown-host)"),
            Cause::OtherTenant => f.write_str(
                "the host is another tenant's than the one that the client named in TLS",
            ),
            Cause::Tenant(name, cause) => write!(f, "tenant {name}: {cause}"),
            Cause::NoSandbox => f.write_str(
                "overloaded: apps have all sandboxes of this size together; \
                 give each tenant less (--concurrency)",
            ),
            Cause::NoShare => f.write_str(
                "overloaded: its tenant has its share of the sandboxes of this size, and others are \
                 to find some; let it wait with less (--concurrency)",
            ),
            Cause::NotBuilt => {
                f.write_str("the app does not build yet; a browser shows why (--watch)")
            }
            Cause::NotServed => f.write_str(
                "the app of this host and path is disabled or cannot be served (rhost apps)",
            ),
            Cause::NotLoaded(why) => write!(f, "the app cannot be loaded: {why}"),
            Cause::Overloaded => f.write_str(
                "overloaded: every place is taken and the queue is full (--concurrency, --queue)",
            ),
            Cause::QueueTimeout(time) => write!(
                f,
                "overloaded: no place became free within {} (--concurrency, --queue-timeout)",
                humantime::format_duration(*time)
            ),
            Cause::RequestTooLarge(limit) => {
                write!(
                    f,
                    "request body larger than {} (--max-request-body)",
                    Octets(*limit)
                )
            }
            Cause::NotStarted(reason) => write!(f, "the sandbox could not be started: {reason}"),
            Cause::Limit(limit, backtrace) => {
                limit.fmt(f)?;
                frames(f, backtrace)
            }
            Cause::Trap {
                reason,
                backtrace,
                limit,
            } => {
                if let Some(limit) = limit {
                    write!(f, "{limit}, then the guest ")?;
                }
                write!(f, "trapped: {reason}")?;
                frames(f, backtrace)
            }
            Cause::Refused(limit, then) => write!(f, "{limit}; then: {then}"),
            Cause::Exited(code) => write!(
                f,
                "the guest called exit({code}) instead of returning from handle"
            ),
            Cause::NoAnswer => f.write_str("handle returned without having called start-response"),
            Cause::Reported(Reported::Exception(exception)) => {
                let ExcInfo {
                    kind,
                    message,
                    traceback,
                } = exception;
                write!(f, "{kind}: {message}")?;
                if !traceback.as_str().is_empty() {
                    write!(f, "\n{}", traceback.to_string().trim_end())?;
                }
                Ok(())
            }
            Cause::Reported(Reported::Input(error)) => match error {
                InputError::Incomplete => f.write_str("the request's body ended early"),
                InputError::TooLarge(limit) => {
                    write!(
                        f,
                        "request body larger than {} (--max-request-body)",
                        Octets(*limit)
                    )
                }
                InputError::TimedOut => f.write_str("the client stopped sending (--body-timeout)"),
            },
            Cause::Reported(Reported::Output(error)) => match error {
                OutputError::Closed => {
                    f.write_str("the response was closed while the app was writing")
                }
                OutputError::TooLarge(limit) => Limit::ResponseBody(*limit).fmt(f),
                OutputError::Superseded => f.write_str(
                    "the app wrote to an output that a later start-response had replaced",
                ),
            },
            Cause::Fault(Fault::StartedTwice) => {
                f.write_str("start-response was called twice, the second time without exc-info")
            }
            Cause::Fault(Fault::StartedAfterHeaders) => {
                f.write_str("start-response was called with exc-info after the headers had left")
            }
            Cause::Fault(Fault::TooLarge(limit)) => Limit::ResponseBody(*limit).fmt(f),
            Cause::Missing(octets) => {
                write!(
                    f,
                    "the app wrote {octets} bytes less than its Content-Length"
                )
            }
        }
    }
}

fn frames(f: &mut fmt::Formatter<'_>, backtrace: &Backtrace) -> fmt::Result {
    match backtrace.is_empty() {
        true => Ok(()),
        false => write!(f, "\n{backtrace}"),
    }
}

/// The page that a client sees. It says what happened in HTTP's own words and
/// how to find the rest in the log, and nothing about the app.
pub fn page(status: StatusCode, request_id: &str) -> String {
    explained(status, "", request_id)
}

/// The answer to a request that did not pass the gate, over which its connection
/// ends. It says what was wrong: that is the client's own doing, and nothing of
/// an app's.
pub fn refused(refusal: Refusal, request_id: &str) -> Response<String> {
    let status = refusal.status();
    let why = format!("<p>{}</p>\n", refusal.reason());
    let mut answer = Response::new(explained(status, &why, request_id));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(CONTENT_TYPE, html);
    answer
}

fn explained(status: StatusCode, why: &str, request_id: &str) -> String {
    let phrase = status.canonical_reason().unwrap_or("Error");
    let code = status.as_u16();
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>{code} {phrase}</title></head>\n\
         <body>\n<h1>{code} {phrase}</h1>\n{why}<p>Request {request_id}</p>\n</body>\n</html>\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backtrace::Call;

    #[test]
    fn a_limit_names_its_setting() {
        let cause = Cause::Limit(Limit::Cpu(Duration::from_millis(50)), Backtrace::default());
        assert_eq!(cause.to_string(), "CPU limit of 50ms reached (--cpu)");
        assert_eq!(cause.status(), StatusCode::GATEWAY_TIMEOUT);
    }

    #[test]
    fn the_page_tells_nothing_of_the_app() {
        let cause = Cause::Trap {
            reason: "secret".into(),
            backtrace: Backtrace::of([Call {
                name: Some("secret"),
                index: 0,
                place: None,
            }]),
            limit: None,
        };
        let page = page(cause.status(), "cafe");
        assert!(page.contains("500 Internal Server Error") && page.contains("cafe"));
        assert!(!page.contains("secret"));
    }
}
