//! Limits that a guest can reach, and what is said of them.

use crate::commons::Short;
use crate::hit::Hit;
use crate::metrics::Event;
use http::StatusCode;
use std::fmt;
use std::time::Duration;

/// A limit that was reached, with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// Time on a CPU.
    Cpu(Duration),
    /// Time on the clock.
    Wall(Duration),
    /// Octets of memory.
    Memory(u64),
    /// Elements of a table.
    Table(usize),
    /// Octets of response body.
    ResponseBody(u64),
    /// Octets of the stack of calls.
    Stack(u64),
    /// Bytes of arguments of one call of the host.
    Arguments(u64),
    /// Memory of all sandboxes together.
    SandboxMemory(Short),
    /// Files that all sandboxes together have open.
    OpenFiles(Short),
}

impl fmt::Display for Limit {
    /// What fired, its value, and the setting that changes it, if one does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Cpu(time) => write!(
                f,
                "CPU limit of {} reached (--cpu)",
                humantime::format_duration(*time)
            ),
            Limit::Wall(time) => {
                write!(
                    f,
                    "time limit of {} reached (--timeout)",
                    humantime::format_duration(*time)
                )
            }
            Limit::Memory(octets) => {
                write!(f, "memory limit of {} reached (--memory)", Octets(*octets))
            }
            Limit::Table(elements) => {
                write!(
                    f,
                    "table limit of {elements} elements reached (--table-elements)"
                )
            }
            Limit::ResponseBody(octets) => {
                write!(
                    f,
                    "response limit of {} reached (--max-response-body)",
                    Octets(*octets)
                )
            }
            Limit::Stack(octets) => {
                write!(f, "stack limit of {} reached", Octets(*octets))
            }
            Limit::Arguments(bytes) => write!(
                f,
                "limit of {} for what one call of the host is given reached (give it less at a time)",
                Octets(*bytes)
            ),
            Limit::SandboxMemory(Short::All(octets)) => write!(
                f,
                "limit of {} for the memory of all sandboxes together reached (--sandbox-memory)",
                Octets(*octets)
            ),
            Limit::SandboxMemory(Short::Own(octets)) => write!(
                f,
                "limit of {} for the memory of all sandboxes of its tenant reached (memory, of [tenants])",
                Octets(*octets)
            ),
            Limit::SandboxMemory(Short::Share(octets)) => write!(
                f,
                "share of its tenant reached, of the {} of memory that all sandboxes have together: others \
                 are to find some (--sandbox-memory; memory, of [tenants])",
                Octets(*octets)
            ),
            Limit::OpenFiles(Short::All(files)) => write!(
                f,
                "limit of {files} open files of all sandboxes together reached (ulimit -n, --max-connections)"
            ),
            Limit::OpenFiles(Short::Own(files) | Short::Share(files)) => write!(
                f,
                "share of its tenant reached, of the {files} files that all sandboxes may have open together: \
                 others are to find some (ulimit -n, --max-connections)"
            ),
        }
    }
}

/// The guest reached a limit while the host worked for it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LimitReached(pub Limit);

/// A number of octets as people write it: `64 MiB`.
#[derive(Debug, Clone, Copy)]
pub struct Octets(pub u64);

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] {
            if self.0 >= 1 << shift {
                let whole = self.0 >> shift;
                let tenths = ((self.0 - (whole << shift)) * 10) >> shift;
                return match tenths {
                    0 => write!(f, "{whole} {unit}"),
                    tenths => write!(f, "{whole}.{tenths} {unit}"),
                };
            }
        }
        write!(f, "{} bytes", self.0)
    }
}

impl Limit {
    /// Whether it is one of all sandboxes together, of which others took their part.
    pub fn is_of_all(self) -> bool {
        matches!(self, Limit::SandboxMemory(_) | Limit::OpenFiles(_))
    }

    /// What the client gets of a guest that failed over it.
    pub(super) fn status(self) -> StatusCode {
        match self {
            Limit::Cpu(_) | Limit::Wall(_) => StatusCode::GATEWAY_TIMEOUT,
            Limit::SandboxMemory(short) | Limit::OpenFiles(short) => match short {
                Short::All(_) => StatusCode::SERVICE_UNAVAILABLE,
                // It is this tenant that asks for too much, not the host that has too little.
                Short::Own(_) | Short::Share(_) => StatusCode::TOO_MANY_REQUESTS,
            },
            Limit::Memory(_)
            | Limit::Table(_)
            | Limit::ResponseBody(_)
            | Limit::Stack(_)
            | Limit::Arguments(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// What it counts as when it is reached.
    pub(super) fn event(self) -> Event {
        match self {
            Limit::Cpu(_) => Event::Cpu,
            Limit::Wall(_) => Event::Wall,
            Limit::Memory(_) => Event::Memory,
            Limit::Table(_) => Event::Table,
            Limit::ResponseBody(_) => Event::ResponseBody,
            // There is no setting that an operator could change.
            Limit::Stack(_) | Limit::Arguments(_) => Event::AppFailed,
            Limit::SandboxMemory(Short::All(_)) => Event::SandboxMemory,
            Limit::SandboxMemory(_) => Event::TenantMemory,
            Limit::OpenFiles(Short::All(_)) => Event::OpenFiles,
            Limit::OpenFiles(_) => Event::TenantOpenFiles,
        }
    }

    /// The same in its app's ledger.
    pub(super) fn hit(self) -> Hit {
        match self {
            Limit::Cpu(_) => Hit::Cpu,
            Limit::Wall(_) => Hit::Wall,
            Limit::Memory(_) => Hit::Memory,
            Limit::Table(_) => Hit::Table,
            Limit::ResponseBody(_) => Hit::ResponseBody,
            Limit::Stack(_) | Limit::Arguments(_) => Hit::App,
            Limit::SandboxMemory(Short::All(_)) => Hit::SandboxMemory,
            Limit::SandboxMemory(_) => Hit::TenantMemory,
            Limit::OpenFiles(Short::All(_)) => Hit::OpenFiles,
            Limit::OpenFiles(_) => Hit::TenantOpenFiles,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octets_read_well() {
        let shown = |n| Octets(n).to_string();
        assert_eq!(shown(0), "0 bytes");
        assert_eq!(shown(64 << 20), "64 MiB");
        assert_eq!(shown(1536), "1.5 KiB");
        assert_eq!(shown(u64::MAX), "17179869183.9 GiB");
    }

    #[test]
    fn who_asks_for_too_much_is_told_apart_from_who_finds_nothing() {
        for limit in [Limit::SandboxMemory, Limit::OpenFiles] {
            let status = |short| limit(short).status().as_u16();
            assert_eq!(status(Short::All(1)), 503);
            assert_eq!((status(Short::Own(1)), status(Short::Share(1))), (429, 429));
        }
        assert_eq!(Limit::Memory(1).status().as_u16(), 500);
        let said = Limit::SandboxMemory(Short::All(1 << 30)).to_string();
        assert!(
            said.contains("1 GiB") && said.contains("(--sandbox-memory)"),
            "{said}"
        );
    }
}
