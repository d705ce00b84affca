//! Asks the host for files without end, in the directory that it was lent: lists it
//! (/list), holds listings that it has begun (/streams), reads what never comes (/fifo),
//! asks about a file (/stat), writes one and has it written to the disk (/sync), reads one
//! (/read), makes it large and small (/sizes), gives it other names (/rename), or asks by
//! a name of 40 MiB (/name).
use rhost_test_guests::{Environ, Failure, Input, guest};
use std::fs::{self, File};
use std::hint::black_box;
use std::io::{Read, Write};
use std::mem::forget;

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    // What is refused is asked for again.
    match environ.path_info.as_slice() {
        b"/list" => forever(|| fs::read_dir("/data/many").map(|listing| listing.count())),
        b"/streams" => forever(|| {
            let mut listing = fs::read_dir("/data/many")?;
            let first = listing.next().map(drop);
            forget(listing);
            Ok(first)
        }),
        b"/fifo" => forever(|| File::open("/data/fifo")?.read(&mut [0])),
        b"/stat" => forever(|| fs::metadata("/data/file")),
        b"/sync" => forever(|| {
            let mut file = File::create("/data/synced")?;
            file.write_all(&[1; 64 * 1024])?;
            file.sync_all()
        }),
        b"/read" => {
            let mut block = vec![0; 16 << 20];
            forever(move || File::open("/data/large")?.read(&mut block))
        }
        b"/sizes" => forever(|| {
            let file = File::create("/data/sized")?;
            file.set_len(1 << 40)?;
            file.set_len(0)
        }),
        b"/rename" => forever(|| {
            File::create("/data/one")?;
            fs::rename("/data/one", "/data/other")
        }),
        b"/name" => {
            let name = format!("/data/{}", "x".repeat(40 << 20));
            forever(move || fs::metadata(&name))
        }
        _ => panic!("no such thing to ask for"),
    }
}

fn forever<T>(mut ask: impl FnMut() -> std::io::Result<T>) -> ! {
    loop {
        let _ = black_box(ask());
    }
}

guest!(handle);
