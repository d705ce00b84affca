use super::huffman::encode;
use super::*;

/// What is handed on of a block, in whatever pieces it comes.
fn read(fields: &mut Fields, block: &[u8]) -> Vec<u8> {
    let mut handed = block.to_vec();
    fields.begin();
    for piece in handed.chunks_mut(1 + block.len() / 3) {
        fields.read(piece);
    }
    handed
}

/// What becomes of one block that is the first.
fn alone(block: &[u8]) -> Vec<u8> {
    let handed = read(&mut Fields::default(), block);
    let mut octet_by_octet = block.to_vec();
    let mut fields = Fields::default();
    fields.begin();
    for octet in octet_by_octet.chunks_mut(1) {
        fields.read(octet);
    }
    assert_eq!(handed, octet_by_octet);
    handed
}

/// Text in the code of appendix B.
fn coded(text: &str) -> Vec<u8> {
    // The codes of four characters, as the appendix has them.
    let mut bits = String::new();
    for char in text.chars() {
        bits += match char {
            '/' => "011000",
            'a' => "00011",
            '#' => "111111111010",
            '>' => "111111111011",
            'b' => "100011",
            _ => unreachable!(),
        };
    }
    while !bits.len().is_multiple_of(8) {
        bits.push('1');
    }
    let octets = bits.as_bytes().chunks(8);
    octets
        .map(|octet| u8::from_str_radix(std::str::from_utf8(octet).unwrap(), 2).unwrap())
        .collect()
}

fn string(huffman: bool, text: &[u8]) -> Vec<u8> {
    let flag = if huffman { 0x80 } else { 0 };
    [&[flag | text.len() as u8], text].concat()
}

#[test]
fn a_fragment_is_changed_however_it_is_written() {
    let (coded, changed) = (coded("/a#b"), coded("/a>b"));
    for first in [0x04, 0x14, 0x44, 0x45] {
        let with = |value: Vec<u8>| [&[0x82, first], &value[..], &[0x87]].concat();
        assert_eq!(
            alone(&with(string(false, b"/a#b#"))),
            with(string(false, b"/a b "))
        );
        assert_eq!(
            alone(&with(string(true, &coded))),
            with(string(true, &changed))
        );
    }
    // With its name in full.
    let with = |value: Vec<u8>| [&[0x00], &string(false, b":path")[..], &value[..]].concat();
    assert_eq!(
        alone(&with(string(false, b"/#"))),
        with(string(false, b"/ "))
    );
    assert_eq!(
        alone(&with(string(true, &coded))),
        with(string(true, &changed))
    );
}

#[test]
fn nothing_else_is_changed() {
    let cookie = [
        &[0x40],
        &string(false, b"cookie")[..],
        &string(false, b"a=#"),
    ]
    .concat();
    let paths = [&[0x00], &string(false, b":paths")[..], &string(false, b"#")].concat();
    let pat = [&[0x10], &string(false, b":pat")[..], &string(false, b"#")].concat();
    let path = [&[0x44], &string(false, b"/a)b?c|`")[..]].concat();
    let coded = [&[0x50], &string(true, &coded("#"))[..]].concat();
    for block in [
        &cookie,
        &paths,
        &pat,
        &path,
        &coded,
        &vec![0x82, 0x84, 0x86],
    ] {
        assert_eq!(&alone(block), block);
    }
}

#[test]
fn a_name_in_the_table_is_known_as_long_as_it_is_there() {
    let mut fields = Fields::default();
    // The newest entry is 62.
    read(&mut fields, &[&[0x44], &string(false, b"/x")[..]].concat());
    let by_entry = |entry: u8| [&[0x0f, entry - 15], &string(false, b"#")[..]].concat();
    let changed = |entry: u8| [&[0x0f, entry - 15], &string(false, b" ")[..]].concat();
    assert_eq!(read(&mut fields, &by_entry(62)), changed(62));
    let other = [&[0x40], &string(false, b"x")[..], &string(false, b"#")].concat();
    assert_eq!(read(&mut fields, &other), other);
    assert_eq!(read(&mut fields, &by_entry(62)), by_entry(62));
    assert_eq!(read(&mut fields, &by_entry(63)), changed(63));
    // A table of two entries of 34 octets, one of which goes for the next.
    assert_eq!((fields.table.len(), fields.size), (2, 39 + 34));
    read(&mut fields, &[0x20 | 31, 73 - 31]);
    assert_eq!(fields.table.len(), 2);
    read(&mut fields, &other);
    assert_eq!((fields.table.len(), fields.size), (2, 34 + 34));
    assert_eq!(read(&mut fields, &by_entry(63)), by_entry(63));
    // What is larger than the table empties it.
    let large = [
        &[0x40],
        &string(false, b"x")[..],
        &string(false, &[b'y'; 100]),
    ]
    .concat();
    read(&mut fields, &large);
    assert_eq!((fields.table.len(), fields.size), (0, 0));
}

#[test]
fn what_is_in_the_code_counts_decoded() {
    let mut fields = Fields::default();
    let value = coded("/a#b/a#b");
    read(
        &mut fields,
        &[&[0x40], &string(false, b"x")[..], &string(true, &value)].concat(),
    );
    assert_eq!(fields.size, 1 + 8 + 32);
}

#[test]
fn nonsense_has_an_end() {
    let mut fields = Fields::default();
    for block in [
        &[0xff; 20][..],
        &[0x7f; 20],
        &[0x0f, 0xff, 0xff, 0x01, 1, b'#'],
    ] {
        read(&mut fields, block);
        assert_eq!(fields.at, At::Broken);
        fields = Fields::default();
    }
}

/// What a block becomes that comes in one piece, and its path as it was sent.
fn whole(fields: &mut Fields, block: &[u8]) -> (Vec<u8>, Option<Vec<u8>>) {
    let mut handed = block.to_vec();
    fields.begin();
    fields.read(&mut handed);
    let odd = fields.take_odd_path();
    (handed, odd.map(|path| path.to_vec()))
}

#[test]
fn a_path_that_h2_does_not_take_is_blanked_and_kept_aside() {
    for sent in ["/?q=\"x\"", "/?q=<b>", "/`?`>", "/<é>?é<"] {
        for is_huffman in [false, true] {
            let text = match is_huffman {
                true => encode(sent.as_bytes()),
                false => sent.as_bytes().to_vec(),
            };
            let mut fields = Fields::default();
            let path = |first: u8| [&[0x82, first], &string(is_huffman, &text)[..]].concat();
            let (handed, odd) = whole(&mut fields, &path(0x04));
            assert_eq!(odd.unwrap(), sent.as_bytes());
            assert_eq!(handed.len(), path(0x04).len());
            assert_eq!(handed[..3], path(0x04)[..3]);
            assert_eq!(fields.table.len(), 0);
            // Kept in the table, where others come before it.
            assert!(whole(&mut fields, &path(0x44)).1.is_some());
            let other = [&[0x40], &string(false, b"x")[..], &string(false, b"<")].concat();
            assert_eq!(whole(&mut fields, &other), (other, None));
            assert_eq!(fields.size, 37 + sent.len() as u64 + 34);
            let by_entry = [0x82, 0xbf];
            let again = (by_entry.to_vec(), Some(sent.as_bytes().to_vec()));
            assert_eq!(whole(&mut fields, &by_entry), again);
            // Of another block's path nothing is left.
            assert_eq!(whole(&mut fields, &[0x82, 0x84]), (vec![0x82, 0x84], None));
        }
    }
}

#[test]
fn a_path_in_pieces_is_left_to_h2() {
    let block = [&[0x44], &string(false, b"/a<b")[..]].concat();
    let mut fields = Fields::default();
    assert_eq!(read(&mut fields, &block), block);
    assert_eq!(fields.take_odd_path(), None);
    assert_eq!(whole(&mut fields, &[0xbe]), (vec![0xbe], None));
}

#[test]
fn a_path_with_a_fragment_or_a_blank_is_not_blanked() {
    for (sent, handed) in [("/<#", "/< "), ("/< ", "/< "), ("/\"\t", "/\"\t")] {
        let with = |path: &str| [&[0x04], &string(false, path.as_bytes())[..]].concat();
        let mut fields = Fields::default();
        assert_eq!(whole(&mut fields, &with(sent)), (with(handed), None));
        let coded = [&[0x04], &string(true, &encode(sent.as_bytes()))[..]].concat();
        assert_eq!(whole(&mut fields, &coded).1, None);
    }
}
