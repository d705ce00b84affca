//! Guests.

use super::App::{Example, Made};
use super::{Adversary, App};
use crate::hostile::components;

/// All of them.
pub const ALL: &[Adversary] = &[
    example("loops", "spin-forever", 64, "/").doing("64 requests that compute and never answer"),
    example("memory", "memory-hog", 64, "/")
        .doing("64 requests that take all memory they can have"),
    made("bulk-fill", components::fills, 8)
        .doing("8 that fill 230 MiB with one instruction, again and again"),
    made("bulk-copy", components::copies, 8)
        .doing("8 that copy 115 MiB with one instruction, again and again")
        .at_length(),
    made("bulk-grow", components::grows, 8).doing("8 that take 230 MiB at once, and trap"),
    made("tables", components::tables, 300)
        .doing("300 that grow and fill four tables of 99,000 elements"),
    made("passive-segments", components::segments, 300)
        .doing("300 with as many elements of passive segments as a component may have"),
    example("images", "big-hangs", 300, "/")
        .doing("300 with an image of 24 MiB that begin an answer and sleep")
        .at_length(),
    example("sleepers", "sleep-forever", 10_000, "/")
        .doing("10,000 that sleep")
        .with_server("max-connections = 0"),
    example("naps", "naps", 64, "/naps")
        .doing("64 that sleep for a nanosecond, again and again")
        .at_length(),
    example("clock", "naps", 8, "/clock")
        .doing("8 that ask for the time without end")
        .at_length(),
    example("calls", "spin-in-host-calls", 64, "/")
        .doing("64 that write nothing, and read nothing, without end"),
    example("handles", "keeps-handles", 16, "/outputs")
        .doing("16 that keep outputs without end")
        .at_length(),
    example("open-files", "keeps-handles", 64, "/files").doing("64 that open files without end"),
    files("listings", 8, "/list").doing("8 that list 20,000 files, again and again"),
    files("streams", 16, "/streams").doing("16 that begin listings of 20,000 files and keep them"),
    files("fifo", 1_033, "/fifo").doing("1,033 that read a FIFO that nobody writes to"),
    files("stat", 64, "/stat")
        .doing("64 that ask about a file without end")
        .at_length(),
    files("sync", 16, "/sync")
        .doing("16 that have files written to the disk without end")
        .at_length(),
    files("large-reads", 16, "/read")
        .doing("16 that read 16 MiB at a time without end")
        .at_length(),
    files("sizes", 16, "/sizes")
        .doing("16 that make a file large and small without end")
        .at_length(),
    files("renames", 16, "/rename")
        .doing("16 that make files and rename them without end")
        .at_length(),
    files("names", 8, "/name").doing("8 that ask by a name of 40 MiB"),
    example("large-blocks", "large-arguments", 16, "/block")
        .doing("16 that write 60 MiB at a time"),
    example("large-logs", "large-arguments", 16, "/log").doing("16 that log 60 MiB at a time"),
    example("exceptions", "large-arguments", 8, "/exception")
        .doing("8 that begin their answers anew with an exception of 40 MiB, without end"),
    example("failures", "large-arguments", 8, "/fails")
        .doing("8 that fail with an exception of 40 MiB"),
    example("fields", "large-arguments", 8, "/fields")
        .doing("8 that answer a field of 40 MiB, without end")
        .at_length(),
    example("header-floods", "header-flood", 16, "/")
        .doing("16 that answer 100,000 fields")
        .at_length(),
    example("log-floods", "log-flood", 16, "/flood").doing("16 that log 200,000 lines"),
    example("told-floods", "log-flood", 16, "/tells")
        .doing("16 that tell of 100,000 exceptions")
        .at_length(),
    example("traps", "recurses", 64, "/")
        .doing("64 that use up their stack")
        .at_length(),
    made("names-of-cxx", named, 8)
        .doing("8 that trap in a function whose name is 268 million letters, in C++"),
    made("names-forged", components::forged, 8)
        .doing("8 that trap in a function whose name is 10,000 lines"),
];

const fn example(
    name: &'static str,
    guest: &'static str,
    clients: usize,
    target: &'static str,
) -> Adversary {
    Adversary::guest(name, Example(guest), clients, target)
}

const fn files(name: &'static str, clients: usize, target: &'static str) -> Adversary {
    example(name, "floods-files", clients, target)
}

const fn made(
    name: &'static str,
    make: fn() -> anyhow::Result<Vec<u8>>,
    clients: usize,
) -> Adversary {
    Adversary::guest(name, Made(make) as App, clients, "/")
}

fn named() -> anyhow::Result<Vec<u8>> {
    components::named(14)
}
