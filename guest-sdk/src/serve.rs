//! A response on its way to the server: `start-response`, then blocks.

use std::io;
use std::mem::ManuallyDrop;

use crate::error::input_error;
use crate::gateway::{
    self, ExcInfo, ExcInfoRef, Failure, FieldFault, HeaderRef, Output, OutputError, StartError,
};
use crate::log;
use crate::respond::{Payload, Response, Writer};
use crate::status::Status;

/// Who takes the response: the gateway, or a test that writes it down.
pub(crate) trait Server {
    type Output: Sink;

    fn start(
        &mut self,
        status: u16,
        fields: &[HeaderRef<'_>],
        exception: Option<ExcInfoRef<'_>>,
    ) -> Result<Self::Output, StartError>;
}

/// Who takes the blocks.
pub(crate) trait Sink {
    fn write(&mut self, block: &[u8]) -> Result<(), OutputError>;
}

/// The server on the other side of the gateway.
pub(crate) struct Gateway;

impl Server for Gateway {
    /// Never given back, as the input's handle is not.
    type Output = ManuallyDrop<Output>;

    fn start(
        &mut self,
        status: u16,
        fields: &[HeaderRef<'_>],
        exception: Option<ExcInfoRef<'_>>,
    ) -> Result<Self::Output, StartError> {
        gateway::start_response(status, fields, exception).map(ManuallyDrop::new)
    }
}

impl Sink for ManuallyDrop<Output> {
    fn write(&mut self, block: &[u8]) -> Result<(), OutputError> {
        Output::write(self, block)
    }
}

/// Begins a response and writes its body. `is_head` says that nobody will see
/// the body.
pub(crate) fn send<S: Server>(
    response: Response,
    is_head: bool,
    server: &mut S,
) -> Result<(), Failure> {
    let (status, fields, payload) = response.into_parts();
    let fields: Vec<HeaderRef<'_>> = fields
        .iter()
        .map(|(name, value)| (&**name, value.as_bytes()))
        .collect();
    let mut output = match server.start(status.code(), &fields, None) {
        Ok(output) => output,
        Err(error) => return refused(&error, status, &fields, server),
    };
    match payload {
        // An empty block would send nothing: the headers leave when `handle`
        // returns.
        Payload::Sized(octets) if octets.is_empty() => Ok(()),
        // To HEAD as well: the server drops the block, and says how long it was.
        Payload::Sized(octets) => output.write(&octets).map_err(Failure::Output),
        Payload::Stream(_) if is_head && announces_length(&fields) => Ok(()),
        Payload::Stream(write) => stream(write, &mut output),
    }
}

fn announces_length(fields: &[HeaderRef<'_>]) -> bool {
    fields
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("content-length"))
}

fn stream(
    write: impl FnOnce(&mut Writer<'_>) -> io::Result<()>,
    output: &mut impl Sink,
) -> Result<(), Failure> {
    let mut send = |block: &[u8]| output.write(block);
    let mut writer = Writer::new(&mut send);
    let written = write(&mut writer);
    // The gateway's own error says more than what became of it on its way here,
    // and holds even where the closure ignored it.
    if let Some(error) = writer.failure() {
        return Err(Failure::Output(error));
    }
    written.map_err(|error| match input_error(&error) {
        Some(error) => Failure::Input(error),
        None => Failure::Exception(ExcInfo {
            kind: "io::Error".into(),
            message: log::chain(&error),
            traceback: String::new(),
        }),
    })
}

/// Answers 500 in place of a response that the server refused. Nothing has
/// begun, and the exception is what the server logs.
#[cold]
#[inline(never)]
fn refused<S: Server>(
    error: &StartError,
    status: Status,
    fields: &[HeaderRef<'_>],
    server: &mut S,
) -> Result<(), Failure> {
    let message = explain(error, status, fields);
    let exception = ExcInfoRef {
        kind: "StartError",
        message: &message,
        traceback: "",
    };
    let headers = [("content-type", &b"text/plain; charset=utf-8"[..])];
    let page = Status::INTERNAL_SERVER_ERROR;
    let mut output = server
        .start(page.code(), &headers, Some(exception))
        .map_err(|_| {
            Failure::Exception(ExcInfo {
                kind: "StartError".into(),
                message: message.clone(),
                traceback: String::new(),
            })
        })?;
    output
        .write(page.page().as_bytes())
        .map_err(Failure::Output)
}

fn explain(error: &StartError, status: Status, fields: &[HeaderRef<'_>]) -> String {
    match error {
        StartError::InvalidStatus(_) => {
            format!(
                "the status {} of the response is not from 200 to 599",
                status.code()
            )
        }
        StartError::InvalidHeader(field) => {
            let name = fields
                .get(field.index as usize)
                .map_or("", |(name, _)| name);
            let fault = match field.fault {
                FieldFault::InvalidName => "its name is not a token",
                FieldFault::InvalidValue => "its value holds a control character",
                FieldFault::HopByHop => "it belongs to the connection, and thus to the server",
                FieldFault::ContentLength => "it is not a number, or differs from another one",
            };
            let name = name.as_bytes().escape_ascii();
            format!("the field `{name}` of the response was refused: {fault}")
        }
        StartError::HeadersTooLarge(limit) => {
            format!("the fields of the response pass the server's limit of {limit}")
        }
        StartError::AlreadyStarted | StartError::HeadersSent => {
            "the response was begun outside the handler's answer".into()
        }
    }
}
