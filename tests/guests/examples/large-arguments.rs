//! Hands the host as much at a time as its memory holds, without end: blocks of 60 MiB to
//! its answer (/block), or to the log (/log); exceptions of 40 MiB (/exception), or the one
//! that it fails with (/fails); fields of 40 MiB (/fields).
use rhost_test_guests::{
    Environ, ExcInfo, Failure, Input, exception, field, guest, ok, start_response,
};
use std::io::Write;

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let told = |text: String| ExcInfo {
        traceback: text,
        ..exception("of some size")
    };
    match environ.path_info.as_slice() {
        b"/block" => {
            let output = ok();
            let block = vec![b'x'; 60 << 20];
            loop {
                output.write(&block).map_err(Failure::Output)?;
            }
        }
        b"/log" => {
            let block = vec![b'x'; 60 << 20];
            loop {
                let _ = std::io::stderr().write_all(&block);
            }
        }
        b"/exception" => {
            let exception = told("x".repeat(40 << 20));
            loop {
                let _ = start_response(200, &[], Some(&exception));
            }
        }
        b"/fails" => Err(Failure::Exception(told("x\n".repeat(20 << 20)))),
        b"/fields" => {
            let fields = [field("x", &"y".repeat(40 << 20))];
            loop {
                let _ = start_response(200, &fields, None);
            }
        }
        _ => panic!("no such thing to hand over"),
    }
}

guest!(handle);
