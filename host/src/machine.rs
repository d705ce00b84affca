//! What this process may have of its machine: memory, open files, and processors.

use rustix::process::{Resource, getrlimit};
use std::path::{Path, PathBuf};

/// Where control groups are found, and the file of each that says how much memory it may
/// have: those of the second version, and those of the first.
const GROUPS: [(&str, &str); 2] = [
    ("/sys/fs/cgroup", "memory.max"),
    ("/sys/fs/cgroup/memory", "memory.limit_in_bytes"),
];

/// Half of the memory, in octets, if the kernel tells how much there is: the machine's, or
/// what the control groups that this process is in may have, where that is less.
pub fn half_of_memory() -> Option<u64> {
    let all = machine(&std::fs::read_to_string("/proc/meminfo").ok()?)?;
    let groups = std::fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let limits = files_of(&groups).into_iter().filter_map(|path| {
        // Without a limit it says `max`, or a number beyond all memory.
        std::fs::read_to_string(path).ok()?.trim().parse().ok()
    });
    Some(limits.fold(all, u64::min) / 2)
}

/// How many processors the process may use.
pub fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many files the process may have open, by the lower of its limits.
pub fn open_files() -> u64 {
    getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX)
}

/// The machine's memory in octets, as `/proc/meminfo` has it.
fn machine(meminfo: &str) -> Option<u64> {
    let total = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = total.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

/// The files that say how much memory the groups of `/proc/self/cgroup` may have: each
/// group's, and those of all that it lies in. Within a container only the outermost is
/// there, and is the container's.
fn files_of(groups: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for line in groups.lines() {
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else {
            continue;
        };
        let (root, file) = match controllers {
            "" => GROUPS[0],
            _ if controllers.split(',').any(|it| it == "memory") => GROUPS[1],
            _ => continue,
        };
        let path = Path::new(path.trim_start_matches('/'));
        files.extend(
            path.ancestors()
                .map(|at| Path::new(root).join(at).join(file)),
        );
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_memory_is_read() {
        let text = "MemTotal:        2048 kB\nMemFree:         1024 kB\n";
        assert_eq!(machine(text), Some(2 << 20));
        assert_eq!(machine("MemFree: 1 kB\n"), None);
        assert!(half_of_memory().is_some_and(|octets| octets > 1 << 20));
    }

    #[test]
    fn groups_of_both_versions_are_found() {
        let files = files_of("4:cpu,memory:/a/b\n1:name=systemd:/x\n0::/c\nnonsense\n");
        let files: Vec<_> = files.iter().map(|path| path.to_str().unwrap()).collect();
        assert_eq!(
            files,
            [
                "/sys/fs/cgroup/memory/a/b/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/a/memory.limit_in_bytes",
                "/sys/fs/cgroup/memory/memory.limit_in_bytes",
                "/sys/fs/cgroup/c/memory.max",
                "/sys/fs/cgroup/memory.max",
            ]
        );
    }
}
