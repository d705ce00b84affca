//! The fields of forms, and what can be wrong with them.

use rhost_sdk::prelude::*;
use serde::{Deserialize, Serialize};

/// The most characters of a name. Four octets each, in hexadecimal, they are still
/// a file's name.
const MOST_OF_A_NAME: usize = 30;
const MOST_OF_A_TITLE: usize = 120;
const MOST_OF_A_TEXT: usize = 20_000;

/// What is wrong, by the names of the fields.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Fault {
    field: &'static str,
    detail: &'static str,
}

impl Faults {
    /// One alone.
    pub fn one(field: &'static str, detail: &'static str) -> Faults {
        Faults(vec![Fault { field, detail }])
    }

    fn add(&mut self, field: &'static str, detail: &'static str) {
        self.0.push(Fault { field, detail });
    }

    /// Whether nothing is.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with this field.
    pub fn of(&self, field: &str) -> Option<&'static str> {
        let fault = self.0.iter().find(|fault| fault.field == field)?;
        Some(fault.detail)
    }

    /// The same for programs: the document names each field.
    pub fn into_problem(self) -> Problem {
        Problem::new(Status::UNPROCESSABLE_CONTENT)
            .detail("Some fields are not valid")
            .with("errors", self)
    }
}

/// A name to sign in with. A field that was not sent is empty, and is named by the
/// same words as one that was left empty.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Name {
    pub name: String,
}

impl Name {
    pub fn faults(&mut self) -> Faults {
        self.name = self.name.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut faults = Faults::default();
        let is_allowed = |mark: char| mark.is_alphanumeric() || " -_.'".contains(mark);
        if self.name.is_empty() {
            faults.add("name", "Say what you are called.");
        } else if self.name.chars().count() > MOST_OF_A_NAME {
            faults.add("name", "A name has at most 30 characters.");
        } else if !self.name.chars().all(is_allowed) {
            faults.add(
                "name",
                "A name is made of letters, digits, blanks and - _ . '",
            );
        }
        faults
    }
}

/// A note as it was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Draft {
    pub title: String,
    pub text: String,
    /// The revision that a form was made of. A program has If-Match for that.
    pub revision: Option<u64>,
}

impl Draft {
    pub fn faults(&mut self) -> Faults {
        self.title = self.title.trim().to_owned();
        // A form ends lines with CRLF.
        self.text = self.text.replace("\r\n", "\n");
        let mut faults = Faults::default();
        if self.title.is_empty() {
            faults.add("title", "A note needs a title.");
        } else if self.title.chars().count() > MOST_OF_A_TITLE {
            faults.add("title", "A title has at most 120 characters.");
        } else if self.title.chars().any(char::is_control) {
            faults.add("title", "A title is a single line.");
        }
        if self.text.chars().count() > MOST_OF_A_TEXT {
            faults.add("text", "A note has at most 20,000 characters.");
        }
        faults
    }
}

#[cfg(test)]
mod tests {
    use super::{Draft, Name};

    #[test]
    fn a_name_is_tidied_and_checked() {
        let fault = |name: &str| {
            let mut sent = Name { name: name.into() };
            sent.faults().of("name")
        };
        let mut name = Name {
            name: "  Ada \t Lovelace ".into(),
        };
        assert!(name.faults().is_empty());
        assert_eq!(name.name, "Ada Lovelace");
        for good in ["Zoë", "李", "O'Neill-Smith_2.", &"é".repeat(30)] {
            assert_eq!(fault(good), None, "{good}");
        }
        for bad in ["", " \n ", "a/b", "<b>", "a\0b", "😀", &"é".repeat(31)] {
            assert!(fault(bad).is_some(), "{bad}");
        }
    }

    #[test]
    fn every_field_that_is_wrong_is_named() {
        let mut draft = Draft {
            title: " \r\n".into(),
            text: "é".repeat(20_001),
            revision: None,
        };
        let faults = draft.faults();
        assert!(faults.of("title").is_some() && faults.of("text").is_some());
        let mut draft = Draft {
            title: " Milk ".into(),
            text: "a\r\nb\rc".into(),
            revision: None,
        };
        assert!(draft.faults().is_empty());
        assert_eq!(
            (draft.title.as_str(), draft.text.as_str()),
            ("Milk", "a\nb\rc")
        );
    }
}
