//! Immortal objects (PEP 683) in the snapshot of a Python program.
//!
//! The adapter lists where the snapshot's objects lie (`immortal.py`), since Python
//! cannot set their counts of references. Here they are set, in the data of the
//! component's memory; the list is erased.

use std::ops::Range;
use wasmparser::{BinaryReaderError, DataKind, DataSectionReader, Operator, Parser, Payload};

/// How the list begins.
const MAGIC: [u32; 4] = [0x7473_6f68, 0x6d6d_6972, 0x6174_726f, 0x0a0d_0a1a];

/// Words of its head: the magic, its own address, the numbers of objects and of
/// instructions, and the instruction that takes the place of those.
const HEAD: usize = 8;

/// Of an object that Python makes immortal at run time, where pointers have 32 bits
/// (`_Py_IMMORTAL_INITIAL_REFCNT`); and the least of those that are.
const IMMORTAL: u32 = 5 << 28;
const LEAST_IMMORTAL: u32 = 1 << 30;

/// A piece of a memory, and where its octets are in the file.
struct Piece {
    address: u32,
    file: Range<usize>,
}

/// A memory with a list in it.
struct Snapshot {
    memory: Vec<Piece>,
    /// Where the list is in the file, all of it.
    list: Range<usize>,
}

/// Makes what the list in `component` names immortal. Returns how many objects were
/// not yet; none if there is no list.
pub fn make(component: &mut [u8]) -> Result<usize, BinaryReaderError> {
    let Some(Snapshot { memory, list }) = find(component)? else {
        return Ok(0);
    };
    let word = |component: &[u8], at: usize| {
        let octets = component[at..at + 4].try_into();
        u32::from_le_bytes(octets.expect("four octets"))
    };
    let words: Vec<u32> = list
        .clone()
        .step_by(4)
        .map(|at| word(component, at))
        .collect();
    let (objects, loads) = words[HEAD..].split_at(words[5] as usize);
    let mut made = 0;
    for &address in objects {
        let Some(at) = place(&memory, address, 4) else {
            continue;
        };
        if word(component, at) < LEAST_IMMORTAL {
            component[at..at + 4].copy_from_slice(&IMMORTAL.to_le_bytes());
            made += 1;
        }
    }
    for &address in loads {
        if let Some(at) = place(&memory, address, 1) {
            component[at] = words[7] as u8;
        }
    }
    component[list].fill(0);
    Ok(made)
}

/// The memory with a list.
fn find(component: &[u8]) -> Result<Option<Snapshot>, BinaryReaderError> {
    let magic: Vec<u8> = MAGIC.iter().flat_map(|word| word.to_le_bytes()).collect();
    for payload in Parser::new(0).parse_all(component) {
        let Payload::DataSection(section) = payload? else {
            continue;
        };
        let memory = memory(section)?;
        for Piece { address, file } in &memory {
            let octets = &component[file.clone()];
            let found =
                memchr::memmem::find_iter(octets, &magic).find_map(|at| list(octets, at, *address));
            if let Some(list) = found {
                let list = file.start + list.start..file.start + list.end;
                return Ok(Some(Snapshot { memory, list }));
            }
        }
    }
    Ok(None)
}

/// The pieces in a section, by their addresses. Those without one before the
/// component is linked are no snapshot's.
fn memory(section: DataSectionReader<'_>) -> Result<Vec<Piece>, BinaryReaderError> {
    let mut memory = Vec::new();
    for data in section {
        let data = data?;
        if let DataKind::Active { offset_expr, .. } = data.kind
            && let Operator::I32Const { value } = offset_expr.get_operators_reader().read()?
        {
            let end = data.range.end;
            memory.push(Piece {
                address: value as u32,
                file: end - data.data.len()..end,
            });
        }
    }
    memory.sort_by_key(|piece| piece.address);
    Ok(memory)
}

/// The list that begins at `at` of the `octets` of a memory's piece at `address`, if
/// that is where it says to be, and it is whole.
fn list(octets: &[u8], at: usize, address: u32) -> Option<Range<usize>> {
    let word = |nth: usize| {
        let octets = octets.get(at + 4 * nth..at + 4 * nth + 4)?;
        Some(u32::from_le_bytes(octets.try_into().ok()?))
    };
    let words = HEAD
        .checked_add(word(5)? as usize)?
        .checked_add(word(6)? as usize)?;
    let end = words.checked_mul(4)?.checked_add(at)?;
    let is_here = u64::from(word(4)?) == u64::from(address) + at as u64;
    (is_here && end <= octets.len()).then_some(at..end)
}

/// Where so many octets at `address` are in the file.
fn place(memory: &[Piece], address: u32, octets: usize) -> Option<usize> {
    let after = memory.partition_point(|piece| piece.address <= address);
    let piece = &memory[after.checked_sub(1)?];
    let at = piece.file.start + (address - piece.address) as usize;
    (at + octets <= piece.file.end).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OBJECTS: [u32; 4] = [1, 0x7000_0000, 7, 0x5555_5555];

    /// A component with a memory of two pieces: `list` at 1000, and objects from
    /// 2000 on.
    fn component(list: &[u32]) -> Vec<u8> {
        let text = |words: &[u32]| -> String {
            let octets = words.iter().flat_map(|word| word.to_le_bytes());
            octets.map(|octet| format!("\\{octet:02x}")).collect()
        };
        let (objects, list) = (text(&OBJECTS), text(list));
        let text = format!(
            r#"(component (core module
                (memory 1)
                (data (i32.const 2000) "{objects}")
                (data (i32.const 1000) "{list}")))"#
        );
        wat::parse_str(text).unwrap()
    }

    /// The words from `address` on.
    fn words(component: &[u8], address: u32, count: usize) -> Vec<u32> {
        let mut payloads = Parser::new(0).parse_all(component);
        let memory = payloads.find_map(|payload| match payload.unwrap() {
            Payload::DataSection(section) => Some(memory(section).unwrap()),
            _ => None,
        });
        let at = place(&memory.unwrap(), address, 4 * count).unwrap();
        let words = component[at..at + 4 * count].chunks(4);
        words
            .map(|word| u32::from_le_bytes(word.try_into().unwrap()))
            .collect()
    }

    /// A list of these objects and instructions, which says to be at `address`.
    fn list_of(address: u32, objects: &[u32], loads: &[u32]) -> Vec<u32> {
        let numbers = [address, objects.len() as u32, loads.len() as u32, 0xbe];
        [&MAGIC[..], &numbers, objects, loads].concat()
    }

    #[test]
    fn what_is_listed_is_immortal() {
        // The last two objects are nowhere, and not whole.
        let list = list_of(1000, &[2000, 2004, 2008, 7, 2014], &[2013, 1 << 31]);
        let mut component = component(&list);
        let before = component.len();
        assert_eq!(make(&mut component).unwrap(), 2);
        assert_eq!(component.len(), before);
        assert_eq!(
            words(&component, 2000, 4),
            [IMMORTAL, 0x7000_0000, IMMORTAL, 0x5555_be55]
        );
        assert_eq!(words(&component, 1000, list.len()), vec![0; list.len()]);
        assert_eq!(
            make(&mut component).unwrap(),
            0,
            "there is no list any more"
        );
    }

    #[test]
    fn what_is_no_list_changes_nothing() {
        let elsewhere = list_of(1004, &[2000], &[]);
        let mut too_long = list_of(1000, &[2000], &[]);
        too_long[5] = u32::MAX;
        for list in [elsewhere, too_long, MAGIC.to_vec(), vec![1]] {
            let before = component(&list);
            let mut component = before.clone();
            assert_eq!(make(&mut component).unwrap(), 0);
            assert!(component == before, "{list:x?}");
        }
    }
}
