//! An open load: requests come when they come, whether those before them were answered
//! or not. What is late counts from when it was due.
//!
//! One thread sends and reads all: with a thread for each client the kernel would take
//! the processor from the server some thousand times a second, and that is what would be
//! measured.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::load::histogram;
use crate::request::Request;
use crate::response::{Answer, Reader};

/// How long nothing at all may happen before the server counts as stuck.
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
}

/// One that asks, and waits for the answer.
struct Client {
    /// None until it asks for the first time, and after the server has closed.
    stream: Option<TcpStream>,
    reader: Reader,
    /// When its request was due, and when it left; none between requests.
    asked: Option<(Instant, Instant)>,
}

impl Open<'_> {
    /// Sends it all, and waits for the last answer.
    pub fn run(&self) -> Result<Outcome> {
        let (mut poll, mut events) = (Poll::new()?, Events::with_capacity(self.clients));
        let client = |_| Client {
            stream: None,
            reader: Reader::new(),
            asked: None,
        };
        let mut clients: Vec<_> = (0..self.clients).map(client).collect();
        let mut idle: Vec<usize> = (0..self.clients).collect();
        let (mut outcome, mut next) = (Outcome::new(), 0_u64);
        let start = Instant::now();
        loop {
            let due = Duration::from_secs_f64(next as f64 / self.rate);
            let is_over = due >= self.time;
            if is_over && idle.len() == clients.len() {
                outcome.elapsed = start.elapsed();
                return Ok(outcome);
            }
            let wait = (start + due).saturating_duration_since(Instant::now());
            if !is_over
                && wait.is_zero()
                && let Some(index) = idle.pop()
            {
                next += 1;
                clients[index].ask(self, &poll, index, start + due)?;
                continue;
            }
            // Of those that are due later, or when nobody is left to ask, answers tell.
            let wait = if is_over || wait.is_zero() {
                PATIENCE
            } else {
                wait
            };
            match poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            ensure!(
                wait < PATIENCE || !events.is_empty(),
                "{} has been silent for {} s",
                self.addr,
                PATIENCE.as_secs()
            );
            for event in &events {
                let Token(index) = event.token();
                let client = &mut clients[index];
                if client.read(&mut outcome) {
                    idle.push(index);
                }
            }
        }
    }
}

impl Client {
    /// Sends what was `due` then.
    fn ask(&mut self, open: &Open<'_>, poll: &Poll, index: usize, due: Instant) -> Result<()> {
        if self.stream.is_none() {
            // On loopback a connection is there at once, or never.
            let stream = std::net::TcpStream::connect(open.addr)
                .with_context(|| format!("{} does not take connections", open.addr))?;
            stream.set_nodelay(true)?;
            stream.set_nonblocking(true)?;
            let mut stream = TcpStream::from_std(stream);
            poll.registry()
                .register(&mut stream, Token(index), Interest::READABLE)?;
            self.stream = Some(stream);
            self.reader = Reader::new();
        }
        self.asked = Some((due, Instant::now()));
        let piece = open.request.piece(0);
        let stream = self.stream.as_mut().context("it was just connected")?;
        // It fits, since nothing is under way. Who was disconnected learns of it by an event.
        ensure!(
            stream.write(piece).map_or(true, |sent| sent == piece.len()),
            "the request is too large to be sent at once"
        );
        Ok(())
    }

    /// Reads what has come. Returns whether that was the end of what it waited for.
    fn read(&mut self, outcome: &mut Outcome) -> bool {
        let mut buffer = [0; 4096];
        let answer = loop {
            let Some(stream) = &mut self.stream else {
                return false;
            };
            match stream.read(&mut buffer) {
                Ok(0) => break self.reader.closed(),
                Ok(octets) => match self.reader.feed(&buffer[..octets]) {
                    Ok(None) => {}
                    Ok(Some(answer)) => break Some(answer),
                    Err(_) => break None,
                },
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                Err(_) => break None,
            }
        };
        if answer.is_none_or(|answer| !answer.keep_alive) {
            self.stream = None;
        }
        let Some((due, sent)) = self.asked.take() else {
            return false;
        };
        outcome.note(answer, due, sent);
        true
    }
}
