//! The load generator: one thread, many connections, one request in flight on
//! each.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use hdrhistogram::Histogram;
use mio::event::Event;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use crate::request::Request;
use crate::response::{Answer, Reader};

/// Octets that one read takes at most.
const BUFFER: usize = 256 * 1024;

/// How long nothing at all may happen before the server counts as stuck.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the answer to a request has to be.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    /// Its status.
    pub status: u16,
    /// Octets of its body; none when any number is right.
    pub length: Option<u64>,
}

/// When to stop sending.
#[derive(Debug, Clone, Copy)]
pub enum Until<'a> {
    /// After so long.
    Elapsed(Duration),
    /// After so many requests.
    Requests(u64),
    /// When this becomes true.
    Told(&'a AtomicBool),
}

/// What a run brought.
pub struct Load {
    /// Right answers.
    pub answers: u64,
    /// Answers of another status or length.
    pub wrong: u64,
    /// Connections that were cut before their answer was whole.
    pub broken: u64,
    /// From the first request to the last answer.
    pub elapsed: Duration,
    /// From the first octet sent to the last received, in nanoseconds; right
    /// answers only.
    pub latency: Histogram<u64>,
}

impl Load {
    /// Right answers in a second.
    pub fn per_second(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    /// Requests that were not answered, or not rightly.
    pub fn errors(&self) -> u64 {
        self.wrong + self.broken
    }
}

/// A histogram from a microsecond to a minute, in nanoseconds, to 0.1 %.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1_000, 60_000_000_000, 3).expect("the bounds are right")
}

/// Open connections to one server. They stay open from run to run.
pub struct Generator {
    addr: SocketAddr,
    poll: Poll,
    events: Events,
    connections: Vec<Connection>,
    /// Received octets, of whichever connection is being read.
    buffer: Vec<u8>,
}

struct Connection {
    /// None when it was closed; opened again for the next request.
    stream: Option<TcpStream>,
    reader: Reader,
    /// Octets of the request that were sent.
    sent: u64,
    /// When the request in flight was begun; none between requests.
    begun: Option<Instant>,
    /// Whether the poll tells when there is room to write. Asked for only once
    /// a write had to wait, since it costs wake-ups.
    told_of_room: bool,
}

/// One run, as far as it got.
struct Run<'a> {
    request: &'a Request,
    expected: Expected,
    until: Until<'a>,
    start: Instant,
    issued: u64,
    in_flight: usize,
    /// Connections whose answer came, or that were lost. Their next requests
    /// leave together when all that has come was read, as wrk's do: one by one
    /// they would wake the server for each.
    free: Vec<usize>,
    load: Load,
}

impl Run<'_> {
    fn goes_on(&self, now: Instant) -> bool {
        match self.until {
            Until::Elapsed(time) => now - self.start < time,
            Until::Requests(requests) => self.issued < requests,
            Until::Told(told) => !told.load(Ordering::Relaxed),
        }
    }

    /// A request ended, well or badly.
    fn ended(&mut self, begun: Instant, now: Instant, answer: Option<Answer>) {
        self.in_flight -= 1;
        self.load.elapsed = now - self.start;
        match answer {
            Some(answer)
                if answer.status == self.expected.status
                    && self
                        .expected
                        .length
                        .is_none_or(|length| answer.length == length) =>
            {
                self.load.answers += 1;
                self.load
                    .latency
                    .saturating_record((now - begun).as_nanos() as u64);
            }
            Some(_) => self.load.wrong += 1,
            None => self.load.broken += 1,
        }
    }
}

impl Generator {
    /// Opens so many connections.
    pub fn connect(addr: SocketAddr, connections: usize) -> Result<Self> {
        let mut generator = Generator {
            addr,
            poll: Poll::new()?,
            events: Events::with_capacity(connections.max(16)),
            connections: Vec::new(),
            buffer: vec![0; BUFFER],
        };
        for index in 0..connections {
            generator.connections.push(Connection {
                stream: None,
                reader: Reader::new(),
                sent: 0,
                begun: None,
                told_of_room: false,
            });
            generator.open(index)?;
        }
        Ok(generator)
    }

    fn open(&mut self, index: usize) -> Result<()> {
        // On loopback a connection is there at once, or never.
        let stream = std::net::TcpStream::connect(self.addr)
            .with_context(|| format!("{} does not take connections", self.addr))?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        self.poll
            .registry()
            .register(&mut stream, Token(index), Interest::READABLE)?;
        let connection = &mut self.connections[index];
        connection.stream = Some(stream);
        connection.reader = Reader::new();
        connection.told_of_room = false;
        Ok(())
    }

    /// Sends `request` again and again on every connection, and waits for the
    /// last answers.
    pub fn run(&mut self, request: &Request, expected: Expected, until: Until<'_>) -> Result<Load> {
        let start = Instant::now();
        let mut run = Run {
            request,
            expected,
            until,
            start,
            issued: 0,
            in_flight: 0,
            free: Vec::with_capacity(self.connections.len()),
            load: Load {
                answers: 0,
                wrong: 0,
                broken: 0,
                elapsed: Duration::ZERO,
                latency: histogram(),
            },
        };
        for index in 0..self.connections.len() {
            if run.goes_on(start) {
                self.begin(index, &mut run, Instant::now())?;
            }
        }
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        let outcome = self.drive_all(&mut events, &mut run);
        self.events = events;
        outcome?;
        Ok(run.load)
    }

    fn drive_all(&mut self, events: &mut Events, run: &mut Run<'_>) -> Result<()> {
        while run.in_flight > 0 {
            if let Err(error) = self.poll.poll(events, Some(PATIENCE)) {
                if error.kind() == ErrorKind::Interrupted {
                    continue;
                }
                return Err(error.into());
            }
            if events.is_empty() {
                bail!(
                    "{} has been silent for {} s, with {} requests in flight",
                    self.addr,
                    PATIENCE.as_secs(),
                    run.in_flight
                );
            }
            for event in &*events {
                self.drive(event, run)?;
            }
            while let Some(index) = run.free.pop() {
                let now = Instant::now();
                if run.goes_on(now) {
                    self.begin(index, run, now)?;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self, index: usize, run: &mut Run<'_>, now: Instant) -> Result<()> {
        if self.connections[index].stream.is_none() {
            self.open(index)?;
        }
        let connection = &mut self.connections[index];
        connection.begun = Some(now);
        connection.sent = 0;
        run.issued += 1;
        run.in_flight += 1;
        if !self.send(index, run.request)? {
            self.lost(index, run)?;
        }
        Ok(())
    }

    /// Writes what there is room for. False when the connection is gone.
    fn send(&mut self, index: usize, request: &Request) -> Result<bool> {
        let connection = &mut self.connections[index];
        let Some(stream) = &mut connection.stream else {
            return Ok(false);
        };
        loop {
            let piece = request.piece(connection.sent);
            if piece.is_empty() {
                return Ok(true);
            }
            match stream.write(piece) {
                Ok(octets) => connection.sent += octets as u64,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !connection.told_of_room {
                        connection.told_of_room = true;
                        self.poll.registry().reregister(
                            stream,
                            Token(index),
                            Interest::READABLE | Interest::WRITABLE,
                        )?;
                    }
                    return Ok(true);
                }
                Err(_) => return Ok(false),
            }
        }
    }

    /// Goes on with a connection of which something is known.
    fn drive(&mut self, event: &Event, run: &mut Run<'_>) -> Result<()> {
        let index = event.token().0;
        if event.is_writable()
            && self.connections[index].begun.is_some()
            && !self.send(index, run.request)?
        {
            return self.lost(index, run);
        }
        if !event.is_readable() && !event.is_error() {
            return Ok(());
        }
        loop {
            let connection = &mut self.connections[index];
            let Some(stream) = &mut connection.stream else {
                return Ok(());
            };
            let octets = match stream.read(&mut self.buffer) {
                Ok(0) => return self.lost(index, run),
                Ok(octets) => octets,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(_) => return self.lost(index, run),
            };
            match connection.reader.feed(&self.buffer[..octets]) {
                Ok(None) => {}
                Ok(Some(answer)) => {
                    let Some(begun) = connection.begun.take() else {
                        return self.lost(index, run);
                    };
                    if !answer.keep_alive || !run.request.piece(connection.sent).is_empty() {
                        connection.stream = None;
                    }
                    run.ended(begun, Instant::now(), Some(answer));
                    run.free.push(index);
                    // The last octet is read, so nothing more can be there: the
                    // next that comes is a new event.
                    return Ok(());
                }
                Err(_) => return self.lost(index, run),
            }
            // A read that leaves room took all there was.
            if octets < self.buffer.len() {
                return Ok(());
            }
        }
    }

    /// The connection is gone. That may be how the answer ends; else it is an
    /// error, and the next request is begun on a new connection.
    fn lost(&mut self, index: usize, run: &mut Run<'_>) -> Result<()> {
        let connection = &mut self.connections[index];
        connection.stream = None;
        let answer = connection.reader.closed();
        let Some(begun) = connection.begun.take() else {
            return Ok(());
        };
        run.ended(begun, Instant::now(), answer);
        run.free.push(index);
        Ok(())
    }
}
