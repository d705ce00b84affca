//! Many clients on one thread: each sends what it has, and then reads or does not.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};
use rustix::net::sockopt::set_socket_recv_buffer_size;
use rustix::process::setpriority_process;

/// Time that opening a connection may take before it counts as refused.
const CONNECT: Duration = Duration::from_secs(2);

/// Time that a poll lasts at most, after which the crowd looks whether it is over.
const LOOK: Duration = Duration::from_millis(20);

/// Connections that are opened again in a millisecond. Beyond it the ports of this machine
/// would be used up, and the victim would have none.
const AGAIN: u128 = 1;

const INTEREST: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// A crowd of clients.
pub struct Crowd {
    /// Where they connect.
    pub addr: SocketAddr,
    /// How many there are at a time.
    pub clients: usize,
    /// Whether they read what comes.
    pub reads: bool,
    /// Whether one whose connection was closed comes again.
    pub comes_again: bool,
}

/// One client.
struct Client {
    stream: Option<TcpStream>,
    sends: Vec<u8>,
    sent: usize,
}

impl Crowd {
    /// Clients that read their answers, and come again.
    pub fn of(clients: usize, addr: SocketAddr) -> Self {
        Crowd {
            addr,
            clients,
            reads: true,
            comes_again: true,
        }
    }

    /// The same clients, which read nothing.
    pub fn unread(self) -> Self {
        Crowd {
            reads: false,
            ..self
        }
    }

    /// The same clients, which come once.
    pub fn once(self) -> Self {
        Crowd {
            comes_again: false,
            ..self
        }
    }

    /// Runs until `is_over`. The nth connection sends what `sends` makes of n.
    pub fn run(&self, sends: &dyn Fn(usize) -> Vec<u8>, is_over: &AtomicBool) -> Result<()> {
        self.run_until(sends, &mut |_| Ok(is_over.load(Ordering::Relaxed)))
    }

    /// The same, until `is_over` says so of the ports of the clients.
    pub fn run_until(
        &self,
        sends: &dyn Fn(usize) -> Vec<u8>,
        is_over: &mut dyn FnMut(&[u16]) -> Result<bool>,
    ) -> Result<()> {
        step_back();
        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(1024);
        let mut buffer = vec![0; 256 * 1024];
        let (mut clients, mut opened) = (Vec::new(), 0);
        let mut ports = Vec::new();
        for index in 0..self.clients {
            clients.push(self.open(&poll, index, sends(opened))?);
            opened += 1;
            let stream = clients[index].stream.as_ref();
            ports.extend(stream.and_then(|stream| Some(stream.local_addr().ok()?.port())));
            if index % 64 == 0 && is_over(&ports)? {
                return Ok(());
            }
        }
        let (begun, mut again) = (Instant::now(), 0);
        while !is_over(&ports)? {
            match poll.poll(&mut events, Some(LOOK)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other?,
            }
            for event in &events {
                let Client {
                    stream,
                    sends,
                    sent,
                } = &mut clients[event.token().0];
                let Some(open) = stream else { continue };
                let mut is_open = write(open, sends, sent) && !event.is_error();
                if self.reads && is_open {
                    is_open = match drain(open, &mut buffer) {
                        Drained::Closed => false,
                        Drained::All => true,
                        // The poll tells of what is left as of something new.
                        Drained::Some => poll
                            .registry()
                            .reregister(open, event.token(), INTEREST)
                            .is_ok(),
                    };
                }
                if !is_open || event.is_read_closed() && !self.reads {
                    *stream = None;
                }
            }
            for (index, client) in clients.iter_mut().enumerate() {
                if !self.comes_again || again > begun.elapsed().as_millis() * AGAIN {
                    break;
                }
                if client.stream.is_none() {
                    *client = self.open(&poll, index, sends(opened))?;
                    opened += 1;
                    again += 1;
                }
            }
        }
        Ok(())
    }

    /// One that is refused is not there; it may come again.
    fn open(&self, poll: &Poll, index: usize, sends: Vec<u8>) -> Result<Client> {
        let mut client = Client {
            stream: None,
            sends,
            sent: 0,
        };
        let Ok(stream) = std::net::TcpStream::connect_timeout(&self.addr, CONNECT) else {
            return Ok(client);
        };
        if !self.reads {
            // What the kernel takes in its place is little.
            set_socket_recv_buffer_size(&stream, 4096)?;
        }
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry()
            .register(&mut stream, Token(index), INTEREST)?;
        if write(&mut stream, &client.sends, &mut client.sent) {
            client.stream = Some(stream);
        }
        Ok(client)
    }
}

/// Has this thread leave the processors to the server and the victim: real adversaries
/// would run elsewhere.
pub fn step_back() {
    // Without the right to it they only cost more.
    let _ = setpriority_process(None, 19);
}

/// Writes what there is room for. False when the connection is gone.
fn write(stream: &mut TcpStream, sends: &[u8], sent: &mut usize) -> bool {
    while *sent < sends.len() {
        match stream.write(&sends[*sent..]) {
            Ok(length) => *sent += length,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return error.kind() == ErrorKind::WouldBlock,
        }
    }
    true
}

enum Drained {
    All,
    /// There may be more.
    Some,
    Closed,
}

/// Reads what has come, but not without end: other clients wait.
fn drain(stream: &mut TcpStream, buffer: &mut [u8]) -> Drained {
    for _ in 0..8 {
        match stream.read(buffer) {
            Ok(0) => return Drained::Closed,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Drained::All,
            Err(_) => return Drained::Closed,
        }
    }
    Drained::Some
}
