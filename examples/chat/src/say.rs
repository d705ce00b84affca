//! A message that is posted.

use std::path::Path;
use std::time::Duration;

use rhost_sdk::prelude::*;

use crate::DATA;
use crate::message::Sent;
use crate::page::NAME;
use crate::room::Room;

/// How long a browser remembers what its user is called.
const YEAR: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Says something, and leads back to the room. A script that asks for no page stays
/// where it is, and gets 204.
#[post("/say")]
pub fn say(
    environ: &Environ,
    accept: Accept<'_>,
    Form(sent): Form<Sent>,
) -> Result<(Cookie, Result<Redirect, Status>)> {
    let message = sent
        .into_message()
        .map_err(|problem| Error::new(Status::UNPROCESSABLE_CONTENT, problem))?;
    Room::say(Path::new(DATA), &message)?;
    let cookie = Cookie::new(NAME, &message.name).max_age(YEAR);
    let answer = match accept.prefers(&["text/html", "application/json"]) {
        Some("application/json") => Err(Status::NO_CONTENT),
        _ => Ok(Redirect::see_other(format!("{}/", environ.script_name))),
    };
    Ok((cookie, answer))
}
