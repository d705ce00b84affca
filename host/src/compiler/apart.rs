//! The process that compiles, from the side of whoever waits for it.

use super::child::{INVALID, Job};
use super::{Budget, CompileError};
use crate::sandbox::Details;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{MemfdFlags, memfd_create};
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open};
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

/// This program, even when its file has been replaced meanwhile.
const PROGRAM: &str = "/proc/self/exe";

/// By how much longer than its time on one CPU it may take altogether, on a machine
/// that has more to do.
const PATIENCE: u32 = 4;
const LEAST_PATIENCE: Duration = Duration::from_secs(30);

/// Octets of what it says that anyone reads.
const SAID: u64 = 16 << 10;

/// Compiles `component` within `budget`. `spent` is set to the CPU time that it took.
pub fn compile(
    budget: &Budget,
    details: Details,
    component: &[u8],
    spent: &mut Duration,
) -> Result<Vec<u8>, CompileError> {
    let (mut input, mut output, mut said) = (memory()?, memory()?, memory()?);
    input.write_all(component)?;
    input.rewind()?;
    let job = Job {
        details,
        budget: *budget,
    };
    let child = Command::new(PROGRAM)
        .arg0("rhost")
        .args(job.arguments())
        .env_clear()
        // Otherwise the allocator takes a gigabyte at a time, all of which counts.
        .env("MIMALLOC_ARENA_EAGER_COMMIT", "0")
        .stdin(input)
        .stdout(output.try_clone()?)
        .stderr(said.try_clone()?)
        .spawn()?;
    let patience = (budget.cpu * PATIENCE).max(LEAST_PATIENCE);
    let Some(status) = wait(child, patience, spent)? else {
        return Err(CompileError::Cpu { limit: budget.cpu });
    };
    let mut text = Vec::new();
    said.rewind()?;
    said.take(SAID).read_to_end(&mut text)?;
    let text = String::from_utf8_lossy(&text);
    if status.success() {
        if !text.is_empty() {
            tracing::warn!(
                "a component was compiled by a process less confined than it should be: {text}"
            );
        }
        let mut code = Vec::new();
        output.rewind()?;
        output.read_to_end(&mut code)?;
        return Ok(code);
    }
    Err(match (status.code(), status.signal()) {
        (Some(code), _) if code == i32::from(INVALID) => {
            CompileError::Invalid(text.trim().to_owned())
        }
        (_, Some(signal)) if signal == Signal::XCPU.as_raw() => {
            CompileError::Cpu { limit: budget.cpu }
        }
        _ => CompileError::Died {
            how: ending(status, &text),
            memory: budget.memory,
        },
    })
}

/// A file that is nowhere but in memory.
fn memory() -> io::Result<File> {
    Ok(memfd_create("rhost-compile", MemfdFlags::CLOEXEC)?.into())
}

/// How it ended, and the CPU time that it `spent`; none if it had to be killed after
/// `patience`.
fn wait(
    mut child: Child,
    patience: Duration,
    spent: &mut Duration,
) -> io::Result<Option<ExitStatus>> {
    let ended = pidfd_open(Pid::from_child(&child), PidfdFlags::empty())?;
    let time = Timespec::try_from(patience).map_err(io::Error::other)?;
    let ready = loop {
        match poll(&mut [PollFd::new(&ended, PollFlags::IN)], Some(&time)) {
            Err(rustix::io::Errno::INTR) => {}
            ready => break ready,
        }
    };
    if matches!(ready, Ok(0) | Err(_)) {
        let _ = child.kill();
        // Killed, it ends at once; until it is waited for, it is known what it spent.
        let _ = poll(&mut [PollFd::new(&ended, PollFlags::IN)], None);
        *spent = cpu_time(&child);
        child.wait()?;
        ready?;
        return Ok(None);
    }
    *spent = cpu_time(&child);
    child.wait().map(Some)
}

/// The CPU time of a process that has ended and was not waited for (proc_pid_stat(5),
/// `utime` and `stime`); nothing if the system does not say.
fn cpu_time(child: &Child) -> Duration {
    // Linux shows times in hundredths of a second on every machine that rhost runs on.
    const TICK: Duration = Duration::from_millis(10);
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.id())).unwrap_or_default();
    // The name before may have blanks and brackets of its own.
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    let fields = rest.split_ascii_whitespace().skip(11).take(2);
    let ticks: u64 = fields.filter_map(|field| field.parse::<u64>().ok()).sum();
    TICK.saturating_mul(u32::try_from(ticks).unwrap_or(u32::MAX))
}

/// Its status, and the last line of what it said.
fn ending(status: ExitStatus, said: &str) -> String {
    match said.trim().lines().next_back() {
        Some(line) => format!("{status}: {line}"),
        None => status.to_string(),
    }
}
