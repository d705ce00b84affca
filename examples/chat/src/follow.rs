//! The stream: what is said, as it is said.

use std::env;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use rhost_sdk::prelude::*;
use serde::Deserialize;

use crate::DATA;
use crate::room::Room;

/// How long the file is left alone where nothing was new. Nothing tells a sandbox
/// that a file has changed, so it looks; a hundred streams look a thousand times a
/// second, and a message is a tenth of a second late at most.
const PAUSE: Duration = Duration::from_millis(100);

/// After how many pauses a word is sent in any case: that keeps the connection open,
/// and is how the stream learns that its client has left.
const KEEP_ALIVE: u32 = 100;

/// How long a stream lasts, in seconds, unless the variable says otherwise. It is
/// less than the 60 that the host gives a request, so that it ends between messages.
const SECONDS: u64 = 50;
const VARIABLE: &str = "STREAM_SECONDS";

/// How long a client waits before it comes back.
const RETRY: Duration = Duration::from_millis(200);

/// Where to begin, for a client that has not been here: the place that its page has.
#[derive(Deserialize)]
pub struct From {
    #[serde(default)]
    after: u64,
}

#[get("/events")]
pub fn follow(Query(from): Query<From>, last: Option<LastEventId<'_>>) -> Result<Events> {
    let seen = last.and_then(|LastEventId(id)| id.parse().ok());
    let mut place = seen.unwrap_or(from.after);
    let mut room = Room::open(Path::new(DATA))?;
    let seconds = env::var(VARIABLE).ok();
    let seconds = seconds.and_then(|seconds| seconds.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS).min(24 * 60 * 60));
    Ok(Events::new(move |events| {
        // The first word is also what tells a client that it is connected.
        events.send(&Event::silent().retry(RETRY))?;
        let mut pauses = 0;
        while Instant::now() < end {
            let (lines, next) = room.after(place)?;
            place = next;
            if lines.is_empty() {
                sleep(PAUSE);
                pauses += 1;
                if pauses % KEEP_ALIVE == 0 {
                    events.keep_alive()?;
                }
            }
            for (message, after) in lines {
                events.send(&Event::json(&message)?.id(after.to_string()))?;
            }
        }
        Ok(())
    }))
}
