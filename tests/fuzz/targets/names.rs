//! Whatever a component calls its functions and its files: a backtrace of that is short, has a
//! line for each frame and one for its place, and nothing in it moves a cursor.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rhost::backtrace::{Backtrace, Call, function_name};

fuzz_target!(|written: &[u8]| {
    let text = String::from_utf8_lossy(written);
    for name in [&*text, &format!("_Z{text}"), &format!("_R{text}")] {
        let shown = function_name(name);
        assert!(shown.len() <= 1100, "{}", shown.len());
        assert!(is_plain(&shown), "{shown:?}");
    }
    let calls = text.split('\0').enumerate().map(|(number, name)| Call {
        name: (number % 3 != 2).then_some(name),
        index: number as u32,
        place: (number % 2 == 0).then_some((name, number as u32, None)),
    });
    let calls: Vec<Call<'_>> = calls.cycle().take(200).collect();
    let backtrace = Backtrace::of(calls.iter().copied());
    assert_eq!(backtrace.frames.len() + backtrace.left_out, 200);
    let shown = backtrace.to_string();
    assert!(shown.len() <= 32 << 10, "{}", shown.len());
    assert!(shown.lines().count() <= 2 * backtrace.frames.len() + 1);
    assert!(shown.lines().all(is_plain), "{shown:?}");
});

fn is_plain(line: &str) -> bool {
    !line.contains(|c: char| (c.is_control() && c != '\t') || matches!(c, '\u{202a}'..='\u{202e}'))
}
