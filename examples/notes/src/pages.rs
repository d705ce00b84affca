//! The pages: templates that were compiled in, and what each is made of.

use std::hash::{DefaultHasher, Hasher};

use askama::Template;
use rhost_sdk::prelude::*;
use rhost_sdk::respond::Responder;

use crate::fields::Faults;
use crate::note::Note;

/// What is around every page.
#[derive(Default)]
pub struct Frame {
    /// Where the app is mounted: what its own links begin with.
    pub mount: String,
    /// Who is signed in.
    pub name: Option<String>,
    /// Messages of the page before.
    pub flashes: Vec<String>,
}

impl Frame {
    /// The frame of a page for anybody.
    pub fn plain(request: &Request) -> Frame {
        Frame {
            mount: request.environ().script_name.clone(),
            ..Frame::default()
        }
    }
}

#[derive(Template)]
#[template(path = "front.html")]
pub struct Front {
    pub frame: Frame,
    pub visits: u64,
    /// What was typed, and what is wrong with it.
    pub typed: String,
    pub faults: Faults,
}

#[derive(Template)]
#[template(path = "list.html")]
pub struct List {
    pub frame: Frame,
    pub notes: Vec<Note>,
}

#[derive(Template)]
#[template(path = "note.html")]
pub struct Show {
    pub frame: Frame,
    pub note: Note,
    /// What is wrong with a file that was sent.
    pub faults: Faults,
}

/// The form for a note that is new, or is there.
#[derive(Template)]
#[template(path = "form.html")]
pub struct Compose {
    pub frame: Frame,
    /// The path that the form is posted to, and the one that leaves it.
    pub action: String,
    pub back: String,
    pub title: String,
    pub text: String,
    /// The revision that the form was made of.
    pub revision: Option<u64>,
    pub faults: Faults,
    /// Somebody saved another revision in the meantime.
    pub conflict: bool,
}

#[derive(Template)]
#[template(path = "error.html")]
pub struct Failed {
    pub frame: Frame,
    pub status: Status,
    pub message: String,
}

/// What is there of what the host has to lend.
#[derive(Template)]
#[template(path = "setup.html")]
pub struct Setup {
    pub directory: bool,
    pub key: bool,
}

impl Setup {
    /// What the page says, for programs.
    pub fn line(&self) -> String {
        let missing = [
            (self.directory, "--dir ./data:/data"),
            (self.key, "--env SECRET_KEY=..., of 32 octets or more"),
        ];
        let missing: Vec<&str> = missing
            .into_iter()
            .filter_map(|(is_there, flag)| (!is_there).then_some(flag))
            .collect();
        format!("Add to the server's command: {}", missing.join("; "))
    }
}

/// A page as an answer.
pub fn html(page: &impl Template) -> Response {
    match page.render() {
        Ok(text) => Html(text).respond(),
        Err(error) => Error::from(error).respond(),
    }
}

/// A page that a browser may have already. Its tag is made of all that it shows: a
/// note that was changed and a template that was are both another page.
pub fn tagged(page: &impl Template, conditions: Conditions<'_>) -> Response {
    match page.render() {
        Ok(text) => {
            let mut hasher = DefaultHasher::new();
            hasher.write(text.as_bytes());
            let tag = ETag::strong(format!("{:016x}", hasher.finish()));
            conditions.respond(tag, || Html(text))
        }
        Err(error) => Error::from(error).respond(),
    }
}

/// A time as people read it: `2026-11-21 06:37 UTC`.
pub fn readable(moment: String) -> String {
    let minutes = moment.get(..16).unwrap_or(&moment);
    format!("{} UTC", minutes.replace('T', " "))
}

/// A number of octets as people read it.
pub fn size(octets: &u64) -> String {
    match octets {
        0..1024 => format!("{octets} octets"),
        1024..1_048_576 => format!("{} KiB", octets / 1024),
        _ => format!("{:.1} MiB", *octets as f64 / 1_048_576.0),
    }
}

#[cfg(test)]
mod tests {
    use super::{Failed, Frame, readable, size};
    use askama::Template;
    use rhost_sdk::Status;

    #[test]
    fn what_users_write_is_text() {
        let frame = Frame {
            name: Some("<b>\"Ada\"</b>".into()),
            flashes: vec!["a & b".into()],
            ..Frame::default()
        };
        let page = Failed {
            frame,
            status: Status::NOT_FOUND,
            message: "<script>".into(),
        };
        let text = page.render().expect("a page");
        for bad in ["<b>", "a & b", "<script>"] {
            assert!(!text.contains(bad), "{bad} in {text}");
        }
        assert!(text.contains("404") && text.contains("Not Found"));
    }

    #[test]
    fn times_and_sizes_are_for_people() {
        let moment = "2026-11-21T06:37:34.125Z".to_owned();
        assert_eq!(readable(moment), "2026-11-21 06:37 UTC");
        for (octets, text) in [(0, "0 octets"), (2047, "1 KiB"), (3 << 19, "1.5 MiB")] {
            assert_eq!(size(&octets), text);
        }
    }
}
