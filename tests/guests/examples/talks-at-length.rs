//! Gives the host more at a time than anybody needs. The query is how much, in MiB: a block
//! (/block), one again and again (/blocks), an exception that it tells of (/told) or fails
//! with (/fails), the name of a field (/field), a path (/path). Or nothing at all, a million
//! times: blocks (/nothing), and what it prints (/prints-nothing).
use rhost_test_guests::{Environ, ExcInfo, Failure, Input, guest, ok, start_response};
use std::io::Write;

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let size = environ.query_string.parse().unwrap_or(1) * (1 << 20);
    let text = || "x".repeat(size);
    let long = || ExcInfo {
        kind: text(),
        message: text(),
        traceback: text(),
    };
    match environ.path_info.as_slice() {
        b"/block" => {
            let block = text();
            ok().write(block.as_bytes()).map_err(Failure::Output)
        }
        b"/blocks" => {
            let (block, output) = (text(), ok());
            loop {
                output.write(block.as_bytes()).map_err(Failure::Output)?;
            }
        }
        b"/told" => {
            let told = start_response(200, &[], Some(&long())).expect("it may be told");
            told.write(b"told").map_err(Failure::Output)
        }
        b"/fails" => Err(Failure::Exception(long())),
        b"/field" => {
            let refused = start_response(200, &[(text(), b"value".to_vec())], None).err();
            ok().write(format!("{refused:?}").as_bytes())
                .map_err(Failure::Output)
        }
        b"/path" => {
            let refused = std::fs::File::open(format!("/data/{}", text())).err();
            let refused = refused.expect("there is no such file").to_string();
            ok().write(refused.as_bytes()).map_err(Failure::Output)
        }
        b"/nothing" => {
            let output = ok();
            for _ in 0..1_000_000 {
                output.write(b"").map_err(Failure::Output)?;
            }
            output.write(b"nothing").map_err(Failure::Output)
        }
        b"/prints-nothing" => {
            for _ in 0..200_000 {
                let _ = std::io::stdout().lock().write(b"");
                let _ = std::io::stdout().lock().flush();
                let _ = std::io::stderr().lock().write(b"");
            }
            ok().write(b"nothing").map_err(Failure::Output)
        }
        _ => panic!("nothing of that kind"),
    }
}

guest!(handle);
