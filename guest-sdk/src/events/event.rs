//! [`Event`]: one event, and how it is written.

use std::borrow::Cow;
use std::fmt::Write;
use std::io;
use std::time::Duration;

/// One event of an answer of [`Events`](crate::Events).
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/lists")]
/// fn lists() -> Events {
///     Events::new(|events| events.send(&Event::new("milk\nbread").name("list").id("7")))
/// }
///
/// app!(lists);
/// # let answer = rhost_sdk::testing::get(&APP, "/lists").send();
/// # assert_eq!(answer.text(), "event: list\nid: 7\ndata: milk\ndata: bread\n\n");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event<'e> {
    data: Option<Cow<'e, str>>,
    name: Option<Cow<'e, str>>,
    id: Option<Cow<'e, str>>,
    retry: Option<Duration>,
}

impl<'e> Event<'e> {
    /// An event with this data: any text, of any number of lines, none
    /// included. A line ends with LF, CRLF or CR, and the client gets each as
    /// LF.
    #[must_use]
    pub fn new(data: impl Into<Cow<'e, str>>) -> Event<'e> {
        Event {
            data: Some(data.into()),
            ..Event::default()
        }
    }

    /// An event whose data is this value as a JSON document.
    ///
    /// # Errors
    ///
    /// The value cannot be serialized.
    #[cfg(feature = "json")]
    pub fn json(value: &impl serde::Serialize) -> serde_json::Result<Event<'e>> {
        serde_json::to_string(value).map(Event::new)
    }

    /// No event: the client sets its last ID and the time it waits, and its
    /// listeners hear nothing. For [`id`](Event::id) and
    /// [`retry`](Event::retry) alone.
    #[must_use]
    pub fn silent() -> Event<'e> {
        Event::default()
    }

    /// Sets the name, which listeners are added for; without one it is
    /// `message`.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'e, str>>) -> Event<'e> {
        self.name = Some(name.into());
        self
    }

    /// Sets the ID that a client sends when it comes back, see
    /// [`LastEventId`](crate::LastEventId). An empty one makes it forget the
    /// last.
    #[must_use]
    pub fn id(mut self, id: impl Into<Cow<'e, str>>) -> Event<'e> {
        self.id = Some(id.into());
        self
    }

    /// Sets how long the client waits before it comes back, in whole
    /// milliseconds.
    #[must_use]
    pub fn retry(mut self, retry: Duration) -> Event<'e> {
        self.retry = Some(retry);
        self
    }

    /// Appends the event, up to the empty line that ends it.
    pub(super) fn write_to(&self, text: &mut String) -> io::Result<()> {
        if let Some(name) = &self.name {
            field(text, "event", single_line("name", name)?);
        }
        if let Some(id) = &self.id {
            // A client drops an ID with NUL, without a word.
            if id.contains('\0') {
                return Err(invalid("the ID of an event holds NUL"));
            }
            field(text, "id", single_line("ID", id)?);
        }
        if let Some(retry) = self.retry {
            // To a String it cannot fail.
            let _ = writeln!(text, "retry: {}", retry.as_millis());
        }
        if let Some(data) = &self.data {
            lines(data).for_each(|line| field(text, "data", line));
        }
        text.push('\n');
        Ok(())
    }
}

/// A line of the stream. The blank is the client's to drop: without it, one at
/// the beginning of the value would be.
pub(super) fn field(text: &mut String, name: &str, value: &str) {
    text.push_str(name);
    text.push_str(": ");
    text.push_str(value);
    text.push('\n');
}

/// The lines as the client will see them: at least one, each ended by CRLF, LF
/// or CR except the last.
pub(super) fn lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\r', '\n']) else {
            return rest.take();
        };
        let (line, after) = text.split_at(end);
        rest = Some(after.strip_prefix("\r\n").unwrap_or(&after[1..]));
        Some(line)
    })
}

/// What is a line of its own must not end in the middle: the rest would be a
/// field that its author chose.
fn single_line<'t>(what: &str, text: &'t str) -> io::Result<&'t str> {
    if text.contains(['\r', '\n']) {
        return Err(invalid(&format!("the {what} of an event holds a line end")));
    }
    Ok(text)
}

fn invalid(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, message)
}

#[cfg(test)]
mod tests {
    use super::{Event, lines};

    #[test]
    fn lines_end_as_the_standard_has_it() {
        for (text, expected) in [
            ("", &[""][..]),
            ("a", &["a"]),
            ("a\n", &["a", ""]),
            ("a\r\nb\rc\nd", &["a", "b", "c", "d"]),
            ("\n\r", &["", "", ""]),
            ("é\r\r\nü", &["é", "", "ü"]),
            // No line ends, whatever Unicode says.
            ("a\u{85}b\u{2028}c\x0bd", &["a\u{85}b\u{2028}c\x0bd"]),
        ] {
            assert_eq!(lines(text).collect::<Vec<_>>(), expected, "{text:?}");
        }
    }

    #[test]
    fn an_event_is_written_whole_or_not_at_all() {
        for event in [
            Event::new("x").name("a\ndata: forged"),
            Event::new("x").name("a\r"),
            Event::new("x").id("7\r\nretry: 0"),
            Event::new("x").id("7\0"),
        ] {
            let error = event.write_to(&mut String::new()).unwrap_err();
            assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
        }
    }
}
