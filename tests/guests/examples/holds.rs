//! Takes so many MiB of memory (/memory/N/...) or so many open files (/files/N/...), and
//! then answers (.../answer), or begins an answer and sleeps (.../hold). Where it is
//! refused something it fails on that; or it reports it (.../report), ends (.../exit), or
//! answers what it was told (.../told).
use rhost_test_guests::{Environ, Failure, Input, exception, guest, ok};
use std::fs::File;

fn handle(environ: Environ, _: Input) -> Result<(), Failure> {
    let path = String::from_utf8(environ.path_info).unwrap();
    let mut parts = path.split('/').skip(1);
    let mut part = || parts.next().unwrap();
    let (what, count, then) = (part(), part().parse::<usize>().unwrap(), part());
    let (mut memory, mut files) = (Vec::<u8>::new(), Vec::new());
    let taken = match what {
        "memory" => memory
            .try_reserve_exact(count << 20)
            .map_err(|error| error.to_string()),
        "files" => (0..count).try_for_each(|_| {
            let opened = File::open("/data/file");
            files.push(opened.map_err(|error| format!("{:?}", error.kind()))?);
            Ok(())
        }),
        _ => panic!("no such thing to hold"),
    };
    let said = match (taken, then) {
        (Ok(()), _) => "held".to_owned(),
        (Err(told), "report") => return Err(Failure::Exception(exception(&told))),
        (Err(_), "exit") => std::process::exit(1),
        (Err(told), "told") => told,
        (Err(told), _) => panic!("{told}"),
    };
    ok().write(said.as_bytes()).map_err(Failure::Output)?;
    if then == "hold" {
        std::thread::sleep(std::time::Duration::from_secs(1_000_000));
    }
    drop(std::hint::black_box((memory, files)));
    Ok(())
}

guest!(handle);
