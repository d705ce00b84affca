//! The measurement itself, on servers of their own.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hdrhistogram::Histogram;

use super::{Density, Figures, generate, prepare};
use crate::admin::Admin;
use crate::artefacts::Artefacts;
use crate::limits;
use crate::process;
use crate::request::Request;
use crate::response::Reader;
use crate::servers::Server;

/// How long a server may take until it listens.
const PATIENCE: Duration = Duration::from_secs(60);

/// Measures all of it on what was prepared below `home`.
pub fn all(args: &Density, artefacts: &Artefacts, home: &Path) -> Result<Figures> {
    let (none, _) = start(args, artefacts, home, "none")?;
    let resident_of_none = process::memory(none.pid())?.resident;
    drop(none);
    // The first start has the files read; how fast a disk is, is not the question.
    drop(start(args, artefacts, home, "state")?);
    let (server, until_ready) = start(args, artefacts, home, "state")?;
    let resident_when_ready = process::memory(server.pid())?.resident;
    let mut times = Histogram::<u64>::new(3)?;
    let mut wrong = 0;
    let mut client = Client::connect(server.addr)?;
    for number in shuffled(args.deployed).take(args.asked as usize) {
        let begun = Instant::now();
        let answer = client.ask(&prepare::host(number));
        times.record(begun.elapsed().as_nanos() as u64)?;
        let expected = generate::greeting(number % args.components);
        match answer {
            Ok(body) if body == expected => {}
            wrong_one => {
                if wrong == 0 {
                    eprintln!("app {number}: {wrong_one:?}{}", server.said());
                }
                wrong += 1;
                client = Client::connect(server.addr)?;
            }
        }
    }
    let resident_at_most = process::memory(server.pid())?.peak;
    let admin = Admin::of(&home.join("state"));
    limits::prove_by_deploy(server.addr, &admin, &artefacts.example("hello")?)?;
    let ms = |nanoseconds: u64| nanoseconds as f64 / 1e6;
    let more = resident_when_ready.saturating_sub(resident_of_none);
    Ok(Figures {
        deployed: args.deployed,
        components: args.components,
        asked: args.asked.min(args.deployed),
        seconds_until_ready: until_ready.as_secs_f64(),
        resident_of_none,
        resident_when_ready,
        octets_each: more as f64 / f64::from(args.deployed),
        first_ms_median: ms(times.value_at_quantile(0.5)),
        first_ms_p99: ms(times.value_at_quantile(0.99)),
        first_ms_most: ms(times.max()),
        resident_at_most,
        wrong,
    })
}

/// A server of what is deployed in `state`, and how long it took until it listened.
fn start(
    args: &Density,
    artefacts: &Artefacts,
    home: &Path,
    state: &str,
) -> Result<(Server, Duration)> {
    let file = home.join(format!("{state}.toml"));
    let text = format!(
        "[server]\nstate = {:?}\ncache-dir = {:?}\nmemory-budget = {:?}\naddr = \"127.0.0.1:0\"\naccess-log = false\n",
        home.join(state),
        home.join("code"),
        args.memory_budget
    );
    fs::write(&file, text)?;
    let mut command = Command::new(&artefacts.rhost);
    command.args(["serve", "-c"]).arg(file);
    let begun = Instant::now();
    let server = Server::start_within(PATIENCE, command, Stdio::null())?;
    Ok((server, begun.elapsed()))
}

/// The numbers below `count`, each once, in an order that is the same in every run.
fn shuffled(count: u32) -> impl Iterator<Item = u32> {
    // Steps of a number that has no factor in common with the count come by all.
    let step = (u64::from(count) * 618 / 1000..)
        .find(|step| greatest_common_divisor(*step, count.into()) == 1)
        .unwrap_or(1);
    (0..u64::from(count)).map(move |place| (place * step % u64::from(count)) as u32)
}

fn greatest_common_divisor(one: u64, other: u64) -> u64 {
    match other {
        0 => one,
        other => greatest_common_divisor(other, one % other),
    }
}

/// A connection over which one asks after the other.
struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Client {
    fn connect(addr: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(addr)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Client {
            stream,
            buffer: vec![0; 4096],
        })
    }

    /// The body of the answer to `GET /` of `host`. It comes in chunks where its guest had to
    /// give way before it returned.
    fn ask(&mut self, host: &str) -> Result<Vec<u8>> {
        self.stream
            .write_all(Request::get_from(host, "/").piece(0))?;
        let mut reader = Reader::keeping_bodies();
        loop {
            let octets = self.stream.read(&mut self.buffer)?;
            ensure!(octets > 0, "the connection was closed");
            if let Some(answer) = reader.feed(&self.buffer[..octets])? {
                ensure!(answer.status == 200, "the status is {}", answer.status);
                return Ok(reader.into_body());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_asked_once() {
        for count in [1, 2, 10, 997, 50_000] {
            let mut all: Vec<_> = shuffled(count).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..count));
        }
    }
}
