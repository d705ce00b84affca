//! What a guest hands to a function of the host, measured before any of it is copied.
//!
//! wasmtime copies a `string` or a `list` out of the guest's memory before the function
//! runs, however long it is, and nothing interrupts that. So the functions of the host take
//! none as `String` or `Vec`: they take the types here, which copy up to a length that they
//! name, and `WasmList`, which copies nothing.
#![expect(
    unsafe_code,
    reason = "wasmtime has no safe way to read a part of a string; each type here is another of wasmtime's, read as that is"
)]

use std::fmt;
use wasmtime::component::__internal::wasmtime_environ::component::StringEncoding;
use wasmtime::component::__internal::{CanonicalAbiInfo, InstanceType, InterfaceType, LiftContext};
use wasmtime::component::{ComponentType, Lift, WasmStr};
use wasmtime::{Result, ValRaw, bail};

/// Marks a length as one of two bytes a unit, in the encoding `latin1+utf16`.
const WIDE: u32 = 1 << 31;

/// The most bytes of arguments that a guest may name in one call. Nothing is copied on
/// account of that: the blocks of `output.write` are read piece by piece, and fields one by
/// one.
pub const MOST: usize = 128 << 20;

/// A guest named more than [`MOST`] bytes.
pub fn is_too_much(error: &wasmtime::Error) -> bool {
    // Of this error wasmtime tells no type.
    error
        .root_cause()
        .to_string()
        .contains("fuel allocated for hostcalls has been exhausted")
}

/// A `string`, of which the first `MOST` bytes were copied.
#[derive(Debug, Clone)]
pub struct Text<const MOST: usize> {
    text: String,
    /// How many bytes follow in the guest's memory.
    left: usize,
}

impl<const MOST: usize> Text<MOST> {
    /// The string, if all of it was copied.
    pub fn whole(self) -> Option<String> {
        (self.left == 0).then_some(self.text)
    }

    /// What was copied of it.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn lift(cx: &mut LiftContext<'_>, pointer: u32, length: u32) -> Result<Self> {
        let encoding = cx.options().string_encoding;
        let (units, is_wide) = match encoding {
            StringEncoding::Utf8 => (length, false),
            StringEncoding::Utf16 => (length, true),
            StringEncoding::CompactUtf16 => (length & !WIDE, length & WIDE != 0),
        };
        if encoding != StringEncoding::Utf8 && !pointer.is_multiple_of(2) {
            bail!("a string's pointer is not aligned");
        }
        let size = units as usize * if is_wide { 2 } else { 1 };
        let memory = cx.memory().get(pointer as usize..);
        let Some(all) = memory.and_then(|memory| memory.get(..size)) else {
            bail!("a string lies outside of the guest's memory");
        };
        let taken = &all[..size.min(MOST & !1)];
        let left = size - taken.len();
        let text = match encoding {
            StringEncoding::Utf8 => utf8(taken, left > 0)?,
            _ if is_wide => utf16(taken, left > 0)?,
            _ => taken.iter().copied().map(char::from).collect(),
        };
        Ok(Text { text, left })
    }
}

/// The characters of `bytes`; the last may be cut off if `is_cut`.
fn utf8(bytes: &[u8], is_cut: bool) -> Result<String> {
    let whole = match std::str::from_utf8(bytes) {
        Err(error) if is_cut && error.error_len().is_none() => &bytes[..error.valid_up_to()],
        _ => bytes,
    };
    Ok(std::str::from_utf8(whole)?.to_owned())
}

/// The same of two bytes a unit.
fn utf16(bytes: &[u8], is_cut: bool) -> Result<String> {
    let units = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .map(|pair| u16::from_le_bytes(*pair));
    let mut text = String::with_capacity(bytes.len() / 2);
    let mut characters = char::decode_utf16(units).peekable();
    while let Some(character) = characters.next() {
        match character {
            Ok(character) => text.push(character),
            Err(_) if is_cut && characters.peek().is_none() => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(text)
}

/// Says how much is missing, if anything is.
impl<const MOST: usize> fmt::Display for Text<MOST> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match self.left {
            0 => Ok(()),
            left => write!(f, " ... ({left} more bytes)"),
        }
    }
}

/// A `string` that is still in the guest's memory, and how long it is at least.
pub struct Measured {
    text: WasmStr,
    units: usize,
}

impl Measured {
    /// Its length in units of its encoding: in UTF-8 it has no fewer bytes.
    pub fn units(&self) -> usize {
        self.units
    }

    /// The string itself. What that costs depends on its length.
    pub fn text(&self) -> &WasmStr {
        &self.text
    }

    fn new(text: WasmStr, length: u32) -> Self {
        // The mark is no part of the length; a string of that many bytes is never there.
        let units = (length & !WIDE) as usize;
        Measured { text, units }
    }
}

/// A `list` of at most `MOST` elements.
pub struct Few<T, const MOST: usize>(pub Vec<T>);

impl<T: Lift, const MOST: usize> Few<T, MOST> {
    fn check(length: u32) -> Result<()> {
        if length as usize > MOST {
            bail!("a function of the host was given a list of {length}, and takes {MOST} at most");
        }
        Ok(())
    }
}

/// Pointer and length as a parameter has them.
fn flat(pair: &[ValRaw; 2]) -> (u32, u32) {
    (pair[0].get_u32(), pair[1].get_u32())
}

/// Pointer and length as they stand in memory.
fn stored(bytes: &[u8]) -> Result<(u32, u32)> {
    let ([pointer, length], _) = bytes.as_chunks::<4>() else {
        bail!("a pointer and a length are eight bytes");
    };
    Ok((u32::from_le_bytes(*pointer), u32::from_le_bytes(*length)))
}

// SAFETY: of a `Text` wasmtime sees what it sees of a `String`: how it is laid out, and
// which types it may stand for. Its own reading of those two numbers checks them against
// the guest's memory.
unsafe impl<const MOST: usize> ComponentType for Text<MOST> {
    type Lower = <String as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <String as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        <String as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: as above.
unsafe impl<const MOST: usize> Lift for Text<MOST> {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        _: InterfaceType,
        src: &Self::Lower,
    ) -> Result<Self> {
        let (pointer, length) = flat(src);
        Text::lift(cx, pointer, length)
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        _: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        let (pointer, length) = stored(bytes)?;
        Text::lift(cx, pointer, length)
    }
}

// SAFETY: it is a `WasmStr`, beside which its length is noted.
unsafe impl ComponentType for Measured {
    type Lower = <WasmStr as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <WasmStr as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        <WasmStr as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: as above.
unsafe impl Lift for Measured {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &Self::Lower,
    ) -> Result<Self> {
        let text = WasmStr::linear_lift_from_flat(cx, ty, src)?;
        Ok(Measured::new(text, flat(src).1))
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        let text = WasmStr::linear_lift_from_memory(cx, ty, bytes)?;
        Ok(Measured::new(text, stored(bytes)?.1))
    }
}

// SAFETY: it is a `Vec`, whose length is looked at before.
unsafe impl<T: Lift, const MOST: usize> ComponentType for Few<T, MOST> {
    type Lower = <Vec<T> as ComponentType>::Lower;

    const ABI: CanonicalAbiInfo = <Vec<T> as ComponentType>::ABI;

    fn typecheck(ty: &InterfaceType, types: &InstanceType<'_>) -> Result<()> {
        <Vec<T> as ComponentType>::typecheck(ty, types)
    }
}

// SAFETY: as above.
unsafe impl<T: Lift, const MOST: usize> Lift for Few<T, MOST> {
    fn linear_lift_from_flat(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        src: &Self::Lower,
    ) -> Result<Self> {
        Self::check(flat(src).1)?;
        Ok(Few(Vec::linear_lift_from_flat(cx, ty, src)?))
    }

    fn linear_lift_from_memory(
        cx: &mut LiftContext<'_>,
        ty: InterfaceType,
        bytes: &[u8],
    ) -> Result<Self> {
        Self::check(stored(bytes)?.1)?;
        Ok(Few(Vec::linear_lift_from_memory(cx, ty, bytes)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_that_is_cut_is_left_out() {
        assert_eq!(utf8("aé".as_bytes(), false).unwrap(), "aé");
        assert_eq!(utf8(&"aé".as_bytes()[..2], true).unwrap(), "a");
        assert!(utf8(&"aé".as_bytes()[..2], false).is_err());
        assert!(utf8(b"a\xff", true).is_err());
        let wide: Vec<u8> = "a\u{1f600}"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        assert_eq!(utf16(&wide, false).unwrap(), "a\u{1f600}");
        assert_eq!(utf16(&wide[..4], true).unwrap(), "a");
        assert!(utf16(&wide[..4], false).is_err());
    }

    #[test]
    fn what_is_missing_is_told() {
        let text = |left| Text::<8> {
            text: "ab".into(),
            left,
        };
        assert_eq!(text(0).to_string(), "ab");
        assert_eq!(text(7).to_string(), "ab ... (7 more bytes)");
        assert_eq!(text(0).whole().as_deref(), Some("ab"));
        assert_eq!(text(7).whole(), None);
    }
}
