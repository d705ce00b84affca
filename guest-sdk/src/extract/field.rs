//! The field that does not fit.

use serde::Deserializer;
use serde::de::DeserializeOwned;
use serde_path_to_error::Error;

use crate::rejection::Rejection;

/// The most octets of a field's name that a client is told: a longer one is its
/// own invention.
const MOST: usize = 100;

/// What serde says of a field that is not deserialized itself, and what the
/// client is told.
const NAMED: [(&str, &str); 2] = [
    ("missing field `", "is missing"),
    ("duplicate field `", "is there twice"),
];

/// Names the field for which a value could not be deserialized.
///
/// It deserializes the value again, and notes the path: where everything fits,
/// noting it would be work for nothing.
#[cold]
pub(crate) fn blame<'de, T: DeserializeOwned, D: Deserializer<'de>>(
    rejection: Rejection,
    again: D,
) -> Rejection {
    match serde_path_to_error::deserialize::<D, T>(again) {
        Ok(_) => rejection,
        Err(error) => name(rejection, &path(&error), &error.inner().to_string()),
    }
}

/// The path of the value, as `notes[3].text`; empty for the whole.
fn path<E>(error: &Error<E>) -> String {
    match error.path().iter().next() {
        Some(_) => error.path().to_string(),
        None => String::new(),
    }
}

fn name(rejection: Rejection, path: &str, problem: &str) -> Rejection {
    // The path of a field that is not there is that of what should hold it.
    let named = NAMED.into_iter().find_map(|(start, message)| {
        let (name, _) = problem.strip_prefix(start)?.split_once('`')?;
        Some((name, message))
    });
    let (field, message) = match (path, named) {
        ("", Some((name, message))) => (name.to_owned(), message),
        (path, Some((name, message))) => (format!("{path}.{name}"), message),
        (path, None) if problem.starts_with("unknown field `") => (path.to_owned(), "is not known"),
        (path, None) => (path.to_owned(), "is invalid"),
    };
    if field.is_empty() || field.len() > MOST {
        return rejection;
    }
    rejection.problem(field, message)
}
