//! What the process that compiles is left with: some time and memory, three open
//! files, and system calls that reach nothing else.

use super::Budget;
use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetStatus, Scope};
use rustix::process::{Resource, Rlimit, Signal, nice, set_parent_process_death_signal, setrlimit};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, TargetArch};
use std::collections::BTreeMap;
use std::io;

/// The newest of Landlock's interfaces that is asked for; an older kernel does what
/// it can.
const LANDLOCK: ABI = ABI::V6;

/// Octets of the code that it may write, beside its memory.
const FILE: u64 = 4 << 30;

/// How little it matters beside what serves: by this it gets a tenth of a CPU that
/// others want.
const NICENESS: i32 = 10;

/// System calls that are refused: those that reach other processes, other programs
/// or any network, and new files.
const REFUSED: [libc::c_long; 22] = [
    libc::SYS_accept4,
    libc::SYS_bind,
    libc::SYS_bpf,
    libc::SYS_connect,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_io_uring_setup,
    libc::SYS_kill,
    libc::SYS_keyctl,
    libc::SYS_mount,
    libc::SYS_openat,
    libc::SYS_openat2,
    libc::SYS_perf_event_open,
    libc::SYS_pidfd_open,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_ptrace,
    libc::SYS_setns,
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_unshare,
    libc::SYS_userfaultfd,
];

/// Bounds this process to `budget`. It ends with its parent, and gives way to whatever
/// serves.
pub fn bound(budget: &Budget) -> io::Result<()> {
    set_parent_process_death_signal(Some(Signal::KILL))?;
    nice(NICENESS)?;
    let seconds = budget.cpu.as_secs();
    for (resource, soft, hard) in [
        // The first ends it with a signal that says why.
        (Resource::Cpu, seconds, seconds + 1),
        (Resource::Data, budget.memory, budget.memory),
        (Resource::Fsize, FILE, FILE),
        (Resource::Core, 0, 0),
    ] {
        let limit = Rlimit {
            current: Some(soft),
            maximum: Some(hard),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// Takes from this process what is around it, for good: for all threads that it
/// starts from here on. Returns what this kernel could not take.
pub fn seal() -> io::Result<Vec<&'static str>> {
    let mut open = Vec::new();
    if !shut_files()? {
        open.push("files (Landlock)");
    }
    if !refuse_calls()? {
        open.push("sockets and programs (seccomp)");
    }
    Ok(open)
}

/// No file can be opened from here on. False if the kernel does not know how.
fn shut_files() -> io::Result<bool> {
    let restricted = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))
        .and_then(|rules| rules.handle_access(AccessNet::from_all(LANDLOCK)))
        .and_then(|rules| rules.scope(Scope::from_all(LANDLOCK)))
        .and_then(|rules| rules.create())
        .and_then(|rules| rules.restrict_self());
    let status = restricted.map_err(io::Error::other)?;
    Ok(status.ruleset != RulesetStatus::NotEnforced)
}

/// No call of those that are [`REFUSED`] is made from here on. False if the kernel
/// does not know how, or not for this processor.
fn refuse_calls() -> io::Result<bool> {
    let Ok(arch) = TargetArch::try_from(std::env::consts::ARCH) else {
        return Ok(false);
    };
    let refused: BTreeMap<i64, Vec<_>> =
        REFUSED.into_iter().map(|call| (call, Vec::new())).collect();
    let filter = SeccompFilter::new(
        refused,
        SeccompAction::Allow,
        SeccompAction::Errno(libc::EPERM as u32),
        arch,
    );
    let program: BpfProgram = filter
        .and_then(TryInto::try_into)
        .map_err(io::Error::other)?;
    match seccompiler::apply_filter(&program) {
        Ok(()) => Ok(true),
        Err(seccompiler::Error::Seccomp(error) | seccompiler::Error::Prctl(error))
            if matches!(error.raw_os_error(), Some(libc::ENOSYS | libc::EINVAL)) =>
        {
            Ok(false)
        }
        Err(error) => Err(io::Error::other(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::net::{TcpListener, UdpSocket};
    use std::process::Command;
    use std::time::Duration;

    /// Set in the process that is confined.
    const INSIDE: &str = "RHOST_TEST_CONFINED";

    /// Runs the other test of this name in a process of its own, which has so much.
    fn confined(how: &str) -> std::process::Output {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "compiler::confine::tests::inside", "--nocapture"])
            .env(INSIDE, how)
            .output()
            .unwrap()
    }

    /// What is done in the process that is confined; nothing in any other.
    #[test]
    fn inside() {
        let Ok(how) = std::env::var(INSIDE) else {
            return;
        };
        let budget = Budget {
            cpu: Duration::from_secs(1),
            memory: 256 << 20,
        };
        bound(&budget).unwrap();
        assert!(seal().unwrap().is_empty());
        match how.as_str() {
            "reach" => {
                File::open("/etc/passwd").expect_err("it opens a file");
                File::create("/tmp/rhost-test-confined").expect_err("it makes a file");
                TcpListener::bind("127.0.0.1:0").expect_err("it listens");
                UdpSocket::bind("127.0.0.1:0").expect_err("it has a socket");
                Command::new("true")
                    .status()
                    .expect_err("it runs a program");
                // What it is for goes on.
                assert_eq!(std::thread::spawn(|| 7).join().unwrap(), 7);
                println!("sealed");
            }
            "spin" => loop {
                std::hint::black_box(0);
            },
            "hoard" => {
                let all: Vec<Vec<u8>> = (0..1024).map(|octet| vec![octet as u8; 1 << 20]).collect();
                println!("{}", all.len());
            }
            _ => unreachable!(),
        }
    }

    #[test]
    fn it_reaches_nothing() {
        let output = confined("reach");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{said}{:?}", output.stderr);
        assert!(said.contains("sealed"), "{said}");
    }

    #[test]
    fn it_ends_at_its_limits() {
        use std::os::unix::process::ExitStatusExt;
        let status = confined("spin").status;
        assert_eq!(status.signal(), Some(Signal::XCPU.as_raw()), "{status}");
        assert!(!confined("hoard").status.success());
    }
}
