//! What the kernel says of a process: its time on CPUs and its memory.

use std::fs;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Time that all threads of a process have spent on a CPU so far, in user and
/// kernel mode.
pub fn cpu_time(pid: u32) -> Result<Duration> {
    ticks(&pid.to_string(), 2)
}

/// The same to the nanosecond, of the threads that still run.
pub fn precise_cpu_time(pid: u32) -> Result<Duration> {
    let mut nanoseconds = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")? {
        // A thread may end meanwhile; a kernel may be built without these.
        let Ok(schedstat) = fs::read_to_string(task?.path().join("schedstat")) else {
            return cpu_time(pid);
        };
        let first = schedstat.split_ascii_whitespace().next();
        nanoseconds += first.unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// The same of a process and its children, all of which still run.
pub fn cpu_time_of_family(pid: u32) -> Result<Duration> {
    let mut sum = precise_cpu_time(pid)?;
    for child in children(pid)? {
        sum += precise_cpu_time(child)?;
    }
    Ok(sum)
}

/// The children of a process.
pub fn children(pid: u32) -> Result<Vec<u32>> {
    let mut children = Vec::new();
    for process in fs::read_dir("/proc").context("there is no /proc")? {
        let process = process?;
        let Some(other) = process
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        // One may end meanwhile.
        let Ok(stat) = fs::read_to_string(process.path().join("stat")) else {
            continue;
        };
        // The state and the parent stand after the name.
        let parent = stat
            .rsplit_once(')')
            .and_then(|(_, fields)| fields.split_ascii_whitespace().nth(1)?.parse().ok());
        if parent == Some(pid) {
            children.push(other);
        }
    }
    Ok(children)
}

/// Ends a process at once.
pub fn kill(pid: u32) {
    let pid = i32::try_from(pid)
        .ok()
        .and_then(rustix::process::Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself.
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
    }
}

/// As [`cpu_time`], of this process, with those of its children
/// that have ended.
pub fn own_cpu_time() -> Result<Duration> {
    ticks("self", 4)
}

/// The sum of the first `figures` of utime, stime, cutime and cstime.
fn ticks(pid: &str, figures: usize) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the server is gone")?;
    // The name of the command may hold anything but ends with the last bracket.
    let fields = stat.rsplit_once(')').context("/proc/PID/stat is odd")?.1;
    let fields = fields.split_ascii_whitespace().skip(11).take(figures);
    let mut ticks = 0;
    for field in fields {
        ticks += field.parse::<u64>()?;
    }
    Ok(Duration::from_secs_f64(
        ticks as f64 / rustix::param::clock_ticks_per_second() as f64,
    ))
}

/// What a process holds in memory, in octets.
#[derive(Debug, Clone, Copy)]
pub struct Memory {
    /// All of its pages that are resident.
    pub resident: u64,
    /// Those that no file is behind.
    pub anonymous: u64,
    /// The most that was resident since the start or the last
    /// [`forget_peak`].
    pub peak: u64,
}

/// What a process holds in memory now.
pub fn memory(pid: u32) -> Result<Memory> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).context("the server is gone")?;
    let field = |name: &str| -> Result<u64> {
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))
            .with_context(|| format!("/proc/PID/status has no {name}"))?;
        let kib: u64 = line.trim().trim_end_matches(" kB").parse()?;
        Ok(kib << 10)
    };
    Ok(Memory {
        resident: field("VmRSS")?,
        anonymous: field("RssAnon")?,
        peak: field("VmHWM")?,
    })
}

/// How many threads a process has.
pub fn threads(pid: u32) -> Result<u64> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).context("the server is gone")?;
    Ok(tasks.count() as u64)
}

/// How many TCP connections of this machine to `port`, over IPv4, are still some process's
/// on that side, of those from `ports`.
pub fn connections_held(port: u16, ports: &[u16]) -> Result<u64> {
    let table = fs::read_to_string("/proc/net/tcp").context("there is no /proc/net/tcp")?;
    let port_of = |field: &str| u16::from_str_radix(field.rsplit(':').next()?, 16).ok();
    let held = table.lines().skip(1).filter(|line| {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        let [_, local, remote, _, _, _, _, _, _, inode, ..] = fields[..] else {
            return false;
        };
        // The kernel goes on alone with one that was closed, and it has no file any more.
        inode != "0"
            && port_of(local) == Some(port)
            && port_of(remote).is_some_and(|remote| ports.contains(&remote))
    });
    Ok(held.count() as u64)
}

/// Lets this process have as many open files as it may, and its children too. Fails if
/// that is less than `needed`.
pub fn raise_open_files(needed: u64) -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit)?;
    ensure!(
        limit.maximum.is_none_or(|most| most >= needed),
        "{needed} open files are needed; raise the limit with ulimit -Hn"
    );
    Ok(())
}

/// How many sockets a process holds, those that it listens on included.
pub fn sockets(pid: u32) -> Result<u64> {
    let mut sockets = 0;
    for descriptor in fs::read_dir(format!("/proc/{pid}/fd")).context("the server is gone")? {
        // One may be closed meanwhile.
        let is_socket = fs::read_link(descriptor?.path())
            .is_ok_and(|target| target.to_string_lossy().starts_with("socket:"));
        sockets += u64::from(is_socket);
    }
    Ok(sockets)
}

/// Makes the peak start again from what is resident now.
pub fn forget_peak(pid: u32) -> Result<()> {
    fs::write(format!("/proc/{pid}/clear_refs"), "5")
        .context("the kernel does not let the peak of memory be reset")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_this_process() {
        let pid = std::process::id();
        let begun = std::time::Instant::now();
        while begun.elapsed() < Duration::from_millis(50) {}
        assert!(cpu_time(pid).unwrap() >= Duration::from_millis(20));
        assert!(precise_cpu_time(pid).unwrap() >= Duration::from_millis(20));
        assert!(own_cpu_time().unwrap() >= Duration::from_millis(20));
        let memory = memory(pid).unwrap();
        assert!(memory.anonymous > 0 && memory.anonymous <= memory.resident);
        let before = sockets(pid).unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert_eq!(sockets(pid).unwrap(), before + 1);
        let port = listener.local_addr().unwrap().port();
        let client = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
        let ports = [client.local_addr().unwrap().port()];
        let (server, _) = listener.accept().unwrap();
        assert_eq!(connections_held(port, &ports).unwrap(), 1);
        drop(server);
        assert_eq!(connections_held(port, &ports).unwrap(), 0);
        assert!(threads(pid).unwrap() >= 1);
        drop((client, listener));
        let mut child = std::process::Command::new("sleep")
            .arg("60")
            .spawn()
            .unwrap();
        assert!(children(pid).unwrap().contains(&child.id()));
        assert!(cpu_time_of_family(pid).unwrap() >= Duration::from_millis(20));
        kill(child.id());
        assert!(!child.wait().unwrap().success());
        assert!(memory.resident <= memory.peak + (1 << 20));
    }
}
