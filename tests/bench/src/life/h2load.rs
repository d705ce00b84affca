//! h2load, of nghttp2's clients.

use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

/// More requests than are sent in any round.
const ENDLESS: &str = "10000000";

/// A load that has not begun.
pub struct H2load {
    command: Command,
    addr: SocketAddr,
}

/// What it reports.
#[derive(Debug, PartialEq, Eq)]
pub struct Done {
    /// Answers that came whole.
    pub succeeded: u64,
    /// Requests without one; some of them may never have been sent.
    pub failed: u64,
}

impl H2load {
    /// Over HTTP/1.1; a connection that is closed is made anew.
    pub fn http1(addr: SocketAddr, connections: usize) -> Self {
        let mut load = H2load::of(addr, connections);
        load.command.arg("--h1");
        load
    }

    /// Over HTTP/2 with prior knowledge, four requests at a time.
    pub fn http2(addr: SocketAddr, connections: usize) -> Self {
        let mut load = H2load::of(addr, connections);
        load.command.args(["--max-concurrent-streams", "4"]);
        load
    }

    fn of(addr: SocketAddr, connections: usize) -> Self {
        let mut command = Command::new("h2load");
        command.args(["--clients", &connections.to_string()]);
        H2load { command, addr }
    }

    /// Until the time is over.
    pub fn run_for(mut self, time: Duration) -> Result<Done> {
        let seconds = time.as_secs().max(1).to_string();
        self.command.args(["--duration", &seconds]);
        self.run()
    }

    /// Until the server ends each connection. One that does not for ten times
    /// `time` is a failure of its own.
    pub fn run_to_the_end(mut self, time: Duration) -> Result<Done> {
        let patience = format!("{}s", (time * 10).as_secs());
        self.command
            .args(["--requests", ENDLESS])
            .args(["--connection-active-timeout", &patience]);
        self.run()
    }

    fn run(mut self) -> Result<Done> {
        self.command.arg(format!("http://{}/", self.addr));
        let output = self
            .command
            .output()
            .context("h2load cannot be run; install nghttp2-client")?;
        let text = String::from_utf8_lossy(&output.stdout);
        parse(&text).with_context(|| format!("h2load says something new:\n{text}"))
    }
}

fn parse(text: &str) -> Option<Done> {
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("requests: "))?;
    let figure = |name: &str| -> Option<u64> {
        let part = line.split(", ").find_map(|part| part.strip_suffix(name))?;
        part.trim().parse().ok()
    };
    // What is errored or timed out is among those that failed.
    Some(Done {
        succeeded: figure(" succeeded")?,
        failed: figure(" failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_report() {
        let text = "\
finished in 3.00s, 3426.67 req/s, 134.28KB/s
requests: 10292 total, 10292 started, 10292 done, 10280 succeeded, 12 failed, 11 errored, 0 timeout
status codes: 10280 2xx, 0 3xx, 0 4xx, 0 5xx
";
        let done = Done {
            succeeded: 10_280,
            failed: 12,
        };
        assert_eq!(parse(text), Some(done));
        assert_eq!(parse("nothing"), None);
    }
}
