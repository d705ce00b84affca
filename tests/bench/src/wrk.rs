//! wrk in the place of the load generator, to see that both measure the same.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::work::Work;

/// What wrk reports.
#[derive(Debug, PartialEq)]
pub struct Report {
    /// Answers in all.
    pub answers: u64,
    /// Answers in a second.
    pub per_second: f64,
    /// The median latency, in microseconds.
    pub p50: f64,
    /// The 99th percentile, in microseconds.
    pub p99: f64,
    /// Answers of another status, and connections that failed.
    pub errors: u64,
}

/// Loads a server for a while.
pub fn run(addr: SocketAddr, work: Work, connections: usize, time: Duration) -> Result<Report> {
    let mut wrk = command(connections, time);
    let script = std::env::temp_dir().join(format!("rhost-bench-{}.lua", std::process::id()));
    if let Some(octets) = work.upload() {
        let lua = format!("wrk.method = \"POST\"\nwrk.body = string.rep(\".\", {octets})\n");
        fs::write(&script, lua)?;
        wrk.arg("--script").arg(&script);
    }
    wrk.arg(format!("http://{addr}{}", work.target()));
    let report = reported(wrk);
    if work.upload().is_some() {
        fs::remove_file(&script)?;
    }
    report
}

/// Loads a server for a while with requests for `target`.
pub fn get(addr: SocketAddr, target: &str, connections: usize, time: Duration) -> Result<Report> {
    let mut wrk = command(connections, time);
    wrk.arg(format!("http://{addr}{target}"));
    reported(wrk)
}

fn command(connections: usize, time: Duration) -> Command {
    let mut wrk = Command::new("wrk");
    wrk.args(["--latency", "--threads", "1"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{}s", time.as_secs().max(1))]);
    wrk
}

fn reported(mut wrk: Command) -> Result<Report> {
    let output = wrk.output().context("wrk cannot be run; install it")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk failed: {text}");
    parse(&text).with_context(|| format!("wrk says something new:\n{text}"))
}

/// What became of requests to a server that ends meanwhile.
#[derive(Debug, PartialEq, Eq)]
pub struct Fate {
    /// Answers in all.
    pub answers: u64,
    /// Connections that were closed while an answer was awaited, answers that never
    /// came, and those of another status than 2xx and 3xx.
    pub lost: u64,
    /// Connections that were refused: wrk finds out by its first write.
    pub refused: u64,
}

/// Asks for hello for a while.
pub fn fate(addr: SocketAddr, connections: usize, time: Duration) -> Result<Fate> {
    let output = Command::new("wrk")
        .args(["--threads", "1"])
        .args(["--connections", &connections.to_string()])
        .args(["--duration", &format!("{}s", time.as_secs().max(1))])
        .arg(format!("http://{addr}/"))
        .output()
        .context("wrk cannot be run; install it")?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "wrk failed: {text}");
    parse_fate(&text).with_context(|| format!("wrk says something new:\n{text}"))
}

fn parse_fate(text: &str) -> Option<Fate> {
    let line = |label: &str| {
        let mut lines = text.lines();
        lines.find_map(|line| line.trim().strip_prefix(label))
    };
    let answers = text
        .lines()
        .find_map(|line| line.split_once(" requests in "))?
        .0;
    let error = |name: &str| {
        let Some(errors) = line("Socket errors: ") else {
            return Some(0);
        };
        let part = errors
            .split(", ")
            .find_map(|part| part.strip_prefix(name)?.strip_prefix(' '))?;
        part.parse::<u64>().ok()
    };
    let refusals =
        line("Non-2xx or 3xx responses:").map_or(Some(0), |line| line.trim().parse().ok())?;
    Some(Fate {
        answers: answers.trim().parse().ok()?,
        lost: error("read")? + error("timeout")? + refusals,
        refused: error("connect")? + error("write")?,
    })
}

fn parse(text: &str) -> Option<Report> {
    let after = |label: &str| {
        let line = text
            .lines()
            .find_map(|line| line.trim().strip_prefix(label));
        line.map(str::trim)
    };
    let answers = text
        .lines()
        .find_map(|line| line.split_once(" requests in "))?
        .0;
    let failures = after("Socket errors:").map_or(0, |line| {
        let numbers = line
            .split([' ', ','])
            .filter_map(|word| word.parse::<u64>().ok());
        numbers.sum()
    });
    let refusals = after("Non-2xx or 3xx responses:").map_or(Some(0), |line| line.parse().ok())?;
    Some(Report {
        answers: answers.trim().parse().ok()?,
        per_second: after("Requests/sec:")?.parse().ok()?,
        p50: microseconds(after("50%")?)?,
        p99: microseconds(after("99%")?)?,
        errors: failures + refusals,
    })
}

fn microseconds(text: &str) -> Option<f64> {
    let (number, unit) = text.split_at(text.find(char::is_alphabetic)?);
    let unit = match unit {
        "us" => 1.0,
        "ms" => 1e3,
        "s" => 1e6,
        _ => return None,
    };
    Some(number.parse::<f64>().ok()? * unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_report() {
        let text = "\
Running 3s test @ http://127.0.0.1:46373/
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     0.89ms  481.62us   5.48ms   70.88%
    Req/Sec    35.55k     2.13k   38.54k    70.00%
  Latency Distribution
     50%  827.00us
     75%    1.16ms
     90%    1.49ms
     99%    2.19ms
  106073 requests in 3.00s, 13.25MB read
  Socket errors: connect 0, read 1, write 2, timeout 0
  Non-2xx or 3xx responses: 4
Requests/sec:  35347.45
Transfer/sec:      4.42MB
";
        let report = parse(text).unwrap();
        assert_eq!(report.answers, 106_073);
        assert_eq!((report.p50, report.p99.round()), (827.0, 2190.0));
        assert_eq!((report.per_second, report.errors), (35_347.45, 7));
        let fate = Fate {
            answers: 106_073,
            lost: 5,
            refused: 2,
        };
        assert_eq!(parse_fate(text), Some(fate));
    }
}
