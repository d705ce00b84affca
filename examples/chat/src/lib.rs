//! A room: what is said is appended to a file in a lent directory, and server-sent
//! events follow the file.
//!
//! # Layout
//!
//! `page` shows the room, `say` takes a message, `follow` streams what comes.
//! All three read or write the `room`, which is made of `message`s.

mod follow;
mod message;
mod page;
mod room;
mod say;

use std::path::Path;

use rhost_sdk::prelude::*;

app!(page::show, say::say, follow::follow, before = [lent]);

/// The directory that the host lends.
const DATA: &str = "/data";

/// Goes on if the directory is there.
fn lent(_: &Request) -> Result<(), (Status, &'static str)> {
    match Path::new(DATA).is_dir() {
        true => Ok(()),
        false => Err((
            Status::SERVICE_UNAVAILABLE,
            "The room is a file in a directory that the server lends. Make one, and add it to the \
             command:\n\nmkdir -p data\nrhost serve examples/chat --dir ./data:/data\n",
        )),
    }
}
