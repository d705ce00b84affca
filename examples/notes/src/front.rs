//! The front page: who comes is counted, and may sign in.

use std::path::Path;

use rhost_sdk::prelude::*;
use rhost_sdk::respond::Responder;
use serde_json::json;

use crate::fields::{Faults, Name};
use crate::lent::{DATA, failed};
use crate::media::Media;
use crate::pages::{self, Frame, Front};
use crate::sent::Sent;
use crate::user;
use crate::visits;

/// A page that is shown is a visit; a document is not.
#[get("/")]
pub fn show(request: &Request, media: Media, mut session: Session) -> Result<(Session, Response)> {
    let data = Path::new(DATA);
    let name = user::name(&session);
    let answer = match media {
        Media::Json => {
            let visits = visits::read(data).map_err(failed)?;
            Json(json!({ "name": name, "visits": visits })).respond()
        }
        Media::Html => {
            let visits = match request.method() {
                "GET" => visits::count(data).map_err(failed)?,
                _ => visits::read(data).map_err(failed)?,
            };
            let frame = Frame {
                name,
                flashes: session.take_flashes(),
                ..Frame::plain(request)
            };
            let front = Front {
                frame,
                visits,
                typed: String::new(),
                faults: Faults::default(),
            };
            // Kept nowhere: the next one is another visit.
            pages::html(&front).header("cache-control", "no-store")
        }
    };
    Ok((session, answer))
}

#[post("/session")]
pub fn sign_in(
    request: &Request,
    media: Media,
    mut session: Session,
    Sent(mut sent): Sent<Name>,
) -> Result<(Session, Response)> {
    let faults = sent.faults();
    if !faults.is_empty() {
        let answer = match media {
            Media::Json => faults.into_problem().respond(),
            Media::Html => pages::html(&Front {
                frame: Frame::plain(request),
                visits: visits::read(Path::new(DATA)).map_err(failed)?,
                typed: sent.name,
                faults,
            })
            .with_status(Status::UNPROCESSABLE_CONTENT),
        };
        return Ok((session, answer));
    }
    user::remember(&mut session, &sent.name)?;
    let answer = match media {
        Media::Json => Json(json!({ "name": sent.name })).respond(),
        Media::Html => {
            let notes = format!("{}/notes", request.environ().script_name);
            Redirect::see_other(notes).respond()
        }
    };
    Ok((session, answer))
}

#[delete("/session")]
pub fn sign_out(mut session: Session) -> (Session, Status) {
    session.clear();
    (session, Status::NO_CONTENT)
}

/// A form cannot say DELETE.
#[post("/session/end")]
pub fn sign_out_by_form(environ: &Environ, mut session: Session) -> (Session, Redirect) {
    session.clear();
    session.flash("You are signed out.");
    (
        session,
        Redirect::see_other(format!("{}/", environ.script_name)),
    )
}
