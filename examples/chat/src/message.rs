//! [`Message`]: what somebody said, as a line of the room's file.

use std::time::SystemTime;

use serde::{Deserialize, Serialize};

const MOST_OF_A_NAME: usize = 30;
const MOST_OF_A_TEXT: usize = 500;

/// What somebody said, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub name: String,
    pub text: String,
    /// As `2026-11-21T06:37:34Z`.
    pub time: String,
}

/// A message as it was sent.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Sent {
    pub name: String,
    pub text: String,
}

impl Sent {
    /// The message, or what is wrong: in one line for the client.
    pub fn into_message(self) -> Result<Message, &'static str> {
        let tidy = |text: &str| {
            let words = text.split(|mark: char| mark.is_whitespace() || mark.is_control());
            let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
            words.join(" ")
        };
        let (name, text) = (tidy(&self.name), tidy(&self.text));
        if name.is_empty() || name.chars().count() > MOST_OF_A_NAME {
            return Err("name: has to have 1 to 30 characters");
        }
        if text.is_empty() || text.chars().count() > MOST_OF_A_TEXT {
            return Err("text: has to have 1 to 500 characters");
        }
        let time = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Ok(Message { name, text, time })
    }
}

#[cfg(test)]
mod tests {
    use super::Sent;

    #[test]
    fn a_message_is_one_line_of_some_length() {
        let sent = |name: &str, text: &str| {
            let (name, text) = (name.into(), text.into());
            Sent { name, text }.into_message()
        };
        let message = sent(" Ada ", "a\r\nb\0c\u{1b}[31m").expect("a message");
        assert_eq!(
            (message.name.as_str(), message.text.as_str()),
            ("Ada", "a b c [31m")
        );
        // The largest is still a single write of the host's.
        let largest = sent(&"\"".repeat(30), &"😀".repeat(500)).expect("a message");
        assert!(serde_json::to_string(&largest).expect("JSON").len() < 4096);
        for (name, text) in [
            ("", "x"),
            ("x", " \n"),
            (&*"x".repeat(31), "x"),
            ("x", &*"x".repeat(501)),
        ] {
            assert!(sent(name, text).is_err(), "{name}: {text}");
        }
    }
}
