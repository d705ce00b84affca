//! The code that strings may be in (RFC 7541, appendix B), bit by bit.
//!
//! It is canonical: codes of a length follow one another in the order of their symbols,
//! and after those of the length before, so that the lengths say all.

/// Bits of the code of each byte, and of the end of a string.
const LENGTHS: [u8; 257] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, //
    28, 28, 28, 28, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 28, //
    6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, //
    5, 5, 5, 6, 6, 6, 6, 6, 6, 6, 7, 8, 15, 6, 12, 10, //
    13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, //
    7, 7, 7, 7, 7, 7, 7, 7, 8, 7, 8, 13, 19, 13, 14, 6, //
    15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, //
    6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7, 15, 11, 14, 13, 28, //
    20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, //
    24, 24, 22, 23, 24, 23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, //
    22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23, 23, //
    21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, //
    26, 26, 20, 19, 22, 23, 22, 25, 26, 26, 26, 27, 27, 26, 24, 25, //
    19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, //
    20, 24, 20, 21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, //
    26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27, 27, 27, 26, //
    30,
];

/// The longest code.
const MOST: usize = 30;

static CODE: Code = Code::new();

/// The codes by their lengths.
struct Code {
    /// The first of each length.
    first: [u32; MOST + 1],
    count: [u32; MOST + 1],
    /// Where the symbols of each length begin among all.
    at: [usize; MOST + 1],
    symbols: [u16; LENGTHS.len()],
    /// The code of each symbol.
    codes: [u32; LENGTHS.len()],
}

impl Code {
    const fn new() -> Self {
        let mut code = Code {
            first: [0; MOST + 1],
            count: [0; MOST + 1],
            at: [0; MOST + 1],
            symbols: [0; LENGTHS.len()],
            codes: [0; LENGTHS.len()],
        };
        let (mut length, mut next, mut at) = (1, 0, 0);
        while length <= MOST {
            next <<= 1;
            code.first[length] = next;
            code.at[length] = at;
            let mut symbol = 0;
            while symbol < LENGTHS.len() {
                if LENGTHS[symbol] as usize == length {
                    code.symbols[at] = symbol as u16;
                    code.codes[symbol] = next;
                    code.count[length] += 1;
                    (at, next) = (at + 1, next + 1);
                }
                symbol += 1;
            }
            length += 1;
        }
        code
    }
}

/// Returns how many bits the code of `text` has.
pub fn bits(text: &[u8]) -> usize {
    text.iter()
        .map(|&octet| usize::from(LENGTHS[usize::from(octet)]))
        .sum()
}

/// Returns `text` in the code, filled up with ones.
pub fn encode(text: &[u8]) -> Vec<u8> {
    let mut coded = Vec::with_capacity(bits(text).div_ceil(8));
    let (mut waiting, mut count) = (0_u64, 0);
    for &octet in text {
        let length = u32::from(LENGTHS[usize::from(octet)]);
        waiting = waiting << length | u64::from(CODE.codes[usize::from(octet)]);
        count += length;
        while count >= 8 {
            count -= 8;
            coded.push((waiting >> count) as u8);
        }
    }
    if count > 0 {
        let ones = 8 - count;
        coded.push((waiting << ones) as u8 | ((1 << ones) - 1));
    }
    coded
}

/// A symbol of which some bits have come.
#[derive(Debug, Default, Clone, Copy)]
pub struct Symbol {
    bits: u32,
    length: usize,
}

impl Symbol {
    /// Another bit, 0 or 1: the symbol that ends with it. The end of a string, and what is no
    /// symbol, is none.
    pub fn bit(&mut self, bit: u8) -> Option<u16> {
        if self.length == MOST {
            return None;
        }
        self.bits = self.bits << 1 | u32::from(bit);
        self.length += 1;
        let place = self.bits.wrapping_sub(CODE.first[self.length]);
        if place >= CODE.count[self.length] {
            return None;
        }
        let symbol = CODE.symbols[CODE.at[self.length] + place as usize];
        *self = Symbol::default();
        Some(symbol)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_of_the_standard() {
        // RFC 7541, appendix C.4.1 and C.6.1.
        for (coded, text) in [
            (&b"\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff"[..], "www.example.com"),
            (
                b"\xd0\x7a\xbe\x94\x10\x54\xd4\x44\xa8\x20\x05\x95\x04\x0b\x81\x66\xe0\x82\xa6\x2d\x1b\xff",
                "Mon, 21 Oct 2013 20:13:21 GMT",
            ),
        ] {
            let mut symbol = Symbol::default();
            let bits = coded.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1));
            let decoded: Vec<u8> = bits.filter_map(|bit| symbol.bit(bit)).map(|symbol| symbol as u8).collect();
            assert_eq!(decoded, text.as_bytes());
            assert_eq!(encode(text.as_bytes()), coded);
        }
    }

    #[test]
    fn the_codes_are_complete() {
        let room: f64 = LENGTHS
            .iter()
            .map(|&length| 0.5_f64.powi(length.into()))
            .sum();
        assert_eq!(room, 1.0);
    }
}
