//! The field Server-Timing (W3C, Server Timing): what a request has cost until its
//! answer began, for those who are trusted to know.

use crate::receipt::Receipt;
use http::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;

static FIELD: HeaderName = HeaderName::from_static("server-timing");

/// Adds the field, beside those that the app has sent. Durations are in
/// milliseconds.
pub fn append(headers: &mut HeaderMap, receipt: &Receipt) {
    let Receipt {
        cpu,
        wall,
        queue,
        start,
        ..
    } = *receipt;
    let value = format!(
        "queue;dur={:.3}, start;dur={:.3}, cpu;dur={:.3}, wall;dur={:.3}",
        millis(queue),
        millis(start),
        millis(cpu),
        millis(wall)
    );
    // Digits, dots and letters are always a value; and one field more than a head can
    // have is one that can be done without.
    if let Ok(value) = HeaderValue::try_from(value) {
        let _ = headers.try_append(&FIELD, value);
    }
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_list_of_metrics_with_durations() {
        let mut headers = HeaderMap::new();
        headers.append(&FIELD, HeaderValue::from_static("db;dur=5"));
        let receipt = Receipt {
            cpu: Duration::from_micros(301),
            wall: Duration::from_micros(1512),
            start: Duration::from_nanos(49_600),
            ..Receipt::default()
        };
        append(&mut headers, &receipt);
        let values: Vec<_> = headers.get_all(&FIELD).iter().collect();
        let ours = "queue;dur=0.000, start;dur=0.050, cpu;dur=0.301, wall;dur=1.512";
        assert_eq!(values, ["db;dur=5", ours]);
    }
}
