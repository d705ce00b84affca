//! Paths with bytes that h2 takes only percent-encoded; [`target`](super::super::target) has
//! the same for HTTP/1. What is written in the place of a path is as long as it was, coded
//! and decoded, so that frames and tables stay as they are.

use super::super::octets::is_path_and_query;
use super::super::target;
use super::huffman;

/// Returns `sent` without the bytes that h2 does not take, in the code or not as it came in
/// `written` bytes. None if h2 takes all, if no target has some of them, or if there is
/// nothing as long.
pub fn blanked(sent: &[u8], is_huffman: bool, written: usize) -> Option<Vec<u8>> {
    if !sent.starts_with(b"/") || !is_path_and_query(sent) {
        return None;
    }
    let is_text = std::str::from_utf8(sent).is_ok();
    // `é` it takes, as long as it is text.
    let is_odd = |&(is_taken, octet): &(bool, u8)| !is_taken && (octet.is_ascii() || !is_text);
    if !target::parts(sent).any(|part| is_odd(&part)) {
        return None;
    }
    if !is_huffman {
        let blank = |part: (bool, u8)| match is_odd(&part) {
            true => target::BLANK,
            false => part.1,
        };
        return Some(target::parts(sent).map(blank).collect());
    }
    let had = huffman::bits(sent);
    // No others have codes as long as those of bytes that are no ASCII.
    if !is_text || had.div_ceil(8) != written {
        return None;
    }
    // Where another `>` has a bit more, if its last byte has room for that, or a bit less.
    let mut is_longer = had < 8 * written;
    let mut blank = |part: (bool, u8)| match part.1 {
        octet if !is_odd(&part) => octet,
        b'"' => b'!',
        b'>' => {
            is_longer = !is_longer;
            // Codes of 11 and 13 bits; the only other one of 12 is that of `#`.
            if is_longer { b'\'' } else { b'~' }
        }
        // `<` and the backtick.
        _ => b'{',
    };
    let blanked: Vec<u8> = target::parts(sent).map(&mut blank).collect();
    let coded = huffman::encode(&blanked);
    (coded.len() == written).then_some(coded)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::uri::PathAndQuery;

    /// The text of a string in the code.
    fn decoded(coded: &[u8]) -> Vec<u8> {
        let mut symbol = huffman::Symbol::default();
        let bits = coded
            .iter()
            .flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1));
        bits.filter_map(|bit| symbol.bit(bit))
            .map(|symbol| u8::try_from(symbol).expect("no end"))
            .collect()
    }

    #[test]
    fn h2_takes_what_is_as_long() {
        // Of all lengths, so that the last byte has room for none to seven bits.
        for before in ["/", "/?", "/a", "/aa?", "/aaa?b", "/é?", "/>>>", "/a%b?>>"] {
            for odd in [
                "<",
                ">",
                "`<",
                "<>",
                "<b>",
                "\"x\"",
                ">>",
                ">>>",
                "<`>?\"<>`é",
            ] {
                for after in ["", "a", "aa", "aaa", "bbbb", "?", "&x=|", "\\"] {
                    let sent = format!("{before}{odd}{after}");
                    let is_taken = PathAndQuery::try_from(sent.as_str()).is_ok();
                    let literal = blanked(sent.as_bytes(), false, sent.len());
                    let coded = huffman::encode(sent.as_bytes());
                    let huffman = blanked(sent.as_bytes(), true, coded.len());
                    assert_eq!(literal.is_none(), is_taken, "{sent}");
                    assert_eq!(huffman.is_none(), is_taken, "{sent}");
                    let (Some(literal), Some(huffman)) = (literal, huffman) else {
                        continue;
                    };
                    assert_eq!(huffman.len(), coded.len());
                    for text in [literal, decoded(&huffman)] {
                        assert_eq!(text.len(), sent.len(), "{sent}");
                        assert!(PathAndQuery::try_from(&text[..]).is_ok(), "{sent}");
                    }
                }
            }
        }
    }

    #[test]
    fn what_no_target_has_stays() {
        for sent in [
            "/< ", "/\"#", "/?\"\t", "/<\x7f", "/<\0", "<", "*", "?<", "",
        ] {
            let coded = huffman::encode(sent.as_bytes());
            assert_eq!(blanked(sent.as_bytes(), false, sent.len()), None, "{sent}");
            assert_eq!(blanked(sent.as_bytes(), true, coded.len()), None, "{sent}");
        }
    }

    #[test]
    fn bytes_that_are_no_text() {
        assert_eq!(blanked(b"/\xe9<", false, 3).unwrap(), b"/__");
        let coded = huffman::encode(b"/\xe9<");
        assert_eq!(blanked(b"/\xe9<", true, coded.len()), None);
    }
}
