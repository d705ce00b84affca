//! Memory-management system calls for each request, once a server is warm.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, Signal, kill_process};
use serde::Serialize;

use crate::artefacts::Artefacts;
use crate::load::{Expected, Generator, Until};
use crate::report::{self, Table};
use crate::request::Request;
use crate::servers;

/// The calls that are counted.
const CALLS: [&str; 4] = ["mmap", "munmap", "mprotect", "madvise"];

/// How many calls a request may cost.
const MARK: f64 = 0.01;

const MIB: u64 = 1 << 20;

/// What is asked of an example while it is traced.
struct Subject {
    app: &'static str,
    target: &'static str,
    upload: Option<u64>,
    requests: u64,
}

const SUBJECTS: [Subject; 6] = [
    Subject {
        app: "hello",
        target: "/",
        upload: None,
        requests: 50_000,
    },
    Subject {
        app: "hello",
        target: "/json",
        upload: None,
        requests: 50_000,
    },
    Subject {
        app: "environ",
        target: "/",
        upload: None,
        requests: 50_000,
    },
    Subject {
        app: "stream",
        target: "/echo",
        upload: Some(MIB),
        requests: 1_000,
    },
    Subject {
        app: "stream",
        target: "/count",
        upload: Some(MIB),
        requests: 1_000,
    },
    Subject {
        app: "stream",
        target: "/download?mib=1",
        upload: None,
        requests: 1_000,
    },
];

/// The count for one kind of request.
#[derive(Serialize)]
pub struct Traced {
    app: &'static str,
    target: &'static str,
    requests: u64,
    /// Calls of each kind, in the order mmap, munmap, mprotect, madvise.
    calls: [u64; 4],
    per_request: f64,
    /// Answers that were wrong.
    pub errors: u64,
}

/// Counts them for the examples; none when strace is not installed.
pub fn count(artefacts: &Artefacts, connections: usize) -> Result<Option<Vec<Traced>>> {
    let strace = Command::new("strace").arg("-V").output();
    if !strace.is_ok_and(|output| output.status.success()) {
        return Ok(None);
    }
    let traced = SUBJECTS
        .iter()
        .map(|subject| trace(artefacts, subject, connections));
    traced.collect::<Result<_>>().map(Some)
}

/// Prints the table, or how to come by it.
pub fn print(traced: Option<&[Traced]>) {
    println!("memory-management system calls of rhost");
    let Some(traced) = traced else {
        println!(
            "  not counted: strace is not installed (apt-get install strace, dnf install strace)\n"
        );
        return;
    };
    let mut table = Table::new(&[
        "request",
        "requests",
        CALLS[0],
        CALLS[1],
        CALLS[2],
        CALLS[3],
        "calls/req",
        "errors",
    ]);
    for row in traced {
        let mut cells = vec![
            format!("{} {}", row.app, row.target),
            report::count(row.requests as f64),
        ];
        cells.extend(row.calls.iter().map(|&calls| report::count(calls as f64)));
        cells.extend([
            format!("{:.4}", row.per_request),
            report::count(row.errors as f64),
        ]);
        table.row(cells);
    }
    println!("{table}");
    for row in traced {
        let what = format!(
            "{} {}: {:.4} calls a request (mark: {MARK})",
            row.app, row.target, row.per_request
        );
        println!("{}", report::mark(&what, row.per_request < MARK));
    }
}

fn trace(artefacts: &Artefacts, subject: &Subject, connections: usize) -> Result<Traced> {
    eprintln!("system calls: {} {}", subject.app, subject.target);
    let server = servers::rhost(artefacts, &artefacts.example(subject.app)?, &[])?;
    let (request, length) = match subject.upload {
        Some(octets) => (Request::post(subject.target, octets), None),
        None => (Request::get(subject.target), None),
    };
    let expected = Expected {
        status: 200,
        length,
    };
    let mut generator = Generator::connect(server.addr, connections)?;
    let warm = generator.run(&request, expected, Until::Elapsed(Duration::from_secs(3)))?;
    ensure!(
        warm.errors() == 0,
        "{} answers were wrong{}",
        warm.errors(),
        server.said()
    );
    let strace = Strace::attach(server.pid())?;
    let load = generator.run(&request, expected, Until::Requests(subject.requests))?;
    let calls = strace.detach()?;
    Ok(Traced {
        app: subject.app,
        target: subject.target,
        requests: subject.requests,
        calls,
        per_request: calls.iter().sum::<u64>() as f64 / subject.requests as f64,
        errors: load.errors(),
    })
}

/// strace at work on a server. It lets go of it when this is dropped.
struct Strace {
    child: Child,
    summary: std::path::PathBuf,
}

impl Strace {
    fn attach(pid: u32) -> Result<Self> {
        let summary = std::env::temp_dir().join(format!("rhost-bench-{pid}.strace"));
        let mut child = Command::new("strace")
            .args(["-f", "-c", "-e", &format!("trace={}", CALLS.join(","))])
            .args(["-p", &pid.to_string()])
            .arg("-o")
            .arg(&summary)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("strace cannot be run")?;
        let stderr = child.stderr.take().context("it is piped")?;
        let strace = Strace { child, summary };
        let mut lines = BufReader::new(stderr).lines().map_while(Result::ok);
        let first = lines.next().unwrap_or_default();
        ensure!(
            first.contains("attached"),
            "strace cannot trace the server: {first}"
        );
        // Else it would wait for a reader when it has more to say.
        std::thread::spawn(move || lines.for_each(drop));
        Ok(strace)
    }

    fn detach(mut self) -> Result<[u64; 4]> {
        let pid = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(pid.context("strace is gone")?, Signal::INT)?;
        self.child.wait()?;
        let summary = fs::read_to_string(&self.summary)?;
        Ok(CALLS.map(|call| calls(&summary, call)))
    }
}

impl Drop for Strace {
    fn drop(&mut self) {
        // It has ended by itself unless something failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.summary);
    }
}

/// How often `call` is in the summary, which leaves out what never happened.
fn calls(summary: &str, call: &str) -> u64 {
    let row = summary
        .lines()
        .find(|line| line.split_ascii_whitespace().last() == Some(call));
    let calls = row.and_then(|row| row.split_ascii_whitespace().nth(3));
    calls.and_then(|calls| calls.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_summary() {
        let summary = "\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 76.92    0.000010           3         3           madvise
 23.08    0.000003           3         1         1 mmap
------ ----------- ----------- --------- --------- ----------------
100.00    0.000013           3         4         1 total
";
        assert_eq!(CALLS.map(|call| calls(summary, call)), [1, 0, 0, 3]);
        assert_eq!(calls("", "mmap"), 0);
    }
}
