//! Asks much of the directory that it is lent, by its path: lists it over and over
//! (/lists), keeps listings of it as long as it gets any (/keeps), reads a file over and over
//! (/reads), says what it finds there (/names), and opens what the query names (/opens, and to
//! write /writes), whose error it tells; and writes a file and reads it (/copies).
use rhost_test_guests::{Environ, Failure, Input, guest, ok};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let said = match environ.path_info.as_slice() {
        b"/lists" => loop {
            fs::read_dir("/data").expect("it is lent").for_each(drop);
        },
        b"/reads" => loop {
            drop(fs::read("/data/file").expect("it is there"));
        },
        b"/keeps" => {
            let mut kept = Vec::new();
            let error = loop {
                // Its first entry is read, so that it has begun.
                match fs::read_dir("/data").map(|mut listing| (listing.next(), listing)) {
                    Ok(listing) => kept.push(listing),
                    Err(error) => break error,
                }
            };
            format!("{} until {error}", kept.len())
        }
        b"/names" => {
            let entries = fs::read_dir("/data").expect("it is lent");
            let mut names: Vec<_> = entries
                .map(|entry| {
                    let entry = entry.expect("it can be read");
                    let kind = entry.file_type().expect("it is known");
                    let kind = match (kind.is_dir(), kind.is_file(), kind.is_symlink()) {
                        (true, ..) => "dir",
                        (_, true, _) => "file",
                        (.., true) => "link",
                        _ => "other",
                    };
                    format!("{} {kind}", entry.file_name().to_string_lossy())
                })
                .collect();
            names.sort();
            names.join("\n")
        }
        b"/opens" => told(File::open(format!("/data/{}", environ.query_string))),
        b"/writes" => told(
            OpenOptions::new()
                .write(true)
                .open(format!("/data/{}", environ.query_string)),
        ),
        b"/copies" => copies().unwrap_or_else(|error| error.to_string()),
        _ => panic!("no such thing to ask for"),
    };
    ok().write(said.as_bytes()).map_err(Failure::Output)
}

fn told(opened: std::io::Result<File>) -> String {
    opened.map_or_else(|error| error.to_string(), |_| "opened".to_owned())
}

/// Writes more than one call takes, at the beginning and at the end, and reads it again.
fn copies() -> std::io::Result<String> {
    let block: Vec<u8> = (0..300_000_u32).map(|place| place as u8).collect();
    let mut file = File::create("/data/copy")?;
    file.write_all(&block)?;
    file.seek(SeekFrom::Start(10))?;
    file.write_all(b"changed")?;
    file.sync_all()?;
    drop(file);
    let mut file = OpenOptions::new().append(true).open("/data/copy")?;
    file.write_all(&block)?;
    drop(file);
    let mut expected = block.repeat(2);
    expected[10..17].copy_from_slice(b"changed");
    let mut read = Vec::new();
    File::open("/data/copy")?.read_to_end(&mut read)?;
    fs::rename("/data/copy", "/data/moved")?;
    let size = fs::metadata("/data/moved")?.len();
    fs::remove_file("/data/moved")?;
    Ok(format!("{} {size}", read == expected))
}

guest!(handle);
