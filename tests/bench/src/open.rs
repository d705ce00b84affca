//! An open load: requests come when they come, whether those before them were answered
//! or not. A thread for each client, and what is late counts from when it was due.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use hdrhistogram::Histogram;

use crate::load::histogram;
use crate::request::Request;
use crate::response::{Answer, Reader};

/// How long a client waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Who sends, what, and how often.
pub struct Open<'a> {
    /// To whom.
    pub addr: SocketAddr,
    /// What.
    pub request: &'a Request,
    /// Requests in a second.
    pub rate: f64,
    /// For how long.
    pub time: Duration,
    /// The most that are under way at a time.
    pub clients: usize,
}

/// What came of it.
pub struct Outcome {
    /// Answers of 200.
    pub answered: u64,
    /// Answers of 503, or of 429.
    pub shed: u64,
    /// Other answers, and none.
    pub wrong: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// Of answers, from when they were due, in nanoseconds.
    pub latency: Histogram<u64>,
    /// Of those that were shed, from when they were sent, in nanoseconds.
    pub shed_latency: Histogram<u64>,
}

impl Outcome {
    fn new() -> Self {
        Outcome {
            answered: 0,
            shed: 0,
            wrong: 0,
            elapsed: Duration::ZERO,
            latency: histogram(),
            shed_latency: histogram(),
        }
    }

    /// Right answers in a second.
    pub fn per_second(&self) -> f64 {
        self.answered as f64 / self.elapsed.as_secs_f64()
    }

    /// The part of all requests that was shed.
    pub fn shed_part(&self) -> f64 {
        self.shed as f64 / (self.answered + self.shed + self.wrong).max(1) as f64
    }

    fn note(&mut self, answer: Option<Answer>, due: Instant, sent: Instant) {
        let nanoseconds = |since: Instant| since.elapsed().as_nanos() as u64;
        match answer.map(|answer| answer.status) {
            Some(200) => {
                self.answered += 1;
                self.latency.saturating_record(nanoseconds(due));
            }
            Some(429 | 503) => {
                self.shed += 1;
                self.shed_latency.saturating_record(nanoseconds(sent));
            }
            _ => self.wrong += 1,
        }
    }

    fn add(&mut self, other: &Outcome) {
        self.answered += other.answered;
        self.shed += other.shed;
        self.wrong += other.wrong;
        self.latency += &other.latency;
        self.shed_latency += &other.shed_latency;
    }
}

impl Open<'_> {
    /// Sends it all, and waits for the last answer.
    pub fn run(&self) -> Result<Outcome> {
        let (start, next) = (Instant::now(), AtomicU64::new(0));
        let outcomes: Result<Vec<_>> = thread::scope(|scope| {
            let client = || scope.spawn(|| self.client(start, &next));
            let clients: Vec<_> = (0..self.clients).map(|_| client()).collect();
            let joined = clients.into_iter().map(|client| client.join());
            joined
                .map(|one| one.expect("a client does not panic"))
                .collect()
        });
        let mut outcome = Outcome::new();
        outcomes?.iter().for_each(|one| outcome.add(one));
        outcome.elapsed = start.elapsed();
        Ok(outcome)
    }

    /// One client, which takes each request that is next.
    fn client(&self, start: Instant, next: &AtomicU64) -> Result<Outcome> {
        let (mut outcome, mut connection) = (Outcome::new(), None);
        loop {
            let nth = next.fetch_add(1, Ordering::Relaxed);
            let due = Duration::from_secs_f64(nth as f64 / self.rate);
            if due >= self.time {
                return Ok(outcome);
            }
            let due = start + due;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            let stream = match &mut connection {
                Some(stream) => stream,
                None => connection.insert(self.connect()?),
            };
            let sent = Instant::now();
            let answer = self.ask(stream);
            if answer.is_none_or(|answer| !answer.keep_alive) {
                connection = None;
            }
            outcome.note(answer, due, sent);
        }
    }

    fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.addr).context("it takes no connections")?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(stream)
    }

    /// The answer; none if it did not come whole.
    fn ask(&self, stream: &mut TcpStream) -> Option<Answer> {
        stream.write_all(self.request.piece(0)).ok()?;
        let (mut reader, mut buffer) = (Reader::new(), [0; 4096]);
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return reader.closed(),
                Ok(octets) => {
                    if let Some(answer) = reader.feed(&buffer[..octets]).ok()? {
                        return Some(answer);
                    }
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return None,
            }
        }
    }
}
