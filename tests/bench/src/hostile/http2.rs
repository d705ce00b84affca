//! What clients send over HTTP/2, made of the frames that the promises are tested with.

#[path = "../../../src/frames.rs"]
#[allow(dead_code, reason = "most of it is for tests")]
mod frames;

use frames::{CONTINUATION, HEADERS, PING, PREFACE, RST_STREAM, SETTINGS, frame};

pub use frames::NO_WINDOW;

/// CANCEL (RFC 9113, section 7).
const CANCEL: [u8; 4] = [0, 0, 0, 8];

/// A connection with `settings`, and so many requests for `path` of the host `test`.
pub fn requests(settings: &[u8], path: &str, requests: u32) -> Vec<u8> {
    let mut sent = begun(settings);
    for nth in 0..requests {
        sent.extend(frames::request(2 * nth + 1, path));
    }
    sent
}

/// Requests each of which is taken back at once.
pub fn resets(path: &str, requests: u32) -> Vec<u8> {
    let mut sent = begun(&[]);
    for stream in (0..requests).map(|nth| 2 * nth + 1) {
        sent.extend(frames::request(stream, path));
        sent.extend(frame(RST_STREAM, 0, stream, &CANCEL));
    }
    sent
}

/// Fields that never end.
pub fn continuations(number: usize) -> Vec<u8> {
    let mut sent = begun(&[]);
    sent.extend(frame(HEADERS, 0, 1, &frames::get("/")));
    // A field that is not indexed, of a name and a value.
    let field = [b"\0\x01x\x7f\x80\x3e".as_slice(), &[b'y'; 8063]].concat();
    sent.extend(frame(CONTINUATION, 0, 1, &field).repeat(number));
    sent
}

/// Frames that want an answer and ask for nothing.
pub fn pings(number: usize) -> Vec<u8> {
    let both = [frame(PING, 0, 0, &[0; 8]), frame(SETTINGS, 0, 0, &[])].concat();
    [begun(&[]), both.repeat(number)].concat()
}

fn begun(settings: &[u8]) -> Vec<u8> {
    [PREFACE, &frame(SETTINGS, 0, 0, settings)].concat()
}
