//! rhost serves sandboxed web applications made as WebAssembly components. It
//! owns sockets, HTTP, limits and life cycles; the application owns the answer;
//! between them stands the gateway (`wit/gateway.wit`), which is the idea of PEP
//! 3333 (WSGI). Every request runs in a fresh sandbox.
//!
//! # Layout
//!
//! A request meets the modules in this order:
//!
//! 1. [`listener`]: the [`socket`]s, with a [`socket_file`] perhaps; accepts, as many
//!    as their [`quota`] allows, and stops accepting. It hands connections to a
//!    [`worker`], a thread for each core, which begins them with a [`handshake`]: that
//!    of [`tls`], and before it a [`proxy`]'s; and ends them by a [`drain`]. What anyone
//!    can have it log it tells [`rarely`].
//! 2. [`connection`]: one client and its [`requests`], HTTP/1.1 or HTTP/2 by hyper,
//!    whose part a [`conversation`] gives up while nothing is asked;
//!    [`stall`] gives up one that neither asks nor takes when its [`patience`] is at
//!    its end, [`http2_stream`] a stream of it, and by [`departure`] one that has
//!    left. The [`gate`] lets no request pass that others might read in another way.
//! 3. [`tenant`]: finds the app among those that are [`served`], by the [`routing`], and starts the [`trail`] that the request leaves
//!    in the logs, its line in the [`access_log`] among them. It goes on with the caller's trace
//!    ([`trace_context`]) or begins one, and a collector may get its span ([`spans`]). At its end
//!    the [`receipt`] of what it cost is entered in the app's [`ledger`]; who is trusted has it at
//!    once ([`server_timing`]). What [`development`]
//!    shows of an app and its failures, it shows here.
//! 4. [`tenancy`]: a place of its tenant's share, and [`admission`]: a place before a
//!    sandbox; overload queues, then sheds.
//! 5. [`environ`]: the head of the request as PEP 3333's record.
//! 6. [`sandbox`]: a fresh instance, with what [`capabilities`] lends it, within
//!    what [`meter`] counts; what all of them have together stands in the [`commons`], and what it asks of files is done by
//!    [`file_threads`]. Its [`arguments`] are measured before they are copied. It reads [`input`], and calls
//! 7. [`start_response`], which says what may be sent, and fills
//! 8. [`output`], the response in the making.
//! 9. [`guest`] polls the sandbox within its limits; those that run on take
//!    [`turn`]s. [`body`] is the response on its way out; of a guest that still runs when it
//!    begins it is [`streamed`], and the guest has a task of its own.
//!
//! Before any request: [`config`] reads and checks the file that says what is served, and
//! each file that it names as a [`regular_file`],
//! and [`deployment`] makes [`app`]s of it. What was deployed beside it is kept in a [`store`], and a
//! [`roster`] makes one change after the other; [`tails`] are the last lines of each. [`scaffold`] begins a crate, [`package`] builds it, for
//! production with a [`profile`] and [`strip`]ped, and [`python`] builds a WSGI
//! program; [`watch`] says when to build again. [`load`] reads a component whose [`imports`] are lent, a
//! [`compiler`] makes code of it, and [`compiled`] keeps that, each by its [`digest`]; [`inspect`] only looks.
//! [`components`] are shared by apps, and [`residency`] says who leaves memory for others; how much there is says
//! the [`machine`]. Beside all requests: by a [`handover`]
//! another process takes over, and [`admin`] says how the server is,
//! with an [`exposition`] of what was counted. Words that all
//! of them use: [`gateway`] (the contract's types), [`settings`], [`failure`], [`hit`], [`sections`] (of WebAssembly's files),
//! [`metrics`], [`backtrace`], [`printable`] (what strangers wrote), [`request_id`], [`log`], [`app_log`], [`log_share`], and [`observer`],
//! to whom [`check`] listens when it holds an app against the rules.

pub mod access_log;
pub mod admin;
pub mod admission;
pub mod app;
pub mod app_log;
pub mod arguments;
pub mod backtrace;
pub mod body;
pub mod capabilities;
pub mod check;
pub mod commons;
pub mod compiled;
pub mod compiler;
pub mod components;
pub mod config;
pub mod connection;
pub mod conversation;
pub mod departure;
pub mod deployment;
pub mod development;
pub mod digest;
pub mod drain;
pub mod environ;
pub mod exposition;
pub mod failure;
pub mod file_threads;
pub mod gate;
pub mod gateway;
pub mod guest;
pub mod handover;
pub mod handshake;
pub mod hit;
pub mod http2_stream;
pub mod imports;
pub mod input;
pub mod inspect;
pub mod ledger;
pub mod listener;
pub mod load;
pub mod log;
pub mod log_share;
pub mod machine;
pub mod meter;
pub mod metrics;
pub mod observer;
pub mod output;
pub mod package;
pub mod patience;
pub mod printable;
pub mod profile;
pub mod proxy;
pub mod python;
pub mod quota;
pub mod rarely;
pub mod receipt;
pub mod regular_file;
pub mod request_id;
pub mod requests;
pub mod residency;
pub mod roster;
pub mod routing;
pub mod sandbox;
pub mod scaffold;
pub mod sections;
pub mod served;
pub mod server_timing;
pub mod settings;
pub mod socket;
pub mod socket_file;
pub mod spans;
pub mod stall;
pub mod start_response;
pub mod store;
pub mod streamed;
pub mod strip;
pub mod tails;
pub mod tenancy;
pub mod tenant;
pub mod tls;
pub mod trace_context;
pub mod trail;
pub mod turn;
pub mod watch;
pub mod worker;
