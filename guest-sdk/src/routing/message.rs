//! [`Message`]: what a constant panics with.

/// Text that is put together in a constant. What does not fit is left out.
pub(crate) struct Message {
    octets: [u8; 512],
    length: usize,
}

impl Message {
    pub(crate) const fn new() -> Message {
        Message {
            octets: [0; 512],
            length: 0,
        }
    }

    pub(crate) const fn add(mut self, text: &str) -> Message {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.length < self.octets.len() {
            self.octets[self.length] = text[at];
            self.length += 1;
            at += 1;
        }
        self
    }

    pub(crate) const fn text(&self) -> &str {
        match std::str::from_utf8(self.octets.split_at(self.length).0) {
            Ok(text) => text,
            // The end fell into a character.
            Err(_) => "duplicate route",
        }
    }
}
