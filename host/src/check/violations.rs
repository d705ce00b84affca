//! What the host saw an app do, as breaches of rules.

use super::rules::{Rule, gateway as rules, http};
use crate::failure::{Cause, Limit};
use crate::gateway::{Failure, FieldFault, OutputError, StartError};
use crate::observer::Event;
use crate::output::Fault;

/// The rule that `event` breaks, and how; none where it breaks none by itself.
pub fn of(event: &Event<'_>) -> Option<(&'static Rule, String)> {
    Some(match event {
        Event::Failed(cause) => (of_failure(cause)?, cause.to_string()),
        Event::NotStarted(error, field) => of_start(*error, *field)?,
        Event::NotWritten(OutputError::Superseded) => (
            &rules::SUPERSEDED,
            "a block was written to an output that a later start-response had replaced".into(),
        ),
        Event::Beyond(octets) => (
            &rules::BEYOND,
            format!("{octets} octets beyond Content-Length were cut off"),
        ),
        Event::NoBody(status, octets) => (
            &http::NO_BODY,
            format!(
                "{octets} octets were written under {}, and dropped",
                status.as_u16()
            ),
        ),
        Event::LineDropped => (
            &rules::LOG,
            "lines were dropped, since it printed more than its share (--log-rate)".into(),
        ),
        // `of_failure` has what comes of these.
        Event::NotRead(_) | Event::NotWritten(_) | Event::Printed(_) => return None,
    })
}

fn of_failure(cause: &Cause) -> Option<&'static Rule> {
    Some(match cause {
        Cause::NoAnswer => &rules::NO_START,
        Cause::Fault(Fault::StartedTwice) => &rules::START_TWICE,
        Cause::Fault(Fault::StartedAfterHeaders) => &rules::START_LATE,
        Cause::Fault(Fault::TooLarge(_)) => &rules::BODY_SIZE,
        Cause::Missing(_) => &rules::MISSING,
        Cause::Limit(Limit::Cpu(_) | Limit::Wall(_), _) => &rules::TIME,
        Cause::Limit(Limit::ResponseBody(_), _) => &rules::BODY_SIZE,
        Cause::Limit(
            Limit::Memory(_) | Limit::Table(_) | Limit::SandboxMemory(_) | Limit::OpenFiles(_),
            _,
        )
        | Cause::Refused(..) => &rules::SPACE,
        Cause::Limit(Limit::Stack(_) | Limit::Arguments(_), _) => &rules::TRAP,
        Cause::Trap { limit: Some(_), .. } => &rules::SPACE,
        Cause::Trap { limit: None, .. } => &rules::TRAP,
        Cause::Exited(_) => &rules::EXIT,
        Cause::NotStarted(_) => &rules::NOT_STARTED,
        Cause::Reported(Failure::Exception(_)) => &rules::EXCEPTION,
        Cause::Reported(Failure::Output(OutputError::TooLarge(_))) => &rules::BODY_SIZE,
        Cause::Reported(Failure::Output(OutputError::Superseded)) => &rules::SUPERSEDED,
        // To give up on a body that cannot be read whole is what it should do, and
        // to give up writing where nobody reads.
        Cause::Reported(Failure::Input(_) | Failure::Output(OutputError::Closed)) => return None,
        // The host's own answers, in which no app has a part.
        Cause::NotMounted
        | Cause::UnknownHost(_)
        | Cause::OtherTenant
        | Cause::Tenant(..)
        | Cause::NoSandbox
        | Cause::NoShare
        | Cause::NotBuilt
        | Cause::NotServed
        | Cause::NotLoaded(_)
        | Cause::Overloaded
        | Cause::QueueTimeout(_)
        | Cause::RequestTooLarge(_) => return None,
    })
}

fn of_start(error: StartError, field: Option<&str>) -> Option<(&'static Rule, String)> {
    let field = field.unwrap_or_default();
    Some(match error {
        StartError::InvalidStatus(status) => (
            &rules::STATUS,
            format!("start-response was called with the status {status}, and refused"),
        ),
        StartError::InvalidHeader(at) => {
            let rule = match at.fault {
                FieldFault::InvalidName => &rules::FIELD_NAME,
                FieldFault::InvalidValue => &rules::FIELD_VALUE,
                FieldFault::HopByHop => &rules::HOP_BY_HOP,
                FieldFault::ContentLength => &rules::LENGTH_FIELD,
            };
            let what = format!("start-response was called with the field {field:?}, and refused");
            (rule, what)
        }
        StartError::HeadersTooLarge(limit) => (
            &rules::FIELDS_SIZE,
            format!("start-response was refused: the fields are beyond {limit}"),
        ),
        // These end the request; its failure is told by itself.
        StartError::AlreadyStarted | StartError::HeadersSent => return None,
    })
}
