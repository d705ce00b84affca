//! One socket of the DevTools protocol: commands and their results, and events.

use serde_json::{Value, json};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::net::TcpStream;
use std::time::{Duration, Instant};
use tungstenite::protocol::{Message, WebSocket, WebSocketConfig};

/// An event, in the order in which it came.
#[derive(Debug)]
pub(crate) struct Event {
    pub(crate) method: String,
    pub(crate) params: Value,
}

/// A connection to the browser or to one page of it.
pub(crate) struct Connection {
    socket: WebSocket<TcpStream>,
    last: u64,
    /// Events that came while something else was waited for.
    events: VecDeque<Event>,
}

impl Connection {
    /// Connects to an address, as `ws://127.0.0.1:9222/devtools/page/7`.
    pub(crate) fn open(address: &str) -> Result<Connection, String> {
        let authority = address
            .strip_prefix("ws://")
            .and_then(|rest| rest.split('/').next())
            .ok_or_else(|| format!("{address} is no address of DevTools"))?;
        let explain = |error: &dyn std::fmt::Display| format!("DevTools at {authority}: {error}");
        let stream = TcpStream::connect(authority).map_err(|error| explain(&error))?;
        stream.set_nodelay(true).map_err(|error| explain(&error))?;
        // Pictures are larger than the bounds that are meant for strangers.
        let config = WebSocketConfig::default()
            .max_message_size(None)
            .max_frame_size(None);
        let (socket, _) = tungstenite::client::client_with_config(address, stream, Some(config))
            .map_err(|error| explain(&error))?;
        Ok(Connection {
            socket,
            last: 0,
            events: VecDeque::new(),
        })
    }

    /// Sends a command, and waits for its result.
    pub(crate) fn call(
        &mut self,
        method: &str,
        params: Value,
        patience: Duration,
    ) -> Result<Value, String> {
        self.last += 1;
        let id = self.last;
        let command = json!({ "id": id, "method": method, "params": params });
        self.socket
            .send(Message::text(command.to_string()))
            .map_err(|error| format!("{method}: {error}"))?;
        let end = Instant::now() + patience;
        loop {
            let mut message = self
                .receive(end)
                .map_err(|error| format!("{method}: {error}"))?;
            if message["id"] == id {
                return match message.get("error") {
                    Some(error) => Err(format!(
                        "{method}: {}",
                        error["message"].as_str().unwrap_or("failed")
                    )),
                    None => Ok(message["result"].take()),
                };
            }
            self.keep(message);
        }
    }

    /// The next event that is wanted. Those before it stay, in order.
    pub(crate) fn event(
        &mut self,
        what: &str,
        patience: Duration,
        mut wanted: impl FnMut(&Event) -> bool,
    ) -> Result<Event, String> {
        let end = Instant::now() + patience;
        let mut seen = 0;
        loop {
            while seen < self.events.len() {
                if wanted(&self.events[seen])
                    && let Some(event) = self.events.remove(seen)
                {
                    return Ok(event);
                }
                seen += 1;
            }
            let message = self
                .receive(end)
                .map_err(|error| format!("{what} did not come: {error}"))?;
            self.keep(message);
        }
    }

    /// Takes the events that are wanted and have come already.
    pub(crate) fn take(&mut self, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let (taken, kept) = self.events.drain(..).partition(wanted);
        self.events = kept;
        Vec::from(taken)
    }

    fn keep(&mut self, mut message: Value) {
        if let Some(method) = message["method"].as_str() {
            self.events.push_back(Event {
                method: method.to_owned(),
                params: message["params"].take(),
            });
        }
    }

    fn receive(&mut self, end: Instant) -> Result<Value, String> {
        loop {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err("the browser took too long".to_owned());
            }
            self.socket
                .get_ref()
                .set_read_timeout(Some(left))
                .map_err(|error| error.to_string())?;
            match self.socket.read() {
                Ok(Message::Text(text)) => {
                    return serde_json::from_str(&text).map_err(|error| error.to_string());
                }
                // A ping is answered by the library.
                Ok(_) => {}
                Err(tungstenite::Error::Io(error))
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
    }
}
