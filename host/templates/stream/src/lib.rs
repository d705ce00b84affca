//! Events that a page listens to, and a table that is sent while it is made.

use std::io::Write;
use std::thread::sleep;
use std::time::Duration;

use rhost_sdk::prelude::*;

app!(index, ticks, table);

/// The last tick; a client that has it is told to stay away.
const LAST: u32 = 60;

#[get("/")]
fn index() -> Html<&'static str> {
    Html(include_str!("../static/index.html"))
}

/// A tick a second. A browser that was cut off comes back with the ID of the
/// last event it got, and goes on from there.
#[get("/ticks")]
fn ticks(last: Option<LastEventId<'_>>) -> Result<Events, Status> {
    let seen = match last {
        Some(LastEventId(id)) => id.parse().map_err(|_| Status::BAD_REQUEST)?,
        None => 0,
    };
    if seen >= LAST {
        return Err(Status::NO_CONTENT);
    }
    Ok(Events::new(move |events| {
        for tick in seen + 1..=LAST {
            if tick > seen + 1 {
                sleep(Duration::from_secs(1));
            }
            let text = format!("tick {tick} of {LAST}");
            // An error means that nobody listens any more, and ends the answer.
            events.send(&Event::new(text).id(tick.to_string()))?;
        }
        Ok(())
    }))
}

/// A hundred thousand lines, a block at a time: it never lies in memory whole.
#[get("/squares.csv")]
fn table() -> Stream {
    Stream::new("text/csv; charset=utf-8", |out| {
        let mut block = Vec::from("number,square\n");
        for number in 1..=100_000_u64 {
            writeln!(block, "{number},{}", number * number)?;
            if block.len() >= 16 << 10 {
                out.send(&block)?;
                block.clear();
            }
        }
        Ok(out.send(&block)?)
    })
}

#[cfg(test)]
mod tests;
