//! Names of functions, as their languages write them.
//!
//! A mangled name refers back to its own parts. So one of a few hundred bytes can stand for one that
//! no memory holds, and a parser that goes back can take for ever over one that stands for nothing.
//! The demanglers bound neither. Here the mangled name is bounded, the depth, the steps, what is
//! written, and the time that one backtrace has.

use crate::printable::{Bounded, cut};
use cpp_demangle::{DemangleOptions, ParseOptions, Symbol};
use rustix::time::{ClockId, clock_gettime};
use std::collections::HashMap;
use std::fmt::Write;
use std::panic::catch_unwind;
use std::time::Duration;

/// The most bytes of a name, as it is shown.
const SHOWN: usize = 1024;
/// The most bytes of a mangled name of Rust's: its demangler goes through them once.
const RUST: usize = 4096;
/// The most bytes of a mangled name of C++. Of 20,000 of LLVM's 99.9 % have fewer.
const CPP: usize = 512;
/// How deep a name of C++ may be nested. The parser goes back, by which its time doubles every few
/// levels: at its own default of 96 a name of 1 KB took 3 s, with 32 one of 512 bytes some
/// milliseconds, and 98 % of LLVM's names are less deep.
const DEPTH: u32 = 32;
/// CPU time after which one backtrace demangles no more names of C++; ten of LLVM's take 60 us.
const TIME: Duration = Duration::from_millis(2);

/// Demangles the names of one backtrace.
#[derive(Default)]
pub struct Demangler<'a> {
    /// What was demangled: a function that calls itself is in a backtrace many times.
    known: HashMap<&'a str, String>,
    spent: Duration,
}

impl<'a> Demangler<'a> {
    /// Returns `name` as it is to be shown.
    pub fn name(&mut self, name: &'a str) -> String {
        if let Some(known) = self.known.get(name) {
            return known.clone();
        }
        let begun = now();
        let shown = match self.spent < TIME {
            true => function_name(name),
            false => cut(name, SHOWN),
        };
        self.spent += now().saturating_sub(begun);
        self.known.insert(name, shown.clone());
        shown
    }
}

/// Returns the name of a function as its language writes it, if it is one of Rust's or of C++'s;
/// else as it is. It is one line of at most some 1,024 bytes, with control characters escaped.
pub fn function_name(name: &str) -> String {
    match rust(name).or_else(|| cpp(name)) {
        Some(shown) => cut(&shown, SHOWN),
        None => cut(name, SHOWN),
    }
}

fn rust(name: &str) -> Option<String> {
    if name.len() > RUST {
        return None;
    }
    let name = rustc_demangle::try_demangle(name).ok()?;
    let mut shown = Bounded::new(SHOWN);
    let written = write!(shown, "{name:#}");
    (written.is_ok() || shown.is_cut()).then(|| shown.finish())
}

fn cpp(name: &str) -> Option<String> {
    if name.len() > CPP || !name.starts_with("_Z") {
        return None;
    }
    // The demangler has assertions, which are not to end the request.
    catch_unwind(|| {
        let parse = ParseOptions::default().recursion_limit(DEPTH);
        let symbol = Symbol::new_with_options(name, &parse).ok()?;
        let mut shown = Bounded::new(SHOWN);
        let write = DemangleOptions::new().recursion_limit(DEPTH);
        let written = symbol.structured_demangle(&mut shown, &write);
        (written.is_ok() || shown.is_cut()).then(|| shown.finish())
    })
    .ok()?
}

/// CPU time of this thread.
fn now() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name of C++ of which each part is four times the one before.
    fn explodes(levels: usize) -> String {
        let number = |n: usize| match n {
            0 => "S_".to_owned(),
            n => format!("S{}_", base_36(n - 1)),
        };
        let mut name = "_Z1f1a".to_owned();
        // A substitution for each: the name, then what is made of four of the last.
        name += "1tIS_S_S_S_E";
        for level in 1..levels {
            let last = number(2 * level);
            name += &format!("1{}I{last}{last}{last}{last}E", letter(level));
        }
        name
    }

    fn base_36(n: usize) -> String {
        let digit = |n: usize| char::from_digit(n as u32, 36).unwrap().to_ascii_uppercase();
        match n / 36 {
            0 => digit(n).to_string(),
            tens => format!("{}{}", digit(tens), digit(n % 36)),
        }
    }

    fn letter(n: usize) -> char {
        (b'a' + (n % 26) as u8) as char
    }

    #[test]
    fn names_are_read_as_written() {
        let name = "_ZN4core9panicking5panic17h0123456789abcdefE";
        assert_eq!(function_name(name), "core::panicking::panic");
        assert_eq!(function_name("_ZN3foo3barEi"), "foo::bar(int)");
        assert_eq!(function_name("_RNvC3foo3bar"), "foo::bar");
        assert_eq!(function_name("py_run"), "py_run");
        // What does not begin as a mangled name does is none.
        assert_eq!(function_name("Z3foov"), "Z3foov");
    }

    #[test]
    fn one_that_stands_for_more_than_memory_holds_is_cut_off() {
        // Unbounded it would have some 4^12 times the 30 bytes of its parts.
        let name = explodes(12);
        assert!(name.len() <= CPP, "{}", name.len());
        let shown = function_name(&name);
        assert!(shown.starts_with("f(a") && shown.ends_with('…'), "{shown}");
        assert!(shown.len() < SHOWN + 8);
    }

    #[test]
    fn packs_of_nothing_are_cut_off() {
        let argument = |n: usize| match n {
            0 => "T_".to_owned(),
            n => format!("T{}_", base_36(n - 1)),
        };
        let mut name = "_Z1fIJE".to_owned();
        for level in 0..7 {
            name += &format!("J{}E", argument(level).repeat(3));
        }
        name += &format!("EvDp{}", argument(7));
        let shown = function_name(&name);
        assert!(
            shown.starts_with("void f<, , ") && shown.ends_with('…'),
            "{shown}"
        );
    }

    #[test]
    fn one_that_is_deep_is_given_up() {
        // Each level is tried several ways before it is known to be wrong.
        let deep = "_ZUlscDF16_ptS_".to_owned() + &"gs1aSaOS_".repeat(50);
        assert_eq!(function_name(&deep), deep);
        let long = "_Z".to_owned() + &"P".repeat(1 << 20);
        assert!(function_name(&long).len() < SHOWN + 8);
    }

    #[test]
    fn a_name_of_rust_is_bounded_too() {
        // Tuples of tuples, by references back into the name.
        let mut name = "_RINvC1c1f".to_owned();
        let mut last = name.len() - 2;
        name += "TuuuuE";
        for _ in 0..16 {
            let back = format!("B{}_", base_62(last - 1));
            last = name.len() - 2;
            name += &format!("T{back}{back}{back}{back}E");
        }
        name += "E";
        let shown = function_name(&name);
        assert!(
            shown.starts_with("c::f::<") && shown.ends_with('…'),
            "{shown}"
        );
        assert!(shown.len() < SHOWN + 8);
    }

    fn base_62(n: usize) -> String {
        let digit = |n: usize| match n {
            0..36 => char::from_digit(n as u32, 36).unwrap(),
            n => (b'A' + (n - 36) as u8) as char,
        };
        match n / 62 {
            0 => digit(n).to_string(),
            tens => format!("{}{}", digit(tens), digit(n % 62)),
        }
    }

    #[test]
    fn what_is_decoded_is_escaped() {
        // `\u{202e}` as Punycode, in an identifier of Rust's.
        assert_eq!(function_name("_RNvC1cu6xy_g4t"), "c::x\\u{202e}y");
        assert_eq!(function_name("a\nb\u{1b}[31m"), "a\\nb\\u{1b}[31m");
    }

    #[test]
    fn a_backtrace_has_only_so_much_time() {
        let mut demangler = Demangler {
            spent: TIME,
            ..Demangler::default()
        };
        assert_eq!(demangler.name("_ZN3foo3barEi"), "_ZN3foo3barEi");
        assert_eq!(Demangler::default().name("_ZN3foo3barEi"), "foo::bar(int)");
    }
}
