//! The room as a page: the last messages, and a script that adds what follows.

use std::path::Path;

use askama::Template;
use rhost_sdk::prelude::*;
use rhost_sdk::respond::Responder;

use crate::DATA;
use crate::message::Message;
use crate::room::Room;

/// The cookie that remembers a name.
pub const NAME: &str = "name";

#[derive(Template)]
#[template(path = "room.html")]
struct Page {
    mount: String,
    name: String,
    messages: Vec<Message>,
    /// The place from which the script follows.
    place: u64,
}

#[get("/")]
pub fn show(environ: &Environ, cookies: Cookies<'_>) -> Result<Response> {
    let (lines, place) = Room::open(Path::new(DATA))?.last()?;
    let page = Page {
        mount: environ.script_name.clone(),
        name: cookies.get(NAME).unwrap_or_default().into_owned(),
        messages: lines.into_iter().map(|(message, _)| message).collect(),
        place,
    };
    let answer = Html(page.render()?).respond();
    Ok(answer.header("cache-control", "no-store"))
}
