//! What functions of the host cost, asked for without end by guests of a process of its own:
//! what it has of memory and threads, and whether others are served beside.

use crate::guests::guest;
use crate::serving::{Serving, get, rhost};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

const MIB: u64 = 1 << 20;

/// A number of the process's status.
fn status(serving: &Serving, name: &str) -> u64 {
    let pid = serving.pid().as_raw_nonzero();
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap().trim_start_matches(':').split_whitespace();
    number.take(1).next().unwrap().parse().unwrap()
}

/// Threads that work on files.
fn file_threads(serving: &Serving) -> usize {
    let tasks = format!("/proc/{}/task", serving.pid().as_raw_nonzero());
    let tasks = fs::read_dir(tasks).unwrap().flatten();
    // One may end meanwhile.
    let names = tasks.filter_map(|task| fs::read_to_string(task.path().join("comm")).ok());
    names
        .filter(|name| name.trim_end() == "rhost-files")
        .count()
}

/// Bytes that no file is behind.
fn memory(serving: &Serving) -> u64 {
    status(serving, "RssAnon") << 10
}

/// Serves the guest called `name`, which is lent `data`.
fn serving(name: &str, data: &Path, flags: &[&str]) -> Serving {
    let (guest, lent) = (guest(name), format!("{}:/data", data.display()));
    let app = [guest.to_str().unwrap(), "--dir", &lent, "--access-log=off"];
    Serving::start(rhost(), &[&app, flags].concat())
}

/// The body of an answer of 200.
fn body(answer: &str) -> &str {
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    body
}

/// A directory of so many files.
fn many_files(count: usize) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    for file in 0..count {
        let name = format!("a-file-with-a-name-of-some-length-{file}");
        fs::write(home.path().join(name), "").unwrap();
    }
    home
}

#[test]
fn listings_are_read_as_they_are_asked_for_and_counted() {
    let home = many_files(20_000);
    let serving = serving("files", home.path(), &["--memory", "24MiB"]);
    serving.get("/opens?none");
    let before = memory(&serving);
    let answer = serving.get("/keeps");
    let kept: u64 = body(&answer).split_once(' ').unwrap().0.parse().unwrap();
    // Each counts as 64 KiB of its sandbox's memory, and so they have an end.
    assert!((100..384).contains(&kept), "{answer}");
    let grown = memory(&serving).saturating_sub(before);
    // Each of them, were it read at once, is more than a MiB.
    assert!(grown < 64 * MIB, "grown by {} MiB", grown / MIB);
    let (_, _, said) = serving.stop();
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn who_lists_without_end_pays_for_it_and_others_are_served() {
    let home = many_files(20_000);
    let (files, other) = (guest("files"), tempfile::tempdir().unwrap());
    let config = home.path().join("rhost.toml");
    let text = format!(
        "[server]\naccess-log = false\n[tenants.lister]\n[tenants.victim]\n\
         [apps.lister]\ntenant = \"lister\"\ncomponent = \"{}\"\nhosts = [\"lister.test\"]\n\
         cpu = \"1s\"\ntimeout = \"60s\"\ndir = [\"{}:/data\"]\n\
         [apps.victim]\ntenant = \"victim\"\ncomponent = \"{}\"\nhosts = [\"victim.test\"]\n\
         dir = [\"{}:/data\"]\n",
        files.display(),
        home.path().display(),
        files.display(),
        other.path().display(),
    );
    fs::write(&config, text).unwrap();
    let serving = Serving::start(rhost(), &["-c", config.to_str().unwrap()]);
    let addr = serving.addr.clone();
    let listers: Vec<_> = (0..16)
        .map(|_| {
            let addr = addr.clone();
            thread::spawn(move || get(&addr, "/lists", "host: lister.test\r\n"))
        })
        .collect();
    let (mut served, mut longest, mut most) = (0, Duration::ZERO, 0);
    while listers.iter().any(|lister| !lister.is_finished()) {
        let begun = Instant::now();
        let answer = get(&addr, "/opens?none", "host: victim.test\r\n");
        assert!(answer.contains("No such file"), "{answer}");
        longest = longest.max(begun.elapsed());
        served += 1;
        most = most.max(file_threads(&serving));
    }
    // What the host did for them is what they spent.
    for lister in listers {
        let answer = lister.join().unwrap();
        assert!(answer.starts_with("HTTP/1.1 504 "), "{answer}");
    }
    assert!(served > 20, "{served} served beside");
    assert!(longest < Duration::from_secs(3), "one waited {longest:?}");
    // Eight at two processors, and one that looks after them.
    let allowed = 1 + (2 * thread::available_parallelism().unwrap().get()).max(8);
    assert!(most <= allowed, "{most} threads");
    serving.stop();
}

#[test]
fn what_is_no_file_is_not_opened() {
    let home = tempfile::tempdir().unwrap();
    let pipe = home.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let _socket = UnixListener::bind(home.path().join("socket")).unwrap();
    std::os::unix::fs::symlink("pipe", home.path().join("link")).unwrap();
    fs::write(home.path().join("file"), "").unwrap();
    let serving = serving("files", home.path(), &["--timeout", "20s"]);
    assert_eq!(body(&serving.get("/opens?file")), "opened");
    let threads = status(&serving, "Threads");
    for name in ["pipe", "socket", "link"] {
        for path in ["/opens", "/writes"] {
            for _ in 0..5 {
                let answer = serving.get(&format!("{path}?{name}"));
                assert!(body(&answer).contains("not permitted"), "{name}: {answer}");
            }
        }
    }
    assert!(status(&serving, "Threads") <= threads + 9);
    let names = serving.get("/names");
    assert_eq!(
        body(&names),
        "file file\nlink link\npipe other\nsocket other"
    );
    assert_eq!(body(&serving.get("/writes?file")), "opened");
    let (code, ..) = serving.stop();
    assert_eq!(code, Some(0));
}

#[test]
fn files_are_what_they_were() {
    let home = tempfile::tempdir().unwrap();
    let serving = serving("files", home.path(), &[]);
    assert_eq!(body(&serving.get("/copies")), "true 600000");
    fs::create_dir(home.path().join("dir")).unwrap();
    for file in 0..300 {
        fs::write(home.path().join(format!("{file:03}")), "").unwrap();
    }
    let names = serving.get("/names");
    let lines: Vec<_> = body(&names).lines().collect();
    assert_eq!((lines.len(), lines[0]), (301, "000 file"));
    assert_eq!(lines[300], "dir dir");
    serving.stop();
}

/// Asks for `path`, and reads until `much` has come.
fn ask(serving: &Serving, path: &str, much: usize) -> TcpStream {
    let mut stream = TcpStream::connect(&serving.addr).unwrap();
    let timeout = Some(Duration::from_secs(30));
    stream.set_read_timeout(timeout).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nhost: test\r\n\r\n").unwrap();
    let mut begun = vec![0; much];
    stream.read_exact(&mut begun).unwrap();
    assert!(begun.starts_with(b"HTTP/1.1 200 "));
    stream
}

#[test]
fn a_large_block_is_not_there_twice() {
    let home = tempfile::tempdir().unwrap();
    let serving = serving("talks-at-length", home.path(), &[]);
    // What the guest has of it, and no more: all of it comes.
    let answer = serving.get("/block?60");
    assert_eq!(body(&answer).len(), 60 << 20);
    let answer = serving.get("/block?5");
    assert_eq!(body(&answer).len(), 5 << 20);
    let before = memory(&serving);
    let unread: Vec<_> = (0..4)
        .map(|_| ask(&serving, "/block?60", 1 << 10))
        .collect();
    let grown = memory(&serving).saturating_sub(before) / MIB;
    // 240 of the guests' own.
    assert!(grown < 300, "grown by {grown} MiB");
    drop(unread);
    serving.stop();
}

#[test]
fn long_arguments_are_cut_or_refused_before_they_are_copied() {
    let home = tempfile::tempdir().unwrap();
    // Nobody reads what it says meanwhile.
    let flags = ["--log-rate", "20KiB"];
    let serving = serving("talks-at-length", home.path(), &flags);
    assert_eq!(body(&serving.get("/told?30")), "told");
    assert!(serving.get("/fails?30").starts_with("HTTP/1.1 500 "));
    let field = serving.get("/field?30");
    assert!(body(&field).contains("HeadersTooLarge"), "{field}");
    // The C library has a limit of its own, or the host's.
    let path = serving.get("/path?30");
    assert!(body(&path).to_lowercase().contains("name"), "{path}");
    let (_, _, said) = serving.stop();
    assert!(said.contains("more bytes"), "{}", said.len());
    assert!(said.len() < 1 << 20, "{} bytes of log", said.len());
}

#[test]
fn writing_nothing_takes_nothing() {
    let home = tempfile::tempdir().unwrap();
    let serving = serving("talks-at-length", home.path(), &["--cpu", "60s"]);
    let before = memory(&serving);
    for path in ["/nothing", "/prints-nothing"] {
        assert_eq!(body(&serving.get(path)), "nothing");
    }
    // HTTP/2 (RFC 9113), with what is asked for as it is (RFC 7541, section 6.2.2).
    let mut stream = TcpStream::connect(&serving.addr).unwrap();
    let timeout = Some(Duration::from_secs(60));
    stream.set_read_timeout(timeout).unwrap();
    let head = b"\x82\x86\x04\x08/nothing\x01\x04test";
    let asked = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &[0, 0, 0, 4, 0, 0, 0, 0, 0][..],
        &[0, 0, head.len() as u8, 1, 5, 0, 0, 0, 1],
        head,
    ];
    stream.write_all(&asked.concat()).unwrap();
    let mut received: Vec<u8> = Vec::new();
    while !received.windows(7).any(|seven| seven == b"nothing") {
        let mut some = [0; 1024];
        let length = stream.read(&mut some).unwrap();
        assert!(length > 0, "it ended: {received:?}");
        received.extend(&some[..length]);
    }
    let grown = memory(&serving).saturating_sub(before) / MIB;
    assert!(grown < 16, "grown by {grown} MiB");
    serving.stop();
}
