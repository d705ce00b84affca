//! The notes: listed, shown, written, changed and deleted.
//!
//! A browser's forms say POST and nothing else; programs say PUT and DELETE at the
//! same address.

use rhost_sdk::prelude::*;
use rhost_sdk::respond::Responder;
use serde_json::json;

use crate::errors;
use crate::fields::{Draft, Faults};
use crate::lent::failed;
use crate::media::Media;
use crate::note::{Content, Id, Note, now};
use crate::pages::{self, Compose, Frame, List, Show};
use crate::sent::Sent;
use crate::user::User;

/// What a handler answers, with the session that may have changed.
type Answer = Result<(Session, Response)>;

#[get("/notes")]
pub fn list(media: Media, mut user: User, conditions: Conditions<'_>) -> Answer {
    let notes = user.notebook().list().map_err(failed)?;
    let answer = match media {
        Media::Json => Json(json!({ "notes": notes })).respond(),
        Media::Html => {
            let frame = user.frame();
            respond(&List { frame, notes }, |list| &list.frame, conditions)
        }
    };
    Ok((user.session, answer))
}

#[get("/notes/new")]
pub fn compose(mut user: User) -> (Session, Response) {
    let form = form(&mut user, None, Draft::default(), Faults::default());
    (user.session, pages::html(&form))
}

#[post("/notes")]
pub fn create(media: Media, user: User, Sent(mut draft): Sent<Draft>) -> Answer {
    let faults = draft.faults();
    if !faults.is_empty() {
        return Ok(refused(media, user, None, draft, faults));
    }
    let note = user.notebook().create(content(draft, None));
    let note = note.map_err(failed)?;
    Ok(match media {
        Media::Html => user.leads_to(&note.path(), "The note is saved."),
        Media::Json => {
            let answer = document(&note)
                .with_status(Status::CREATED)
                .header("location", user.mount + &note.path());
            (user.session, answer)
        }
    })
}

#[get("/notes/{id}")]
pub fn show(id: Id, media: Media, mut user: User, conditions: Conditions<'_>) -> Answer {
    let Some(note) = user.notebook().read(id).map_err(failed)? else {
        return Ok((user.session, None::<()>.respond()));
    };
    let answer = match media {
        Media::Json => conditions.respond(note.etag(), || Json(note)),
        Media::Html => {
            let page = Show {
                frame: user.frame(),
                note,
                faults: Faults::default(),
            };
            respond(&page, |page| &page.frame, conditions)
        }
    };
    Ok((user.session, answer))
}

#[get("/notes/{id}/edit")]
pub fn edit(id: Id, mut user: User) -> Answer {
    let note = user.notebook().read(id).map_err(failed)?;
    let answer = note.map(|note| {
        let draft = Draft {
            title: note.content.title.clone(),
            text: note.content.text.clone(),
            revision: Some(note.revision),
        };
        pages::html(&form(&mut user, Some(id), draft, Faults::default()))
    });
    Ok((user.session, answer.respond()))
}

/// The whole note, of a program. If-Match says which revision it has seen.
#[put("/notes/{id}")]
pub fn replace(
    id: Id,
    media: Media,
    user: User,
    conditions: Conditions<'_>,
    Sent(mut draft): Sent<Draft>,
) -> Answer {
    let Some(note) = user.notebook().read(id).map_err(failed)? else {
        return Ok((user.session, None::<()>.respond()));
    };
    conditions.require(note.etag())?;
    let faults = draft.faults();
    if !faults.is_empty() {
        return Ok(refused(media, user, Some(id), draft, faults));
    }
    let content = content(draft, Some(&note));
    let answer = match user.notebook().replace(&note, content).map_err(failed)? {
        Some(note) => document(&note),
        None => errors::problem(
            Status::CONFLICT,
            "Somebody else changed the note at the same time: read it again",
        ),
    };
    Ok((user.session, answer))
}

/// The whole note, of a form, which says which revision it was made of.
#[post("/notes/{id}")]
pub fn replace_by_form(id: Id, mut user: User, Form(mut draft): Form<Draft>) -> Answer {
    let Some(note) = user.notebook().read(id).map_err(failed)? else {
        return Ok((user.session, None::<()>.respond()));
    };
    let faults = draft.faults();
    if !faults.is_empty() {
        return Ok(refused(Media::Html, user, Some(id), draft, faults));
    }
    let seen = draft.revision == Some(note.revision);
    let (title, text) = (draft.title.clone(), draft.text.clone());
    let saved = match seen {
        true => {
            let content = content(draft, Some(&note));
            user.notebook().replace(&note, content).map_err(failed)?
        }
        false => None,
    };
    if let Some(note) = saved {
        return Ok(user.leads_to(&note.path(), "The note is saved."));
    }
    // What was typed is kept, and saving it again is a choice.
    let draft = Draft {
        title,
        text,
        revision: Some(match seen {
            true => note.revision + 1,
            false => note.revision,
        }),
    };
    let form = Compose {
        conflict: true,
        ..form(&mut user, Some(id), draft, Faults::default())
    };
    let answer = pages::html(&form).with_status(Status::CONFLICT);
    Ok((user.session, answer))
}

#[delete("/notes/{id}")]
pub fn delete(id: Id, user: User, conditions: Conditions<'_>) -> Result<Option<()>> {
    let notebook = user.notebook();
    let Some(note) = notebook.read(id).map_err(failed)? else {
        return Ok(None);
    };
    conditions.require(note.etag())?;
    let deleted = notebook.delete(id).map_err(failed)?;
    Ok(deleted.then_some(()))
}

/// A form cannot say DELETE.
#[post("/notes/{id}/delete")]
pub fn delete_by_form(id: Id, user: User) -> Answer {
    match user.notebook().delete(id).map_err(failed)? {
        true => Ok(user.leads_to("/notes", "The note is deleted.")),
        false => Ok((user.session, None::<()>.respond())),
    }
}

/// A page that may be cached, unless it shows a message: that is shown once.
pub fn respond<P: askama::Template>(
    page: &P,
    frame: impl FnOnce(&P) -> &Frame,
    conditions: Conditions<'_>,
) -> Response {
    match frame(page).flashes.is_empty() {
        true => pages::tagged(page, conditions),
        false => pages::html(page).header("cache-control", "no-store"),
    }
}

fn document(note: &Note) -> Response {
    Json(note).respond().header("etag", note.etag())
}

fn content(draft: Draft, before: Option<&Note>) -> Content {
    Content {
        title: draft.title,
        text: draft.text,
        changed: now(),
        attachment: before.and_then(|note| note.content.attachment.clone()),
    }
}

/// The form again, with what was typed and what is wrong with it; or the same as a
/// document.
fn refused(
    media: Media,
    mut user: User,
    id: Option<Id>,
    draft: Draft,
    faults: Faults,
) -> (Session, Response) {
    let answer = match media {
        Media::Json => faults.into_problem().respond(),
        Media::Html => pages::html(&form(&mut user, id, draft, faults))
            .with_status(Status::UNPROCESSABLE_CONTENT),
    };
    (user.session, answer)
}

fn form(user: &mut User, id: Option<Id>, draft: Draft, faults: Faults) -> Compose {
    let path = match id {
        Some(id) => format!("{}/notes/{id}", user.mount),
        None => format!("{}/notes", user.mount),
    };
    Compose {
        frame: user.frame(),
        action: path.clone(),
        back: path,
        title: draft.title,
        text: draft.text,
        revision: draft.revision,
        faults,
        conflict: false,
    }
}
