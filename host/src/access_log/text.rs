//! A line for people.

use super::{End, Entry};
use crate::environ::protocol;
use crate::log::escape_into;
use crate::receipt::Receipt;
use std::io::Write;
use std::time::SystemTime;

/// Time, client, request, status, octets, duration, time on a CPU, app, id.
pub fn append(line: &mut Vec<u8>, entry: &Entry, end: &End<'_>, at: SystemTime) {
    let Receipt {
        wall, cpu, sent, ..
    } = end.receipt;
    let (micros, cpu) = (wall.as_micros(), cpu.as_micros());
    let time = humantime::format_rfc3339_millis(at);
    let _ = write!(
        line,
        "{time} {} \"{} ",
        entry.from().unwrap_or("-"),
        entry.method
    );
    // The target is the client's text: a quote or a control in it must not pass for
    // the log's own.
    let target = entry.target();
    let mut pieces = target.split('"');
    escape_into(line, pieces.next().unwrap_or_default());
    for piece in pieces {
        line.extend_from_slice(b"%22");
        escape_into(line, piece);
    }
    // The app's name was escaped when it was deployed.
    let _ = writeln!(
        line,
        " {}\" {} {sent} {}.{:03}ms cpu={}.{:03}ms {} {}",
        protocol(entry.version),
        end.status(),
        micros / 1000,
        micros % 1000,
        cpu / 1000,
        cpu % 1000,
        entry.app().unwrap_or("-"),
        end.request,
    );
}
