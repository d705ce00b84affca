//! The victim: a few clients of another tenant's hello, who ask at a fixed pace and whose
//! every wait counts.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use hdrhistogram::Histogram;

use crate::load::{Until, histogram};
use crate::request::Request;
use crate::response::Reader;
use crate::work::HELLO;

/// Clients. The first makes a connection for each request, the others keep theirs.
const CLIENTS: usize = 4;

/// Time from one request of a client to its next, if the answer came by then.
const PACE: Duration = Duration::from_millis(10);

/// Time after which an answer counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the victim met.
pub struct Waits {
    /// Each wait in nanoseconds, those for an answer that failed too.
    pub latency: Histogram<u64>,
    /// Answers that were wrong, or did not come.
    pub failed: u64,
    /// What the first of those was.
    pub failure: Option<String>,
    /// From the first request to the last answer.
    elapsed: Duration,
}

impl Waits {
    /// In milliseconds.
    pub fn at(&self, quantile: f64) -> f64 {
        self.latency.value_at_quantile(quantile) as f64 / 1e6
    }

    /// The longest, in milliseconds.
    pub fn longest(&self) -> f64 {
        self.latency.max() as f64 / 1e6
    }

    /// Good answers in a second.
    pub fn per_second(&self) -> f64 {
        (self.latency.len() - self.failed) as f64 / self.elapsed.as_secs_f64()
    }

    fn none() -> Self {
        Waits {
            latency: histogram(),
            failed: 0,
            failure: None,
            elapsed: Duration::ZERO,
        }
    }
}

/// Asks for hello of `host`.
pub fn ask(addr: SocketAddr, host: &str, until: Until<'_>) -> Result<Waits> {
    let request = Request::get_from(host, "/");
    let begun = Instant::now();
    let mut all = Waits::none();
    let waits: Vec<_> = thread::scope(|scope| {
        let client = |index| {
            let request = &request;
            scope.spawn(move || one(addr, request, index == 0, until))
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        let join = |client: thread::ScopedJoinHandle<'_, Waits>| client.join();
        clients.into_iter().map(join).collect()
    });
    for one in waits {
        let one = one.expect("a client does not panic");
        all.latency.add(&one.latency)?;
        all.failed += one.failed;
        all.failure = all.failure.or(one.failure);
    }
    all.elapsed = begun.elapsed();
    ensure!(!all.latency.is_empty(), "the victim asked for nothing");
    Ok(all)
}

fn one(addr: SocketAddr, request: &Request, always_new: bool, until: Until<'_>) -> Waits {
    let start = Instant::now();
    let mut waits = Waits::none();
    let mut stream = None;
    loop {
        let begun = Instant::now();
        match until {
            Until::Elapsed(time) if begun - start >= time => return waits,
            Until::Requests(requests) if waits.latency.len() >= requests => return waits,
            Until::Told(told) if told.load(Ordering::Relaxed) => return waits,
            _ => {}
        }
        let asked = exchange(addr, request, &mut stream);
        let took = begun.elapsed();
        waits.latency.saturating_record(took.as_nanos() as u64);
        if let Err(error) = asked {
            waits.failed += 1;
            waits.failure.get_or_insert_with(|| format!("{error:#}"));
            stream = None;
        }
        if always_new {
            stream = None;
        }
        thread::sleep(PACE.saturating_sub(took));
    }
}

fn exchange(addr: SocketAddr, request: &Request, stream: &mut Option<TcpStream>) -> Result<()> {
    let stream = match stream {
        Some(stream) => stream,
        None => stream.insert(connect(addr)?),
    };
    stream.write_all(request.piece(0))?;
    let mut reader = Reader::new();
    let mut buffer = [0; 4096];
    let answer = loop {
        match stream.read(&mut buffer)? {
            0 => bail!("the connection was closed"),
            length => {
                if let Some(answer) = reader.feed(&buffer[..length])? {
                    break answer;
                }
            }
        }
    };
    ensure!(answer.status == 200, "the status was {}", answer.status);
    ensure!(
        answer.length == HELLO.len() as u64,
        "the answer was another"
    );
    ensure!(answer.keep_alive, "the connection ended with its answer");
    Ok(())
}

fn connect(addr: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&addr, PATIENCE)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}
