//! Clients that ask on connections that they keep, one request after another, try
//! none again, and note each that failed.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Who is asked.
#[derive(Debug, Clone)]
pub enum Target {
    Http1(SocketAddr),
    Http2(SocketAddr),
    Unix(PathBuf),
}

/// Clients at work.
pub struct Loader {
    state: Arc<State>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct State {
    answered: AtomicU64,
    /// How often a server said that a connection ends.
    ended: AtomicU64,
    failed: Mutex<Vec<String>>,
    is_over: AtomicBool,
    /// Whether a client whose connection the server ends makes another.
    comes_back: bool,
}

/// What a whole load came to.
#[derive(Debug)]
pub struct Tally {
    /// How often a server said that a connection ends.
    pub ended: u64,
    pub failed: Vec<String>,
}

impl Loader {
    /// Starts a client for each of `targets`.
    pub fn start(targets: &[Target], comes_back: bool) -> Self {
        let state = Arc::new(State {
            comes_back,
            ..State::default()
        });
        let start = |target: &Target| {
            let (state, target) = (state.clone(), target.clone());
            std::thread::spawn(move || {
                if let Err(error) = state.load(&target) {
                    let error = format!("{target:?}: {error}");
                    state.failed.lock().unwrap().push(error);
                }
            })
        };
        let threads = targets.iter().map(start).collect();
        Loader { state, threads }
    }

    /// Returns when so many more requests were answered; fails if one was not.
    pub fn wait_for(&self, more: u64) {
        let target = self.state.answered.load(Ordering::Relaxed) + more;
        while self.state.answered.load(Ordering::Relaxed) < target {
            let failed = self.state.failed.lock().unwrap();
            assert!(failed.is_empty(), "{failed:?}");
            drop(failed);
            std::thread::yield_now();
        }
    }

    /// Lets each client have its answer, and stops it.
    pub fn stop(self) -> Tally {
        self.state.is_over.store(true, Ordering::Relaxed);
        self.join()
    }

    /// Waits until the server has ended the connections of all.
    pub fn join(self) -> Tally {
        for thread in self.threads {
            thread.join().unwrap();
        }
        let failed = std::mem::take(&mut *self.state.failed.lock().unwrap());
        Tally {
            ended: self.state.ended.load(Ordering::Relaxed),
            failed,
        }
    }
}

impl State {
    /// One connection after another.
    fn load(&self, target: &Target) -> Result<(), String> {
        loop {
            match target {
                Target::Http1(addr) => self.http1(TcpStream::connect(addr).map_err(text)?)?,
                Target::Unix(path) => self.http1(UnixStream::connect(path).map_err(text)?)?,
                Target::Http2(addr) => tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap()
                    .block_on(self.http2(*addr))?,
            }
            if self.is_over.load(Ordering::Relaxed) || !self.comes_back {
                return Ok(());
            }
        }
    }

    /// One connection, until the server says that it ends.
    fn http1(&self, stream: impl Read + Write) -> Result<(), String> {
        let mut stream = BufReader::new(stream);
        while !self.is_over.load(Ordering::Relaxed) {
            let request = b"GET / HTTP/1.1\r\nhost: test\r\n\r\n";
            stream.get_mut().write_all(request).map_err(text)?;
            let (mut head, mut is_last, mut length) = (String::new(), false, None);
            loop {
                let mut line = String::new();
                if stream.read_line(&mut line).map_err(text)? == 0 {
                    return Err(format!("closed before an answer, after {head:?}"));
                }
                if line == "\r\n" {
                    break;
                }
                let field = line.trim_end().to_ascii_lowercase();
                is_last |= field == "connection: close";
                if let Some(value) = field.strip_prefix("content-length: ") {
                    length = Some(value.parse().map_err(text)?);
                }
                head += &line;
            }
            let body = match length {
                Some(length) => octets(&mut stream, length)?,
                None => chunks(&mut stream)?,
            };
            if !head.starts_with("HTTP/1.1 200 ") || body != b"Hello, world!\n" {
                return Err(format!("another answer: {head:?} {body:?}"));
            }
            self.answered.fetch_add(1, Ordering::Relaxed);
            if is_last {
                self.ended.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
        }
        Ok(())
    }

    /// One connection, with several requests at a time, until the server says that
    /// it ends. Each that it says to have taken is to be answered; one that crossed
    /// its word was not begun, and is asked elsewhere (RFC 9113, section 6.8).
    async fn http2(&self, addr: SocketAddr) -> Result<(), String> {
        let stream = tokio::net::TcpStream::connect(addr).await.map_err(text)?;
        let (mut sender, connection) = h2::client::handshake(stream).await.map_err(text)?;
        let connection = tokio::spawn(connection);
        while !self.is_over.load(Ordering::Relaxed) {
            let mut answers = Vec::new();
            let mut is_last = false;
            for _ in 0..4 {
                match std::future::poll_fn(|cx| sender.poll_ready(cx)).await {
                    Ok(()) => {}
                    Err(error) if says_goodbye(&error) => {
                        is_last = true;
                        break;
                    }
                    Err(error) => return Err(format!("no more can be asked: {error}")),
                }
                let request = http::Request::get("http://test/").body(()).unwrap();
                let (answer, _) = sender.send_request(request, true).map_err(text)?;
                answers.push(answer);
            }
            for answer in answers {
                let answer = match answer.await {
                    Ok(answer) => answer,
                    Err(error) if says_goodbye(&error) => {
                        is_last = true;
                        continue;
                    }
                    Err(error) => return Err(text(error)),
                };
                let (head, mut body) = answer.into_parts();
                let mut octets = Vec::new();
                while let Some(data) = body.data().await {
                    let data = data.map_err(text)?;
                    let _ = body.flow_control().release_capacity(data.len());
                    octets.extend_from_slice(&data);
                }
                if head.status != 200 || octets != b"Hello, world!\n" {
                    return Err(format!("another answer: {head:?} {octets:?}"));
                }
                self.answered.fetch_add(1, Ordering::Relaxed);
            }
            if is_last {
                self.ended.fetch_add(1, Ordering::Relaxed);
                drop(sender);
                let _ = connection.await;
                return Ok(());
            }
        }
        Ok(())
    }
}

fn octets(stream: &mut impl Read, length: usize) -> Result<Vec<u8>, String> {
    let mut octets = vec![0; length];
    stream.read_exact(&mut octets).map_err(text)?;
    Ok(octets)
}

/// A body in chunks (RFC 9112, section 7.1), as that of a guest which had to give
/// way, on a busy machine.
fn chunks(stream: &mut impl BufRead) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        let mut size = String::new();
        stream.read_line(&mut size).map_err(text)?;
        let size = usize::from_str_radix(size.trim_end(), 16).map_err(text)?;
        body.extend(octets(stream, size)?);
        octets(stream, 2)?;
        if size == 0 {
            return Ok(body);
        }
    }
}

/// GOAWAY without an error (RFC 9113, section 6.8).
fn says_goodbye(error: &h2::Error) -> bool {
    error.is_go_away() && error.is_remote() && error.reason() == Some(h2::Reason::NO_ERROR)
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
