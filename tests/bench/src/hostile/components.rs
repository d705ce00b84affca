//! Components that no toolchain makes, written by hand.

use std::fmt::Write;
use std::iter;

use anyhow::Result;

/// An application with places for what it does; those of the promises.
const APPLICATION: &str = include_str!("../../../promises/hostile_guests/application.wat");

/// Begins an answer of 200.
const ANSWERS: &str = "(call $answer (i32.const 200))";

/// Pages that are had of a memory of 256 MiB.
const PAGES: u32 = 3_700;

/// Tables that an instance may have.
const TABLES: u32 = 4;

/// Elements of passive segments that a module of which there may be two instances has: of 16
/// bytes each, 128 KiB in all with what the segments take themselves.
const ELEMENTS: usize = 4_094;

fn application(module: &str, handle: &str) -> Result<Vec<u8>> {
    let text = APPLICATION
        .replace("(;module;)", module)
        .replace("(;handle;)", handle);
    Ok(wat::parse_str(text)?)
}

/// One that answers; that of another number is other code.
pub fn tiny(number: u32) -> Result<Vec<u8>> {
    application("", &format!("(drop (i32.const {number})) {ANSWERS}"))
}

/// Fills 230 MiB of memory without end.
pub fn fills() -> Result<Vec<u8>> {
    bulk("(memory.fill (i32.const 65536) (i32.const 1) (i32.const 242000000))")
}

/// Copies half of its memory to the other half without end.
pub fn copies() -> Result<Vec<u8>> {
    bulk("(memory.copy (i32.const 121000000) (i32.const 65536) (i32.const 120000000))")
}

fn bulk(instruction: &str) -> Result<Vec<u8>> {
    let grow = format!("(drop (memory.grow (i32.const {PAGES})))");
    application(
        "",
        &format!("{grow} (loop $again {instruction} (br $again))"),
    )
}

/// Takes all of its memory, and no more than a page of it, and ends in a trap, which the
/// next request does as well.
pub fn grows() -> Result<Vec<u8>> {
    application(
        "",
        &format!("(drop (memory.grow (i32.const {PAGES}))) unreachable"),
    )
}

/// Fills its tables to the last element, again and again.
pub fn tables() -> Result<Vec<u8>> {
    let mut module = String::new();
    let (mut grow, mut fill) = (String::new(), String::new());
    for table in 0..TABLES {
        write!(module, "(table $table{table} 1 funcref) ")?;
        write!(
            grow,
            "(drop (table.grow $table{table} (ref.func $spin) (i32.const 99000))) "
        )?;
        write!(
            fill,
            "(table.fill $table{table} (i32.const 0) (ref.func $spin) (table.size $table{table})) "
        )?;
    }
    module += "(elem declare func $spin)";
    application(&module, &format!("{grow} (loop $again {fill} (br $again))"))
}

/// Has as many elements of passive segments as a component of two instances may have, and
/// computes without end.
pub fn segments() -> Result<Vec<u8>> {
    let segment = format!("(elem func {})", "$spin ".repeat(ELEMENTS));
    application(&segment, "(call $spin)")
}

/// Traps in a function whose name, by the rules of C++, stands for one of 4 to the power
/// of `levels` letters.
pub fn named(levels: usize) -> Result<Vec<u8>> {
    let mut name = "_Z1f1a1bIS_S_S_S_E".to_owned();
    // Each type is a template of four of the one before: S_ is a, S0_ is b, and then they
    // are numbered in base 36.
    for level in 0..levels.saturating_sub(1) {
        let last = match level {
            0 => "S1_".to_owned(),
            _ => format!(
                "S{}_",
                char::from_digit(level as u32 + 1, 36)
                    .unwrap_or('z')
                    .to_ascii_uppercase()
            ),
        };
        write!(name, "S0_I{last}{last}{last}{last}E")?;
    }
    let module = format!("(func ${name} unreachable)");
    application(&module, &format!("(call ${name})"))
}

/// Traps in a function whose name has line feeds and what looks like a line of the log.
pub fn forged() -> Result<Vec<u8>> {
    let lines = "\\0arhost: forged".repeat(10_000);
    let module = format!("(func $named (@name \"x{lines}\") unreachable)");
    application(&module, "(call $named)")
}

/// A component of types within types, each twice the one before.
pub fn deep(number: usize) -> Result<Vec<u8>> {
    let mut text = format!("(component (type $t0 (tuple u{} u8))", 8 << (number % 4));
    for level in 1..40 {
        let last = level - 1;
        write!(text, "(type $t{level} (tuple $t{last} $t{last}))")?;
    }
    // The number makes it another one.
    write!(
        text,
        "(type (tuple {})))",
        iter::repeat_n("u8", number % 500 + 1)
            .collect::<Vec<_>>()
            .join(" ")
    )?;
    Ok(wat::parse_str(text)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_a_component() {
        for made in [
            tiny(1),
            fills(),
            copies(),
            grows(),
            tables(),
            segments(),
            named(14),
            forged(),
            deep(3),
        ] {
            assert!(made.unwrap().starts_with(b"\0asm\x0d\0\x01\0"));
        }
        assert_ne!(tiny(1).unwrap(), tiny(2).unwrap());
        assert_ne!(deep(1).unwrap(), deep(2).unwrap());
        assert!(named(14).unwrap().len() < 4096);
    }
}
