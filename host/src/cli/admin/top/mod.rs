//! `rhost top`.

mod rates;
mod screen;

use super::client::Client;
use super::{Error, ServerArgs};
use crate::cli::parse::duration;
use clap::Args;
use http::Method;
use rates::{Sample, rates};
use screen::Screen;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// `rhost top`.
#[derive(Debug, Args)]
pub struct Top {
    /// Time between two looks
    #[arg(short, long, value_name = "TIME", default_value = "2s", value_parser = duration)]
    interval: Duration,

    /// Show it once, after one interval, and end
    #[arg(long)]
    once: bool,

    /// Print each time a JSON object, on a line of its own
    #[arg(long)]
    json: bool,

    /// Apps that are shown, those that use most [default: as many as the terminal has room for]
    #[arg(short = 'n', long, value_name = "N")]
    lines: Option<usize>,

    #[command(flatten)]
    server: ServerArgs,
}

/// Shows what apps use, until it is stopped.
pub fn top(args: &Top) -> Result<(), Error> {
    let client = args.server.client()?;
    let is_live = !args.once && !args.json && io::stdout().is_terminal();
    let screen = Screen::new(is_live, args.lines);
    let mut last = sample(&client)?;
    if is_live {
        show(&screen.waiting(args.interval));
    }
    loop {
        std::thread::sleep(args.interval);
        let next = sample(&client)?;
        // Another process has taken over, and counts from the start.
        if !next.follows(&last) {
            last = next;
            continue;
        }
        let rates = rates(&last, &next);
        let is_read = match args.json {
            true => show(&(rates.json().to_string() + "\n")),
            false => show(&screen.show(&rates)),
        };
        if args.once || !is_read {
            return Ok(());
        }
        last = next;
    }
}

/// Says whether somebody still reads it.
fn show(text: &str) -> bool {
    let mut out = io::stdout();
    let written = out.write_all(text.as_bytes());
    written.and_then(|()| out.flush()).is_ok()
}

fn sample(client: &Client) -> Result<Sample, Error> {
    let answer = client.ask(Method::GET, "/v1/top")?;
    serde_json::from_value(answer).map_err(|error| {
        Error::Refused(format!(
            "the server's answer is not what was expected ({error}); is it of another version of rhost?"
        ))
    })
}
