//! Components of different code: each is the example hello with functions of its own
//! in its first module, and a number in its greeting.
//!
//! Only what stands between is read of the binary formats (the component model's
//! `Binary.md`, WebAssembly 2.0, section 5): sections and their counts.

use anyhow::{Context, Result, ensure};

/// Functions that are added to a component.
const FUNCTIONS: u32 = 20;
/// Operations in each, of which every one depends on the last.
const OPERATIONS: u32 = 60;

const GREETING: &[u8] = b"Hello, world!\n";
const PREAMBLE: usize = 8;
/// Sections of a component and of a module.
const MODULE: u8 = 1;
const TYPES: u8 = 1;
const FUNCTION_TYPES: u8 = 3;
const CODE: u8 = 10;
const DATA: u8 = 11;

/// What the component with that `number` answers.
pub fn greeting(number: u32) -> Vec<u8> {
    format!("Hello, {:05}!\n", number % 100_000).into_bytes()
}

/// The component with that `number`, made of `hello`.
pub fn component(hello: &[u8], number: u32) -> Result<Vec<u8>> {
    let mut made = hello
        .get(..PREAMBLE)
        .context("it is no component")?
        .to_vec();
    let mut is_first = true;
    for section in sections(&hello[PREAMBLE..]) {
        let (id, content) = section?;
        if id == MODULE && std::mem::take(&mut is_first) {
            append(&mut made, id, &module(content, number)?);
        } else {
            append(&mut made, id, content);
        }
    }
    ensure!(!is_first, "it has no module");
    Ok(made)
}

fn module(module: &[u8], number: u32) -> Result<Vec<u8>> {
    let mut made = module
        .get(..PREAMBLE)
        .context("a module is short")?
        .to_vec();
    let (mut types, mut greetings) = (0, 0);
    for section in sections(&module[PREAMBLE..]) {
        let (id, content) = section?;
        let more = match id {
            TYPES => {
                types = leb(content)?.0;
                // [] -> [i64]
                vec![vec![0x60, 0, 1, 0x7e]]
            }
            FUNCTION_TYPES => (0..FUNCTIONS).map(|_| leb_of(types)).collect(),
            CODE => (0..FUNCTIONS).map(|n| function(number, n)).collect(),
            _ => Vec::new(),
        };
        if id == DATA {
            let mut content = content.to_vec();
            greetings += greet(&mut content, number);
            append(&mut made, id, &content);
        } else if more.is_empty() {
            append(&mut made, id, content);
        } else {
            let (count, rest) = leb(content)?;
            let mut longer = leb_of(count + u32::try_from(more.len())?);
            longer.extend_from_slice(rest);
            longer.extend(more.into_iter().flatten());
            append(&mut made, id, &longer);
        }
    }
    ensure!(greetings > 0, "it does not greet");
    Ok(made)
}

/// Puts the greeting of `number` where the example's is.
fn greet(data: &mut [u8], number: u32) -> u32 {
    let places: Vec<usize> = data
        .windows(GREETING.len())
        .enumerate()
        .filter_map(|(place, text)| (text == GREETING).then_some(place))
        .collect();
    for place in &places {
        data[*place..][..GREETING.len()].copy_from_slice(&greeting(number));
    }
    places.len() as u32
}

/// A function that computes something that no other one does.
fn function(component: u32, number: u32) -> Vec<u8> {
    let mut random = u64::from(component) << 32 | u64::from(number) | 1;
    // No locals; a constant to begin with.
    let mut body = vec![0, 0x42, 1];
    for _ in 0..OPERATIONS {
        // Xorshift, as Marsaglia has it.
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        body.push(0x42);
        body.extend(signed_leb_of(random as i64));
        // i64.add, sub, mul, xor, rotl
        body.push([0x7c, 0x7d, 0x7e, 0x85, 0x89][(random >> 40) as usize % 5]);
    }
    body.push(0x0b);
    let mut function = leb_of(body.len() as u32);
    function.extend(body);
    function
}

/// The sections of a component or a module, behind its preamble.
fn sections(mut rest: &[u8]) -> impl Iterator<Item = Result<(u8, &[u8])>> {
    std::iter::from_fn(move || {
        let (id, after) = rest.split_first()?;
        Some(leb(after).and_then(|(size, after)| {
            let content = after.get(..size as usize).context("a section is short")?;
            rest = &after[size as usize..];
            Ok((*id, content))
        }))
    })
}

fn append(to: &mut Vec<u8>, id: u8, content: &[u8]) {
    to.push(id);
    to.extend(leb_of(content.len() as u32));
    to.extend_from_slice(content);
}

/// A number in LEB128, and what follows it.
fn leb(octets: &[u8]) -> Result<(u32, &[u8])> {
    let mut value = 0u32;
    for (place, octet) in octets.iter().enumerate().take(5) {
        value |= u32::from(octet & 0x7f) << (7 * place);
        if octet & 0x80 == 0 {
            return Ok((value, &octets[place + 1..]));
        }
    }
    anyhow::bail!("a number has no end")
}

fn leb_of(mut value: u32) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == 0 {
            octets.push(low);
            return octets;
        }
        octets.push(low | 0x80);
    }
}

fn signed_leb_of(mut value: i64) -> Vec<u8> {
    let mut octets = Vec::new();
    loop {
        let low = (value & 0x7f) as u8;
        value >>= 7;
        if value == -i64::from(low >> 6 & 1) {
            octets.push(low);
            return octets;
        }
        octets.push(low | 0x80);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for value in [0, 1, 127, 128, 300, u32::MAX] {
            let octets = leb_of(value);
            assert_eq!(leb(&octets).unwrap(), (value, &[][..]));
        }
        assert!(leb(&[0x80; 9]).is_err());
        assert_eq!(signed_leb_of(-1), [0x7f]);
        assert_eq!(signed_leb_of(64), [0xc0, 0]);
        assert_eq!(signed_leb_of(-128), [0x80, 0x7f]);
    }

    #[test]
    fn what_is_no_component_is_refused() {
        assert!(component(b"", 1).is_err());
        assert!(component(b"\0asm\x0d\0\x01\0", 1).is_err());
    }
}
