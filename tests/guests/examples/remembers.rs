//! Counts its requests, keeps what it was given, and leaves behind what it can: what
//! an instance that serves again must not do to the next request.
use rhost_test_guests::{
    Environ, Failure, Input, Output, exception, field, guest, ok, read_all, start_response,
};
use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

static REQUESTS: AtomicU32 = AtomicU32::new(0);
/// Whether a request of this instance is under way.
static BUSY: AtomicBool = AtomicBool::new(false);

thread_local! {
    static KEPT: RefCell<Option<(Input, Output)>> = const { RefCell::new(None) };
}

fn handle(environ: Environ, input: Input) -> Result<(), Failure> {
    let number = REQUESTS.fetch_add(1, Ordering::Relaxed) + 1;
    if BUSY.swap(true, Ordering::Relaxed) {
        return ok().write(b"shared").map_err(Failure::Output);
    }
    let result = answer(number, &environ, input);
    BUSY.store(false, Ordering::Relaxed);
    result
}

fn answer(number: u32, environ: &Environ, input: Input) -> Result<(), Failure> {
    let once = environ.run_once;
    let mut text = format!("{number}");
    match environ.path_info.as_slice() {
        b"/once" => text = format!("{once}"),
        b"/trap" => panic!("as it was asked to"),
        b"/exit" => std::process::exit(0),
        b"/fail" => return Err(Failure::Exception(exception("as it was asked to"))),
        b"/spin" => loop {
            std::hint::black_box(number);
        },
        b"/twice" => {
            let _first = ok();
            let _second = start_response(200, &[], None);
            return Ok(());
        }
        b"/short" => {
            let length = [field("content-length", "9")];
            let output = start_response(200, &length, None).expect("it is accepted");
            return output.write(b"8 more").map_err(Failure::Output);
        }
        b"/nothing" => return Ok(()),
        b"/read" => drop(read_all(&input)),
        b"/stream" => {
            let output = ok();
            for block in [&b"begun"[..], b" and"] {
                output.write(block).map_err(Failure::Output)?;
            }
            read_all(&input).map_err(Failure::Input)?;
            return output.write(b" ended").map_err(Failure::Output);
        }
        b"/keep" => {
            let output = ok();
            let written = output.write(text.as_bytes());
            KEPT.set(Some((input, output)));
            return written.map_err(Failure::Output);
        }
        b"/stale" => {
            let (old_input, old_output) = KEPT.take().expect("something was kept");
            text = format!("{:?} {:?}", old_input.read(10), old_output.write(b"stale"));
            // Before and after this request has an output of its own.
            let output = ok();
            text += &format!(" {:?}", old_output.write(b"stale"));
            text += &format!(" {:?}", input.read(10).map(|block| block.len()));
            return output.write(text.as_bytes()).map_err(Failure::Output);
        }
        b"/memory" => std::mem::forget(std::hint::black_box(vec![1_u8; 4 << 20])),
        b"/files" => {
            for _ in 0..50 {
                std::mem::forget(std::fs::File::open("/data/file").expect("it is lent"));
            }
        }
        b"/outputs" => {
            for _ in 0..20_000 {
                let again = start_response(200, &[], Some(&exception("again")));
                std::mem::forget(again);
            }
            return Ok(());
        }
        b"/print" => eprint!("printed by {number}, without an end"),
        _ => {}
    }
    ok().write(text.as_bytes()).map_err(Failure::Output)
}

guest!(handle);
