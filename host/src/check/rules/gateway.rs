//! What an application owes its server.

use super::{Rule, error, warning};

const START: &str = "PEP 3333, The start_response() Callable; gateway.md, start-response";
const LENGTH: &str = "PEP 3333, Handling the Content-Length Header; gateway.md, output";
const ERRORS: &str = "PEP 3333, Error Handling; gateway.md, The end";
const LIMITS: &str = "operating.md, Limits and times";

/// `start-response` is called.
pub static NO_START: Rule = error(
    "start-response-missing",
    "start-response is called before handle returns.",
    START,
    "call it on every way through handle",
);

/// ... and once.
pub static START_TWICE: Rule = error(
    "start-response-twice",
    "start-response is called once; a second call has exc-info.",
    START,
    "call it once, or pass exc-info to replace an answer by that of an error",
);

/// ... and in time.
pub static START_LATE: Rule = error(
    "start-response-late",
    "An answer is not replaced once its headers have left.",
    ERRORS,
    "find what can fail before the second block is written, or end the body",
);

/// The status can be sent.
pub static STATUS: Rule = error(
    "status",
    "A status is from 200 to 599; interim responses are the server's.",
    "RFC 9110, 15; gateway.wit, start-error",
    "answer with a status of RFC 9110, section 15",
);

/// A field's name can be sent.
pub static FIELD_NAME: Rule = error(
    "field-name",
    "A field's name is a token.",
    "RFC 9110, 5.1; gateway.wit, field-fault",
    "use letters, digits and hyphens only",
);

/// A field's value can be sent.
pub static FIELD_VALUE: Rule = error(
    "field-value",
    "A field's value has no CR, LF, NUL or other control character.",
    "RFC 9110, 5.5; gateway.wit, field-fault",
    "encode what comes from outside before it goes into a field",
);

/// The connection is left alone.
pub static HOP_BY_HOP: Rule = error(
    "hop-by-hop",
    "Fields that belong to the connection are the server's.",
    "PEP 3333, Other HTTP Features; RFC 9110, 7.6.1",
    "leave out Connection, Keep-Alive, Proxy-Connection, TE, Trailer, Transfer-Encoding and Upgrade",
);

/// Content-Length is a number.
pub static LENGTH_FIELD: Rule = error(
    "content-length",
    "Content-Length is one decimal number.",
    "RFC 9110, 8.6; gateway.wit, field-fault",
    "send it once, with digits alone, or leave it to the server",
);

/// The fields fit.
pub static FIELDS_SIZE: Rule = error(
    "fields-too-large",
    "A response's fields are no larger than the server sends.",
    LIMITS,
    "send less in cookies and fields, or allow more with --max-response-headers",
);

/// Not more is written than was announced.
pub static BEYOND: Rule = error(
    "content-length-exceeded",
    "A body has no more octets than its Content-Length.",
    LENGTH,
    "count octets, not characters, or leave Content-Length to the server",
);

/// Nor less.
pub static MISSING: Rule = error(
    "content-length-short",
    "A body has as many octets as its Content-Length.",
    LENGTH,
    "count octets, not characters, or leave Content-Length to the server",
);

/// A block goes to the answer in force.
pub static SUPERSEDED: Rule = warning(
    "superseded-output",
    "Blocks are written to the output of the last start-response.",
    "gateway.wit, output-error",
    "use the output that the last call of start-response returned",
);

/// The body fits.
pub static BODY_SIZE: Rule = error(
    "response-too-large",
    "A response's body is no larger than the server sends.",
    LIMITS,
    "send less, or allow more with --max-response-body",
);

/// Failures are answered.
pub static EXCEPTION: Rule = error(
    "exception",
    "An application answers its own errors.",
    ERRORS,
    "handle the error, and answer with a status that says what is wrong",
);

/// The guest does not trap.
pub static TRAP: Rule = error(
    "trap",
    "An application returns from handle.",
    "gateway.md, The end",
    "find the cause in what the guest printed and in its backtrace",
);

/// Nor exit.
pub static EXIT: Rule = error(
    "exit",
    "An application returns from handle; it does not exit.",
    "gateway.md, The end",
    "return an error, or answer with one",
);

/// The sandbox can be made.
pub static NOT_STARTED: Rule = error(
    "not-started",
    "A sandbox of the component can be made.",
    "gateway.md, One request",
    "look at what it needs with `rhost inspect`",
);

/// A limit of time holds.
pub static TIME: Rule = error(
    "time-limit",
    "A request ends within its limits of time.",
    LIMITS,
    "find what takes so long, or allow more with --cpu or --timeout",
);

/// A limit of space holds.
pub static SPACE: Rule = error(
    "space-limit",
    "A request ends within its limits of memory and tables.",
    LIMITS,
    "find what takes so much, or allow more with --memory or --table-elements",
);

/// A body that was cut short is not the whole.
pub static INCOMPLETE: Rule = warning(
    "incomplete-accepted",
    "A body that was cut short is not taken for the whole.",
    "RFC 9112, 8; gateway.wit, input-error",
    "pass on the error that read gives, or answer 400",
);

/// A line in the log counts.
pub static LOG: Rule = warning(
    "log-rate",
    "An application writes no more log than it may.",
    "operating.md, --log-rate",
    "print less, or allow more with --log-rate",
);
