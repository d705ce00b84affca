//! wasmtime's backtraces in the host's words.

use crate::backtrace::{Backtrace, Call};
use wasmtime::{FrameInfo, WasmBacktrace};

/// The guest's frames.
pub fn backtrace(trace: &WasmBacktrace) -> Backtrace {
    Backtrace::of(trace.frames().iter().flat_map(of_call))
}

/// The frames of one call: those inlined into it come first.
fn of_call(info: &FrameInfo) -> impl Iterator<Item = Call<'_>> {
    let call = Call {
        name: info.func_name(),
        index: info.func_index(),
        place: None,
    };
    let symbols = info.symbols();
    let plain = symbols.is_empty().then_some(call);
    let inlined = symbols.iter().map(move |symbol| Call {
        name: symbol.name().or(call.name),
        place: symbol
            .file()
            .zip(symbol.line())
            .map(|(file, line)| (file, line, symbol.column())),
        ..call
    });
    plain.into_iter().chain(inlined)
}
