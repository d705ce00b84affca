//! Clients.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Adversary, get};
use crate::hostile::crowd::{Crowd, step_back};
use crate::hostile::http2;
use crate::hostile::scene::{ADVERSARY, Scene};
use crate::process;

/// The time-outs of the rows in which all have to be closed. A connection over HTTP/2 whose
/// streams were reset at the write time-out has nothing to do, and ends as an idle one does:
/// it is told, and does not answer that.
const CLOSING: &str = "write-timeout = \"3s\"\nkeep-alive = \"1s\"\nheader-timeout = \"3s\"";

/// The time in which that has to be: what all take together, and some for a busy machine.
const CLOSED_WITHIN: Duration = Duration::from_secs(12);

/// How often it is looked how many are left.
const LOOK: Duration = Duration::from_millis(200);

/// Those of the rows in which all are to be closed.
const MANY: usize = 1_000;

/// All of them.
pub const ALL: &[Adversary] = &[
    Adversary::client("unread-h1", "works-on-blocks", |scene, is_over| {
        // More than one each: there is always something to read.
        let sends = format!("GET / HTTP/1.1\r\nHost: {ADVERSARY}\r\n\r\n").repeat(4);
        let crowd = Crowd::of(12, scene.server.addr).unread();
        crowd
            .run(&|_| sends.clone().into_bytes(), is_over)
            .map(|()| None)
    })
    .doing("12 over HTTP/1 that read nothing of an app that computes 8 ms for each block"),
    Adversary::client("unread-h2", "works-on-blocks", |scene, is_over| {
        let sends = http2::requests(http2::NO_WINDOW, "/", 16);
        let crowd = Crowd::of(2, scene.server.addr);
        crowd.run(&|_| sends.clone(), is_over).map(|()| None)
    })
    .doing("two over HTTP/2 without a window, with 16 requests each for the same app"),
    Adversary::client("unread-1000-h1", "endless-body", |scene, _| {
        let sends = get("/");
        until_closed(
            scene,
            &Crowd::of(MANY, scene.server.addr).unread().once(),
            &sends,
        )
    })
    .doing("1,000 over HTTP/1 that read nothing of an answer without end")
    .with_server(CLOSING)
    .ending_by_itself(),
    Adversary::client("unread-1000-h2", "endless-body", |scene, _| {
        let sends = http2::requests(http2::NO_WINDOW, "/", 1);
        until_closed(scene, &Crowd::of(MANY, scene.server.addr).once(), &sends)
    })
    .doing("1,000 over HTTP/2 without a window, of the same app")
    .with_server(CLOSING)
    .ending_by_itself(),
    Adversary::client("unread-1000-h2-socket", "endless-body", |scene, _| {
        let sends = http2::requests(&[], "/", 8);
        until_closed(
            scene,
            &Crowd::of(MANY, scene.server.addr).unread().once(),
            &sends,
        )
    })
    .doing("1,000 over HTTP/2 that do not read their sockets, with 8 requests each")
    .at_length()
    .with_server(CLOSING)
    .ending_by_itself(),
    Adversary::client("half-closed", "sleep-forever", |scene, is_over| {
        step_back();
        let mut streams = Vec::new();
        while streams.len() < MANY && !is_over.load(Ordering::Relaxed) {
            let mut stream = TcpStream::connect(scene.server.addr)?;
            stream.write_all(&get("/"))?;
            stream.shutdown(Shutdown::Write)?;
            streams.push(stream);
        }
        wait(is_over);
        Ok(None)
    })
    .doing("1,000 that close their sending side and wait, of an app that sleeps"),
    Adversary::client("leavers", "spin-forever", |scene, is_over| {
        step_back();
        // Each leaves as soon as it has asked.
        while !is_over.load(Ordering::Relaxed) {
            let mut stream = TcpStream::connect(scene.server.addr)?;
            stream.write_all(&get("/"))?;
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(None)
    })
    .doing("clients that ask an app that never answers, and leave")
    .at_length(),
    Adversary::client("silent", "hello", |scene, is_over| {
        let crowd = Crowd::of(4_000, scene.server.addr);
        crowd.run(&|_| Vec::new(), is_over).map(|()| None)
    })
    .doing("4,000 that connect and say nothing")
    .at_length(),
    Adversary::client("slow-heads", "hello", |scene, is_over| {
        let sends = format!(
            "GET / HTTP/1.1\r\nHost: {ADVERSARY}\r\nx: {}",
            "y".repeat(8_000)
        );
        let crowd = Crowd::of(4_000, scene.server.addr);
        crowd
            .run(&|_| sends.clone().into_bytes(), is_over)
            .map(|()| None)
    })
    .doing("4,000 whose heads of 8 KB never end")
    .at_length(),
    Adversary::client("slow-bodies", "reads-body", |scene, is_over| {
        let sends = format!(
            "POST / HTTP/1.1\r\nHost: {ADVERSARY}\r\nContent-Length: 1000000\r\n\r\n{}",
            "y".repeat(8_000)
        );
        let crowd = Crowd::of(2_000, scene.server.addr);
        crowd
            .run(&|_| sends.clone().into_bytes(), is_over)
            .map(|()| None)
    })
    .doing("2,000 whose bodies stop after 8 KB")
    .at_length(),
    Adversary::client("heads", "hello", |scene, is_over| {
        let field = format!("x-flood: {}\r\n", "y".repeat(600));
        let sends = format!(
            "GET / HTTP/1.1\r\nHost: {ADVERSARY}\r\nConnection: close\r\n{}\r\n",
            field.repeat(95)
        );
        let crowd = Crowd::of(64, scene.server.addr);
        crowd
            .run(&|_| sends.clone().into_bytes(), is_over)
            .map(|()| None)
    })
    .doing("64 with heads of 57 KB, again and again")
    .at_length(),
    Adversary::client("continuations", "hello", |scene, is_over| {
        let sends = http2::continuations(1_000);
        let crowd = Crowd::of(16, scene.server.addr);
        crowd.run(&|_| sends.clone(), is_over).map(|()| None)
    })
    .doing("16 over HTTP/2 whose fields never end"),
    Adversary::client("pings", "hello", |scene, is_over| {
        let sends = http2::pings(100_000);
        let crowd = Crowd::of(16, scene.server.addr).unread();
        crowd.run(&|_| sends.clone(), is_over).map(|()| None)
    })
    .doing("16 over HTTP/2 that ping without end and read nothing"),
    Adversary::client("resets", "sleep-forever", |scene, is_over| {
        let sends = http2::resets("/", 10_000);
        let crowd = Crowd::of(16, scene.server.addr);
        crowd.run(&|_| sends.clone(), is_over).map(|()| None)
    })
    .doing("16 over HTTP/2 that take back each request at once")
    .at_length(),
    Adversary::client("sleepers-h2", "sleep-forever", |scene, is_over| {
        let sends = http2::requests(&[], "/", 128);
        let crowd = Crowd::of(80, scene.server.addr);
        crowd.run(&|_| sends.clone(), is_over).map(|()| None)
    })
    .doing("80 over HTTP/2 with 128 requests each, of an app that sleeps")
    .at_length(),
    Adversary::client("silent-admin", "hello", |scene, is_over| {
        let crowd = Crowd::of(256, scene.admin);
        crowd.run(&|_| Vec::new(), is_over).map(|()| None)
    })
    .doing("256 that connect to the admin listener and say nothing"),
    Adversary::client("guesses", "hello", |scene, is_over| {
        let guess = "GET /v1/apps HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer rhost_";
        let sends = |nth| format!("{guess}{nth:064}\r\n\r\n").into_bytes();
        let crowd = Crowd::of(32, scene.admin);
        crowd.run(&sends, is_over).map(|()| None)
    })
    .doing("32 that guess tokens")
    .at_length(),
];

/// Runs a crowd until the server holds none of its connections any more.
fn until_closed(scene: &Scene, crowd: &Crowd, sends: &[u8]) -> Result<Option<String>> {
    let port = scene.server.addr.port();
    let (mut all_came, mut looked) = (None::<Instant>, Instant::now());
    let mut left = MANY as u64;
    let mut closed_after = Duration::ZERO;
    crowd.run_until(&|_| sends.to_vec(), &mut |ports| {
        if ports.len() < MANY || looked.elapsed() < LOOK {
            return Ok(false);
        }
        looked = Instant::now();
        closed_after = all_came.get_or_insert_with(Instant::now).elapsed();
        left = process::connections_held(port, ports)?;
        Ok(left == 0 || closed_after > CLOSED_WITHIN * 2)
    })?;
    ensure!(
        left == 0,
        "{left} of {MANY} are not closed after {closed_after:.1?}"
    );
    ensure!(
        closed_after < CLOSED_WITHIN,
        "the last of {MANY} is closed after {closed_after:.1?}"
    );
    Ok(Some(format!(
        "all closed after {:.1} s",
        closed_after.as_secs_f64()
    )))
}

/// Waits until it is over.
fn wait(is_over: &AtomicBool) {
    while !is_over.load(Ordering::Relaxed) {
        std::thread::sleep(LOOK / 10);
    }
}
