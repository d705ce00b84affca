//! From a component to code for this machine.
//!
//! Compiling is where a small file can cost most: some hundred kilobytes can keep
//! Cranelift busy for minutes, and that is no fault of Cranelift's. So what a
//! component is made of is bounded first (`bounds`), and it is compiled by a process
//! of its own (`apart`): one that has so much time and memory, and no file and no
//! network (`confine`). Over its budget it is that process that ends. There it is also made
//! a component that can be stopped at any instruction (`bulk`).

mod apart;
pub mod bounds;
pub mod bulk;
pub mod child;
mod confine;
mod payer;
pub mod queue;

pub use payer::Payer;

use crate::failure::Octets;
use crate::printable::cut;
use crate::sandbox::Engines;
use std::io;
use std::time::{Duration, Instant};
use wasmtime::Engine;

/// The most bytes of what the compiler says of a component: it may quote the component.
const SAID: usize = 1024;

/// What compiling one component may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Time on CPUs, all of them together; whole seconds.
    pub cpu: Duration,
    /// Octets of memory.
    pub memory: u64,
}

impl Default for Budget {
    fn default() -> Self {
        Budget {
            cpu: Duration::from_secs(120),
            memory: 4 << 30,
        }
    }
}

/// Where components are compiled.
#[derive(Debug, Clone, Copy)]
pub enum Compiler {
    /// In this process, without a budget.
    Here,
    /// By a process of its own, of this same program: it has to call [`child::run`]
    /// when it is told to.
    Apart(Budget),
}

/// Why there is no code.
#[derive(Debug, thiserror::Error)]
pub enum CompileError {
    /// It is more than any app is.
    #[error("it has {found} {what}, and may have {most}")]
    Bounds {
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: u64,
        /// How many there may be.
        most: u64,
    },
    /// It is no valid component.
    #[error("not a valid component: {}{}", cut(.0, SAID), advice(.0))]
    Invalid(String),
    /// It took longer than it may.
    #[error(
        "it takes more than {} of CPU time to compile; allow it more with --compile-cpu",
        humantime::format_duration(*limit)
    )]
    Cpu {
        /// What it may take.
        limit: Duration,
    },
    /// The compiler ended without a word.
    #[error(
        "the compiler ended by itself ({}); if it wanted more than {} of memory, allow it more \
         with --compile-memory",
        cut(how, SAID),
        Octets(*memory)
    )]
    Died {
        /// Its status, and the last that it said.
        how: String,
        /// What it may have.
        memory: u64,
    },
    /// Others' are compiled first, or its payer has used its quota.
    #[error("{0}")]
    Refused(queue::Refusal),
    /// The system gave no process to compile it.
    #[error("no process can be had to compile it: {0}")]
    Io(#[from] io::Error),
}

/// Has `engine` compile `component`, so that the code of all of it can be stopped.
fn code(engine: &Engine, component: &[u8]) -> Result<Vec<u8>, CompileError> {
    let component =
        bulk::in_pieces(component).map_err(|error| CompileError::Invalid(error.to_string()))?;
    engine
        .precompile_component(&component)
        .map_err(|error| CompileError::Invalid(format!("{error:#}")))
}

/// Proposals that no guest is lent, by what the compiler says of one that needs them.
const OFF: [(&str, &[&str]); 4] = [
    (
        "garbage collection",
        &["gc feature", "`gc` proposal", "gc support", "requires gc"],
    ),
    ("function references", &["function references"]),
    ("exceptions", &["exceptions proposal", "exception handling"]),
    ("threads", &["threads must be", "threads support"]),
];

/// What to do about a component of which the compiler `said` this.
fn advice(said: &str) -> String {
    let needed = OFF
        .iter()
        .find(|(_, words)| words.iter().any(|word| said.contains(word)));
    needed.map_or_else(String::new, |(proposal, _)| {
        format!("; rhost runs no guest that needs {proposal}: build it without")
    })
}

impl Compiler {
    /// Compiles `component` for `engines`, on as many threads as there are cores. Whether
    /// that succeeds or not, `charge` is told the CPU time that it took.
    pub fn compile(
        &self,
        engines: &Engines,
        component: &[u8],
        charge: impl FnOnce(Duration),
    ) -> Result<Vec<u8>, CompileError> {
        bounds::check(component)?;
        match self {
            Compiler::Here => {
                let begun = Instant::now();
                let code = code(engines.compiler(), component);
                charge(begun.elapsed());
                code
            }
            Compiler::Apart(budget) => {
                let mut spent = Duration::ZERO;
                let code = apart::compile(budget, engines.details(), component, &mut spent);
                charge(spent);
                code
            }
        }
    }
}
