//! What tells one component from another.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use std::fmt;
use std::io::{self, Read};
use std::str::FromStr;

/// Bytes that are read at a time.
const BLOCK: usize = 64 << 10;

/// SHA-256 of a component's file (FIPS 180-4). Written as 64 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// That of `octets`.
    pub fn of(octets: &[u8]) -> Self {
        Digest(Sha256::digest(octets).into())
    }

    /// That of all that can be read of `file`, which is not held in memory.
    pub fn read(mut file: impl Read) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut block = vec![0; BLOCK];
        loop {
            match file.read(&mut block) {
                Ok(0) => return Ok(Digest(hasher.finalize().into())),
                Ok(octets) => hasher.update(&block[..octets]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for Digest {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const EXPECTED: &str = "expected 64 hexadecimal digits";
        let is_hexadecimal = |octet: u8| octet.is_ascii_digit() || (b'a'..=b'f').contains(&octet);
        if text.len() != 64 || !text.bytes().all(is_hexadecimal) {
            return Err(EXPECTED);
        }
        let mut octets = [0; 32];
        for (place, octet) in octets.iter_mut().enumerate() {
            let digits = &text[2 * place..2 * place + 2];
            *octet = u8::from_str_radix(digits, 16).map_err(|_| EXPECTED)?;
        }
        Ok(Digest(octets))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_read_as_it_is_written() {
        let digest = Digest::of(b"abc");
        let text = digest.to_string();
        // FIPS 180-4's own example.
        assert!(text.starts_with("ba7816bf8f01cfea414140de5dae2223"));
        assert_eq!(text.parse(), Ok(digest));
        for text in ["", &text[1..], &text.to_uppercase(), &"\u{e9}".repeat(32)] {
            assert!(text.parse::<Digest>().is_err(), "{text}");
        }
    }
}
