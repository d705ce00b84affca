//! The binary format of WebAssembly by its sections, for who writes one of them anew and leaves
//! the others as they are.

use std::ops::Range;
use wasm_encoder::Encode;
use wasmparser::{BinaryReader, Result};

/// Bytes of the header of a module or a component: the magic number and the version.
pub const HEADER: usize = 8;

/// A section of a module or a component.
pub struct Section {
    /// Its kind.
    pub id: u8,
    /// Where it is, with its number and its length.
    pub whole: Range<usize>,
    /// Where what is in it is.
    pub content: Range<usize>,
}

/// The sections of a module or a component.
pub fn sections(file: &[u8]) -> Result<Vec<Section>> {
    let mut reader = BinaryReader::new(file, 0);
    reader.read_bytes(HEADER)?;
    let mut sections = Vec::new();
    while !reader.eof() {
        let start = reader.original_position();
        let id = reader.read_u8()?;
        let length = reader.read_var_u32()? as usize;
        let content = reader.original_position();
        reader.read_bytes(length)?;
        let end = reader.original_position();
        sections.push(Section {
            id,
            whole: start..end,
            content: content..end,
        });
    }
    Ok(sections)
}

/// `file` with what `rewrite` says in place of the contents of its sections; none if it says so
/// of none.
pub fn rewritten(
    file: &[u8],
    mut rewrite: impl FnMut(u8, &[u8]) -> Result<Option<Vec<u8>>>,
) -> Result<Option<Vec<u8>>> {
    let (mut written, mut done) = (Vec::new(), 0);
    for section in sections(file)? {
        if let Some(content) = rewrite(section.id, &file[section.content])? {
            written.extend_from_slice(&file[done..section.whole.start]);
            written.push(section.id);
            content.encode(&mut written);
            done = section.whole.end;
        }
    }
    if done == 0 {
        return Ok(None);
    }
    written.extend_from_slice(&file[done..]);
    Ok(Some(written))
}

/// A vector (a number, and so many items) with items `added` at its end.
pub fn longer(vector: &[u8], added: Vec<Vec<u8>>) -> Result<Vec<u8>> {
    let mut reader = BinaryReader::new(vector, 0);
    let count = reader.read_var_u32()?;
    let mut longer = Vec::with_capacity(vector.len());
    (count + added.len() as u32).encode(&mut longer);
    longer.extend_from_slice(&vector[reader.original_position()..]);
    longer.extend(added.into_iter().flatten());
    Ok(longer)
}
