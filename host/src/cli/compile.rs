//! Flags that bound what compiling a component may take.

use super::parse::{duration, octets};
use clap::Args;
use rhost::compiler::{Budget, Compiler};
use std::time::Duration;

/// The budget of the process that compiles.
#[derive(Debug, Args)]
#[command(next_help_heading = "Compiling, in a process of its own")]
pub struct CompileArgs {
    /// Time on CPUs for one component, in whole seconds
    #[arg(long, value_name = "TIME", default_value = "120s", value_parser = duration)]
    compile_cpu: Duration,

    /// Memory for one component
    #[arg(long, value_name = "SIZE", default_value = "4GiB", value_parser = octets)]
    compile_memory: u64,
}

impl CompileArgs {
    /// What compiles within them.
    pub fn compiler(&self) -> Compiler {
        Compiler::Apart(Budget {
            cpu: Duration::from_secs(self.compile_cpu.as_secs().max(1)),
            memory: self.compile_memory,
        })
    }
}
