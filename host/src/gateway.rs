//! The contract's types on the host's side: what `wit/gateway.wit` declares, as
//! Rust values that cross into and out of a guest's memory.
//!
//! They are written by hand, rather than generated, so that an environ can
//! borrow from the request it describes: nothing is copied on its way into the
//! guest but by the copy into the guest itself.

use crate::arguments::Text;
use wasmtime::component::{ComponentType, Lift, Lower};

/// The interface that a guest imports: `start-response`, `input`, `output`.
pub const SERVER: &str = "rhost:gateway/server@0.1.0";
/// The interface of data types, which a guest may import by itself.
pub const TYPES: &str = "rhost:gateway/types@0.1.0";
/// The interface that a guest exports.
pub const APP: &str = "rhost:gateway/app@0.1.0";
/// The function in [`APP`] that answers a request.
pub const HANDLE: &str = "handle";

/// The `environ` record (PEP 3333, "environ Variables"). The WIT file says what
/// each member means; the order of the members is part of the contract.
#[derive(ComponentType, Lower, Debug)]
#[component(record)]
#[allow(missing_docs, reason = "gateway.wit documents each member")]
pub struct Environ<'a> {
    #[component(name = "request-method")]
    pub request_method: &'a str,
    #[component(name = "script-name")]
    pub script_name: &'a str,
    #[component(name = "path-info")]
    pub path_info: &'a [u8],
    #[component(name = "query-string")]
    pub query_string: &'a str,
    #[component(name = "request-uri")]
    pub request_uri: &'a str,
    #[component(name = "content-type")]
    pub content_type: Option<&'a str>,
    #[component(name = "content-length")]
    pub content_length: Option<u64>,
    #[component(name = "server-name")]
    pub server_name: &'a str,
    #[component(name = "server-port")]
    pub server_port: u16,
    #[component(name = "server-protocol")]
    pub server_protocol: &'a str,
    #[component(name = "server-software")]
    pub server_software: &'a str,
    #[component(name = "url-scheme")]
    pub url_scheme: &'a str,
    #[component(name = "remote-addr")]
    pub remote_addr: &'a str,
    #[component(name = "remote-port")]
    pub remote_port: u16,
    pub headers: &'a [(&'a str, &'a [u8])],
    pub multithread: bool,
    pub multiprocess: bool,
    #[component(name = "run-once")]
    pub run_once: bool,
    #[component(name = "request-id")]
    pub request_id: &'a str,
    pub extensions: &'a [(&'a str, &'a str)],
}

/// An exception as a guest reports it (PEP 3333's `exc_info`), cut off where it is longer
/// than anyone reads.
#[derive(ComponentType, Lift, Debug, Clone)]
#[component(record)]
pub struct ExcInfo {
    /// Its type.
    pub kind: Text<1024>,
    /// What it says.
    pub message: Text<{ 16 << 10 }>,
    /// One frame a line; may be empty.
    pub traceback: Text<{ 64 << 10 }>,
}

/// Why a response field was refused.
#[derive(ComponentType, Lower, Debug, Clone, Copy, PartialEq, Eq)]
#[component(enum)]
#[repr(u8)]
#[allow(missing_docs, reason = "gateway.wit documents each case")]
pub enum FieldFault {
    #[component(name = "invalid-name")]
    InvalidName,
    #[component(name = "invalid-value")]
    InvalidValue,
    #[component(name = "hop-by-hop")]
    HopByHop,
    #[component(name = "content-length")]
    ContentLength,
}

/// A refused field, by its place in the list.
#[derive(ComponentType, Lower, Debug, Clone, Copy, PartialEq, Eq)]
#[component(record)]
pub struct InvalidField {
    /// Counted from 0.
    pub index: u32,
    /// The rule that it breaks.
    pub fault: FieldFault,
}

/// Why `start-response` refused.
#[derive(ComponentType, Lower, Debug, Clone, Copy, PartialEq, Eq)]
#[component(variant)]
#[allow(missing_docs, reason = "gateway.wit documents each case")]
pub enum StartError {
    #[component(name = "invalid-status")]
    InvalidStatus(u16),
    #[component(name = "invalid-header")]
    InvalidHeader(InvalidField),
    #[component(name = "headers-too-large")]
    HeadersTooLarge(u64),
    #[component(name = "already-started")]
    AlreadyStarted,
    #[component(name = "headers-sent")]
    HeadersSent,
}

/// Why `input.read` gave no block.
#[derive(ComponentType, Lower, Lift, Debug, Clone, Copy, PartialEq, Eq)]
#[component(variant)]
#[allow(missing_docs, reason = "gateway.wit documents each case")]
pub enum InputError {
    #[component(name = "incomplete")]
    Incomplete,
    #[component(name = "too-large")]
    TooLarge(u64),
    #[component(name = "timed-out")]
    TimedOut,
}

/// Why `output.write` took nothing.
#[derive(ComponentType, Lower, Lift, Debug, Clone, Copy, PartialEq, Eq)]
#[component(variant)]
#[allow(missing_docs, reason = "gateway.wit documents each case")]
pub enum OutputError {
    #[component(name = "closed")]
    Closed,
    #[component(name = "too-large")]
    TooLarge(u64),
    #[component(name = "superseded")]
    Superseded,
}

/// Why `handle` failed, in the guest's own words.
#[derive(ComponentType, Lift, Debug, Clone)]
#[component(variant)]
#[allow(missing_docs, reason = "gateway.wit documents each case")]
pub enum Failure {
    #[component(name = "exception")]
    Exception(ExcInfo),
    #[component(name = "input")]
    Input(InputError),
    #[component(name = "output")]
    Output(OutputError),
}
