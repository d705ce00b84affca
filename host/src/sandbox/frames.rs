//! wasmtime's backtraces in the host's words.

use crate::backtrace::{Backtrace, Frame, Place};
use wasmtime::{FrameInfo, WasmBacktrace};

/// The guest's frames.
pub fn backtrace(trace: &WasmBacktrace) -> Backtrace {
    Backtrace(trace.frames().iter().flat_map(of_call).collect())
}

/// The frames of one call: those inlined into it come first.
fn of_call(info: &FrameInfo) -> Vec<Frame> {
    let own_name = || match info.func_name() {
        Some(name) => demangle(name),
        None => format!("function {}", info.func_index()),
    };
    if info.symbols().is_empty() {
        let function = own_name();
        return vec![Frame {
            function,
            place: None,
        }];
    }
    info.symbols()
        .iter()
        .map(|symbol| Frame {
            function: symbol.name().map_or_else(own_name, demangle),
            place: symbol.file().zip(symbol.line()).map(|(file, line)| Place {
                file: file.to_owned(),
                line,
                column: symbol.column().filter(|column| *column > 0),
            }),
        })
        .collect()
}

/// A name as its language writes it, if it is one of Rust's or C++'s.
fn demangle(name: &str) -> String {
    if let Ok(rust) = rustc_demangle::try_demangle(name) {
        return format!("{rust:#}");
    }
    cpp_demangle::Symbol::new(name)
        .ok()
        .and_then(|symbol| symbol.demangle().ok())
        .unwrap_or_else(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::demangle;

    #[test]
    fn names_are_read_as_written() {
        let name = "_ZN4core9panicking5panic17h0123456789abcdefE";
        assert_eq!(demangle(name), "core::panicking::panic");
        assert_eq!(demangle("_ZN3foo3barEi"), "foo::bar(int)");
        assert_eq!(demangle("py_run"), "py_run");
    }
}
