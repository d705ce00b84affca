//! [`User`]: who is signed in.

use std::path::Path;

use rhost_sdk::FromRequest;
use rhost_sdk::prelude::*;
use rhost_sdk::respond::Responder;

use crate::errors;
use crate::lent::DATA;
use crate::media::Media;
use crate::notebook::Notebook;
use crate::pages::Frame;

/// The value of the session that holds the name.
const NAME: &str = "name";

/// The text for a program that is not signed in.
const UNKNOWN: &str = "Sign in first: POST a name to /session";

/// Who is signed in, with the session that says so.
pub struct User {
    pub name: String,
    pub session: Session,
    /// Where the app is mounted: what its own links begin with.
    pub mount: String,
}

impl User {
    pub fn notebook(&self) -> Notebook {
        Notebook::of(Path::new(DATA), &self.name)
    }

    /// What is around a page for the user, who gets the messages with it.
    pub fn frame(&mut self) -> Frame {
        Frame {
            mount: self.mount.clone(),
            name: Some(self.name.clone()),
            flashes: self.session.take_flashes(),
        }
    }

    /// The answer to a form: a message, on the page that it leads to.
    pub fn leads_to(mut self, path: &str, message: &str) -> (Session, Response) {
        self.session.flash(message);
        let location = format!("{}{path}", self.mount);
        (self.session, Redirect::see_other(location).respond())
    }
}

impl FromRequest<'_> for User {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        let session = Session::from_request(request)?;
        match session.get(NAME) {
            Some(name) => Ok(User {
                name,
                session,
                mount: request.environ().script_name.clone(),
            }),
            None => Err(Rejection::new(Status::UNAUTHORIZED, UNKNOWN)),
        }
    }
}

/// The name in a session.
pub fn name(session: &Session) -> Option<String> {
    session.get(NAME)
}

/// Signs a name in.
pub fn remember(session: &mut Session, name: &str) -> Result<()> {
    session.clear();
    session.insert(NAME, name)
}

/// Goes on for who is signed in, or asks for nothing that needs it. A browser is
/// led to the form; a program is told.
pub fn known(request: &Request) -> Result<(), Response> {
    let is_private = request
        .path()
        .strip_prefix(b"/notes")
        .is_some_and(|rest| matches!(rest, [] | [b'/', ..]));
    if !is_private {
        return Ok(());
    }
    let Err(rejection) = User::from_request(request) else {
        return Ok(());
    };
    if rejection.status() != Status::UNAUTHORIZED {
        return Err(rejection.respond());
    }
    Err(match Media::of(request) {
        Media::Html => {
            let front = format!("{}/", request.environ().script_name);
            Redirect::see_other(front).respond()
        }
        Media::Json => errors::problem(Status::UNAUTHORIZED, UNKNOWN),
    })
}
