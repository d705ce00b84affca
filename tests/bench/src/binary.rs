//! The binary format of WebAssembly, as far as components are written or changed here by
//! hand.

use anyhow::{Context, Result, ensure};

/// Bytes before the first section.
pub const PREAMBLE: usize = 8;

/// A section of a module or a component.
pub fn section(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[number], &leb(bytes.len())[..], bytes].concat()
}

/// A length as WebAssembly writes it.
pub fn leb(mut length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while length >= 0x80 {
        bytes.push(length as u8 | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    bytes
}

/// What is left to read.
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// The next bytes.
    pub fn take(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .context("it ends too early")?;
        self.0 = rest;
        Ok(taken)
    }

    /// The next length.
    pub fn leb(&mut self) -> Result<usize> {
        let mut length = 0;
        for place in 0..5 {
            let byte = self.take(1)?[0];
            length |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(length);
            }
        }
        anyhow::bail!("a number is too long")
    }

    /// The next bytes with their length before them.
    pub fn sized(&mut self) -> Result<&'a [u8]> {
        let length = self.leb()?;
        self.take(length)
    }

    /// The number and the content of the next section; none at the end.
    pub fn section(&mut self) -> Result<Option<(u8, &'a [u8])>> {
        match self.0.is_empty() {
            true => Ok(None),
            false => Ok(Some((self.take(1)?[0], self.sized()?))),
        }
    }
}

/// All sections of a module or a component.
pub fn sections(file: &[u8]) -> Result<Vec<(u8, &[u8])>> {
    ensure!(file.starts_with(b"\0asm"), "it is no WebAssembly");
    let mut reader = Reader(file);
    reader.take(PREAMBLE)?;
    let mut sections = Vec::new();
    while let Some(section) = reader.section()? {
        sections.push(section);
    }
    Ok(sections)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths() {
        assert_eq!(leb(5), [5]);
        assert_eq!(leb(300), [0xac, 2]);
        assert_eq!(section(3, &[7; 128])[..3], [3, 0x80, 1]);
        assert_eq!(Reader(&leb(300)).leb().unwrap(), 300);
    }

    #[test]
    fn sections_are_read_as_they_are_written() {
        let file = [
            b"\0asm\x01\0\0\0".to_vec(),
            section(3, b"abc"),
            section(10, b""),
        ]
        .concat();
        let found: [(u8, &[u8]); 2] = [(3, b"abc"), (10, b"")];
        assert_eq!(sections(&file).unwrap(), found);
        assert!(sections(&file[..10]).is_err());
    }
}
