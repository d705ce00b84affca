//! [`Cursor`]: a pattern's steps along a path.

/// A path as far as a pattern has not yet taken it.
///
/// A route attribute writes its pattern as steps: `/users/{id}` is
/// `cursor.text(6, ..) && cursor.param() && cursor.end()`, with the octets of
/// `users/` as a number. A number is a part of the code; a text would be a part of
/// the memory that each sandbox starts with.
///
/// ```
/// use rhost_sdk::routing::Cursor;
///
/// let mut cursor = Cursor::new(b"users/7");
/// assert!(cursor.text(6, u64::from_le_bytes(*b"users/\0\0")));
/// assert!(cursor.param());
/// assert!(cursor.end());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Cursor<'r>(&'r [u8]);

impl<'r> Cursor<'r> {
    /// The whole path, without its first slash.
    #[must_use]
    pub fn new(path: &'r [u8]) -> Cursor<'r> {
        Cursor(path)
    }

    /// Takes these octets, eight at most: as a little-endian number, since a number
    /// can be an argument.
    // A site has many calls of these, and the code of each is in its component.
    #[inline(never)]
    pub fn text(&mut self, length: usize, octets: u64) -> bool {
        let Some((taken, rest)) = self.0.split_at_checked(length) else {
            return false;
        };
        self.0 = rest;
        let number = taken.iter().rev();
        number.fold(0, |number, &octet| number << 8 | u64::from(octet)) == octets
    }

    /// Takes a segment that is not empty.
    #[inline(never)]
    pub fn param(&mut self) -> bool {
        let slash = self.0.iter().position(|&octet| octet == b'/');
        let length = slash.unwrap_or(self.0.len());
        self.0 = &self.0[length..];
        length > 0
    }

    /// Takes the rest, if there is any.
    pub fn tail(&mut self) -> bool {
        !std::mem::take(&mut self.0).is_empty()
    }

    /// Whether all is taken.
    #[must_use]
    pub fn end(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::Cursor;

    #[test]
    fn takes_what_is_there_and_nothing_else() {
        let word = |text: &[u8; 8]| u64::from_le_bytes(*text);
        let mut cursor = Cursor::new(b"users/7/a/b");
        assert!(!Cursor::new(b"users").text(6, word(b"users/\0\0")));
        assert!(!Cursor::new(b"users\0").text(6, word(b"users/\0\0")));
        assert!(cursor.text(6, word(b"users/\0\0")));
        assert!(cursor.param());
        assert!(!cursor.param() && !cursor.end());
        assert!(cursor.text(1, u64::from(b'/')));
        assert!(cursor.tail() && cursor.end());
        assert!(!cursor.tail());
        assert!(Cursor::new(b"").text(0, 0));
        assert!(Cursor::new(b"12345678").text(8, word(b"12345678")));
    }
}
