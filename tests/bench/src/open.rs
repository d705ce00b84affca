//! An open load: requests come when they come, whether those before them were answered
//! or not. What is late counts from when it was due.
//!
//! One thread sends and reads all: with a thread for each client the kernel would take
//! the processor from the server some thousand times a second, and that is what would be
//! measured.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::load::{Until, histogram};
use crate::request::Request;
use crate::response::{Answer, Reader};

/// How long nothing at all may happen before the server counts as stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// Open connections to one server, each of a client that asks when it is time.
pub struct Clients {
    addr: SocketAddr,
    poll: Poll,
    events: Events,
    all: Vec<Client>,
    /// Those that ask for nothing at the moment. Who has rested longest is next: none
    /// rests for so long that it is closed.
    idle: VecDeque<usize>,
}

/// What they ask for.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    /// What.
    pub request: &'a Request,
    /// Requests in a second.
    pub rate: f64,
    /// Until when.
    pub until: Until<'a>,
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
    /// Of answers, in nanoseconds: from when they were sent, or were due if no client was
    /// free by then.
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

    fn note(&mut self, answer: Option<Answer>, from: Instant, sent: Instant) {
        let nanoseconds = |since: Instant| since.elapsed().as_nanos() as u64;
        match answer.map(|answer| answer.status) {
            Some(200) => {
                self.answered += 1;
                self.latency.saturating_record(nanoseconds(from));
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
    /// None after the server has closed.
    stream: Option<TcpStream>,
    reader: Reader,
    /// From when its request counts, and when it left; none between requests.
    asked: Option<(Instant, Instant)>,
}

impl Clients {
    /// Groups of so many clients of the server at `addr` each, one of each group after the
    /// other: a server that deals out its connections to as many threads has each group on
    /// one of them.
    pub fn connect_in_turn<const GROUPS: usize>(
        addr: SocketAddr,
        clients: usize,
    ) -> Result<[Self; GROUPS]> {
        let none = |_| {
            Ok(Clients {
                addr,
                all: Vec::with_capacity(clients),
                events: Events::with_capacity(clients),
                idle: (0..clients).collect(),
                poll: Poll::new()?,
            })
        };
        let mut groups: Vec<_> = (0..GROUPS).map(none).collect::<Result<_>>()?;
        for index in 0..clients {
            for group in &mut groups {
                group.all.push(Client {
                    stream: Some(connect(addr, &group.poll, index)?),
                    reader: Reader::new(),
                    asked: None,
                });
            }
        }
        Ok(groups.try_into().ok().expect("there are as many"))
    }

    /// Sends it all, and waits for the last answer.
    pub fn run(&mut self, asked: Asked<'_>) -> Result<Outcome> {
        let (mut outcome, mut next, mut all_are_busy) = (Outcome::new(), 0_u64, false);
        let start = Instant::now();
        loop {
            let due = Duration::from_secs_f64(next as f64 / asked.rate);
            let is_over = match asked.until {
                Until::Elapsed(time) => due >= time,
                Until::Requests(requests) => next >= requests,
                Until::Told(told) => told.load(Ordering::Relaxed),
            };
            if is_over && self.idle.len() == self.all.len() {
                outcome.elapsed = start.elapsed();
                return Ok(outcome);
            }
            let wait = (start + due).saturating_duration_since(Instant::now());
            if !is_over
                && wait.is_zero()
                && let Some(index) = self.idle.pop_front()
            {
                next += 1;
                // How late the timer was is nobody's fault but this one's.
                let due = all_are_busy.then_some(start + due);
                self.ask(index, asked.request, due)?;
                continue;
            }
            all_are_busy = !is_over && wait.is_zero();
            // Of those that are due later, or when nobody is left to ask, answers tell.
            let wait = if is_over || wait.is_zero() {
                PATIENCE
            } else {
                wait
            };
            match self.poll.poll(&mut self.events, Some(wait)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            ensure!(
                wait < PATIENCE || !self.events.is_empty(),
                "{} has been silent for {} s",
                self.addr,
                PATIENCE.as_secs()
            );
            for event in &self.events {
                let Token(index) = event.token();
                if self.all[index].read(&mut outcome) {
                    self.idle.push_back(index);
                }
            }
        }
    }

    /// Has a client ask. It has been `due` since then, if it had to wait.
    fn ask(&mut self, index: usize, request: &Request, due: Option<Instant>) -> Result<()> {
        let client = &mut self.all[index];
        let stream = match &mut client.stream {
            Some(stream) => stream,
            none => {
                client.reader = Reader::new();
                none.insert(connect(self.addr, &self.poll, index)?)
            }
        };
        let now = Instant::now();
        client.asked = Some((due.unwrap_or(now), now));
        let piece = request.piece(0);
        // It fits, since nothing is under way. Who was disconnected learns of it by an event.
        ensure!(
            stream.write(piece).map_or(true, |sent| sent == piece.len()),
            "the request is too large to be sent at once"
        );
        Ok(())
    }
}

fn connect(addr: SocketAddr, poll: &Poll, index: usize) -> Result<TcpStream> {
    // On loopback a connection is there at once, or never.
    let stream = std::net::TcpStream::connect(addr)
        .with_context(|| format!("{addr} does not take connections"))?;
    stream.set_nodelay(true)?;
    stream.set_nonblocking(true)?;
    let mut stream = TcpStream::from_std(stream);
    poll.registry()
        .register(&mut stream, Token(index), Interest::READABLE)?;
    Ok(stream)
}

impl Client {
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
        let Some((from, sent)) = self.asked.take() else {
            return false;
        };
        outcome.note(answer, from, sent);
        true
    }
}
