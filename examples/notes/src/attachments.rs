//! A file beside a note.

use std::fs;
use std::io;
use std::path::Path;

use rhost_sdk::prelude::*;
use rhost_sdk::respond::Responder;

use crate::fields::Faults;
use crate::lent::failed;
use crate::note::{Attachment as Attached, Content, Id, now};
use crate::pages::{self, Show};
use crate::user::User;

/// The most octets of a file and of the form around it.
const MOST: usize = 5 << 20;

/// Puts a file beside a note, in place of the one that was there: a revision of the
/// note, like any other change.
#[post("/notes/{id}/attachment")]
pub fn attach(
    id: Id,
    mut user: User,
    Limited(mut form): Limited<MOST, Multipart>,
) -> Result<(Session, Response)> {
    let notebook = user.notebook();
    let Some(note) = notebook.read(id).map_err(failed)? else {
        return Ok((user.session, None::<()>.respond()));
    };
    let mut attached = None;
    while let Some(part) = form.next_part()? {
        if attached.is_none()
            && part.name() == "file"
            && let Some(name) = part.safe_filename()
        {
            let file = Id::new().map_err(failed)?;
            let octets = receive(part, &notebook.attachment(id, file))?;
            attached = Some(Attached { name, octets, file });
        }
    }
    // A form in which no file was chosen has one without a name.
    let Some(attached) = attached else {
        let page = Show {
            frame: user.frame(),
            note,
            faults: Faults::one("file", "Choose a file first."),
        };
        let answer = pages::html(&page).with_status(Status::UNPROCESSABLE_CONTENT);
        return Ok((user.session, answer));
    };
    let file = notebook.attachment(id, attached.file);
    let content = Content {
        changed: now(),
        attachment: Some(attached),
        ..note.content.clone()
    };
    let message = match notebook.replace(&note, content).map_err(failed)? {
        Some(_) => "The file is attached.",
        None => {
            let _ = fs::remove_file(file);
            "The note was changed at the same time. Attach the file again."
        }
    };
    Ok(user.leads_to(&note.path(), message))
}

/// Writes a part to a file as it arrives. No note names the file yet, so that
/// nobody reads half of it.
fn receive(mut part: Part<'_>, path: &Path) -> Result<u64> {
    let mut file = fs::File::create_new(path).map_err(failed)?;
    let received = io::copy(&mut part, &mut file).and_then(|octets| {
        file.sync_all()?;
        Ok(octets)
    });
    received.map_err(|error| {
        let _ = fs::remove_file(path);
        failed(error)
    })
}

/// The file, to be saved and never shown: whatever it holds, it is no page of this
/// site.
#[get("/notes/{id}/attachment")]
pub fn download(id: Id, user: User, conditions: Conditions<'_>) -> Result<Option<Response>> {
    let notebook = user.notebook();
    let note = notebook.read(id).map_err(failed)?;
    let Some(attached) = note.and_then(|note| note.content.attachment) else {
        return Ok(None);
    };
    let file = File::open(notebook.attachment(id, attached.file))?
        .content_type("application/octet-stream")
        .download(&attached.name)
        .etag(ETag::strong(attached.file.to_string()));
    Ok(Some(file.answer(conditions)))
}
