use super::*;

fn incoming() -> Incoming {
    Incoming::new(1000)
}

fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
    frame.extend(payload);
    frame
}

/// What is handed on of octets that come in pieces.
#[derive(Debug, Default, PartialEq)]
struct Fed {
    octets: Vec<u8>,
    /// Paths that were changed, and where their heads end.
    odd: Vec<(usize, Vec<u8>)>,
    fault: Option<Reason>,
}

/// Feeds octets in pieces of this size, as the gate does.
fn feed(incoming: &mut Incoming, octets: &[u8], size: usize) -> Fed {
    let (mut fed, mut held) = (Fed::default(), Vec::new());
    for piece in octets.chunks(size) {
        held.extend_from_slice(piece);
        while !held.is_empty() {
            let (right, stop) = match incoming.read(&mut held) {
                Ok(()) => (held.len(), None),
                Err((right, stop)) => (right, Some(stop)),
            };
            fed.octets.extend(held.drain(..right));
            match stop {
                None => {}
                Some(Stop::Part) => break,
                Some(Stop::Odd(head)) => {
                    fed.octets.extend(held.drain(..head.length));
                    fed.odd.push((fed.octets.len(), head.path.to_vec()));
                }
                Some(Stop::Fault(fault)) => {
                    fed.fault = Some(fault);
                    return fed;
                }
            }
        }
    }
    fed
}

/// What is handed on, whatever the pieces.
fn fed(octets: &[u8]) -> Fed {
    let whole = feed(&mut incoming(), octets, octets.len());
    for size in [1, 2, 7] {
        assert_eq!(feed(&mut incoming(), octets, size), whole);
    }
    whole
}

/// The first fault, whatever the pieces, and that it comes before the end of
/// its frame.
fn fault(frames: &[Vec<u8>]) -> Option<Reason> {
    let octets = frames.concat();
    let fed = fed(&octets);
    let fault = fed.fault?;
    let right: usize = frames[..frames.len() - 1].iter().map(Vec::len).sum();
    assert!((right..octets.len()).contains(&fed.octets.len()));
    Some(fault)
}

#[test]
fn frames_of_a_wrong_size() {
    for (kind, flags, length) in [
        (PRIORITY, 0, 4),
        (RST_STREAM, 0, 5),
        (WINDOW_UPDATE, 0, 0),
        (PING, 0, 7),
        (SETTINGS, 0, 5),
        (SETTINGS, ACK, 6),
    ] {
        let frames = [
            frame(DATA, 0, 1, b"abc"),
            frame(kind, flags, 1, &vec![0; length]),
        ];
        assert_eq!(fault(&frames), Some(Reason::FRAME_SIZE_ERROR), "{kind}");
    }
    for (kind, flags, length) in [
        (PRIORITY, 0, 5),
        (RST_STREAM, 0, 4),
        (PING, ACK, 8),
        (SETTINGS, 0, 12),
        (SETTINGS, ACK, 0),
        (99, 0, 3),
    ] {
        assert_eq!(
            fault(&[frame(kind, flags, 1, &vec![0; length])]),
            None,
            "{kind}"
        );
    }
}

#[test]
fn a_window_of_more_than_31_bits() {
    let settings = |size: &[u8]| [&[0, 3, 0xff, 0, 0, 0, 0, 4][..], size].concat();
    let right = frame(SETTINGS, 0, 0, &settings(&[0x7f, 0xff, 0xff, 0xff]));
    assert_eq!(fault(std::slice::from_ref(&right)), None);
    let wrong = frame(SETTINGS, 0, 0, &settings(&[0x80, 0, 0, 0]));
    assert_eq!(fault(&[right, wrong]), Some(Reason::FLOW_CONTROL_ERROR));
}

#[test]
fn what_comes_after_the_end_of_a_stream() {
    let begin = frame(HEADERS, END_HEADERS, 1, b"x");
    let ends = [
        frame(DATA, END_STREAM, 1, b""),
        frame(HEADERS, END_HEADERS | END_STREAM, 1, b"x"),
        frame(RST_STREAM, 0, 1, &[0; 4]),
    ];
    for end in ends {
        for more in [frame(DATA, 0, 1, b""), frame(HEADERS, END_HEADERS, 1, b"x")] {
            let frames = [begin.clone(), end.clone(), more];
            assert_eq!(fault(&frames), Some(Reason::STREAM_CLOSED));
        }
        let other = frame(HEADERS, END_HEADERS, 3, b"x");
        assert_eq!(fault(&[begin.clone(), end.clone(), other]), None);
        let window = frame(WINDOW_UPDATE, 0, 1, &[0; 4]);
        assert_eq!(fault(&[begin.clone(), end, window]), None);
    }
}

#[test]
fn a_client_that_pushes() {
    let push = frame(PUSH_PROMISE, 0, 1, &[0, 0, 0, 2]);
    assert_eq!(fault(&[push]), Some(Reason::PROTOCOL_ERROR));
}

#[test]
fn a_frame_within_a_block_is_another_fault() {
    let frames = [
        frame(HEADERS, END_STREAM, 1, b"x"),
        frame(DATA, 0, 1, b""),
        frame(HEADERS, 0, 1, b"x"),
    ];
    assert_eq!(fault(&frames[..2]), None);
    assert_eq!(fault(&frames), Some(Reason::STREAM_CLOSED));
}

#[test]
fn frames_that_ask_for_nothing_are_counted() {
    let flood = |kind, payload: &[u8]| {
        let frame = frame(kind, 0, 0, payload);
        let mut incoming = Incoming::new(100);
        (1..=1000).find(|_| {
            let calm = Stop::Fault(Reason::ENHANCE_YOUR_CALM);
            incoming.read(&mut frame.clone()) == Err((8, calm))
        })
    };
    // The clock could only let more of them pass, were this thread not to run
    // for a second.
    assert_eq!(flood(PING, &[0; 8]), Some(101));
    assert_eq!(flood(SETTINGS, b""), Some(101));
    assert_eq!(flood(CONTINUATION, b""), Some(101));
    assert_eq!(flood(WINDOW_UPDATE, &[0, 0, 0, 1]), Some(101));
    assert_eq!(flood(DATA, b"x"), Some(101));
    assert_eq!(flood(99, b""), Some(101));
    assert_eq!(flood(DATA, &[0; SMALL as usize]), None);
    assert_eq!(flood(HEADERS, b"x"), None);
}

#[test]
fn answers_pay_for_frames_that_open_windows() {
    let window = frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]);
    let mut incoming = Incoming::new(100);
    for _ in 0..1000 {
        for _ in 0..PAID {
            assert_eq!(incoming.read(&mut window.clone()), Ok(()));
        }
        incoming.answered();
    }
}

#[test]
fn which_answers_are_to_come() {
    let mut incoming = incoming();
    let begin = |stream, flags| frame(HEADERS, flags | END_HEADERS, stream, b"x");
    for mut frames in [
        begin(1, END_STREAM),
        begin(3, 0),
        begin(5, 0),
        begin(7, 0),
        frame(DATA, END_STREAM, 5, b"x"),
        frame(RST_STREAM, 0, 7, &[0; 4]),
    ] {
        incoming.read(&mut frames).unwrap();
        assert!(incoming.is_between_frames());
    }
    let reset = frame(RST_STREAM, 0, 3, &[0, 0, 0, 8]);
    assert_eq!(incoming.end_of_all(), reset);
    let mut outgoing = Outgoing::default();
    let answer = [
        frame(HEADERS, END_HEADERS, 1, b"x"),
        frame(DATA, END_STREAM, 1, b"x"),
        frame(RST_STREAM, 0, 5, &[0; 4]),
    ];
    for (frame, is_answered) in answer.iter().zip([false, false, true]) {
        outgoing.wrote(frame, |stream| incoming.close(stream));
        assert_eq!(incoming.is_answered(), is_answered);
    }
}

#[test]
fn a_block_that_goes_on_is_no_place_for_another_frame() {
    let mut incoming = incoming();
    incoming.read(&mut frame(HEADERS, 0, 1, b"x")).unwrap();
    assert!(!incoming.is_between_frames());
    let mut rest = frame(CONTINUATION, END_HEADERS, 1, b"xx");
    let last = rest.len() - 1;
    let part = incoming.read(&mut rest[..last]);
    assert_eq!(part, Err((9, Stop::Part)));
    assert!(!incoming.is_between_frames());
    incoming.read(&mut rest[9..]).unwrap();
    assert!(incoming.is_between_frames());
}

#[test]
fn where_a_frame_may_begin() {
    let mut outgoing = Outgoing::default();
    let frame = frame(DATA, 0, 1, b"abc");
    for octet in &frame[..frame.len() - 1] {
        outgoing.wrote(&[*octet], |_| {});
        assert!(!outgoing.is_between_frames());
    }
    outgoing.wrote(&frame[frame.len() - 1..], |_| {});
    assert!(outgoing.is_between_frames());
    outgoing.wrote(&[&frame[..], &frame].concat(), |_| {});
    assert!(outgoing.is_between_frames());
}

#[test]
fn a_fragment_in_a_path_is_found_in_whatever_frames() {
    let path = b"\x04\x04/a#b";
    let block = [&b"\x82"[..], path, b"\x86"].concat();
    let padded = [&[3][..], &block, b"###"].concat();
    let with_priority = [&[0, 0, 0, 0, b'#'][..], &block].concat();
    let both = [&[1, 0, 0, 0, 0, b'#'][..], &block, b"#"].concat();
    let frames = [
        frame(HEADERS, END_HEADERS, 1, &block),
        frame(HEADERS, END_HEADERS | PADDED, 1, &padded),
        frame(HEADERS, END_HEADERS | WITH_PRIORITY, 1, &with_priority),
        frame(HEADERS, END_HEADERS | PADDED | WITH_PRIORITY, 1, &both),
        [
            frame(HEADERS, PADDED, 1, &[&[2], &block[..4], b"##"].concat()),
            frame(CONTINUATION, 0, 1, b""),
            frame(CONTINUATION, END_HEADERS, 1, &block[4..]),
        ]
        .concat(),
    ];
    for octets in frames {
        let whole = fed(&octets);
        assert_eq!(whole.odd, []);
        let changed = octets
            .iter()
            .zip(&whole.octets)
            .filter(|(was, is)| was != is);
        assert_eq!(changed.collect::<Vec<_>>(), [(&b'#', &b' ')]);
        // One in a body is nobody's business.
        let mut data = frame(DATA, 0, 1, &block);
        incoming().read(&mut data).unwrap();
        assert_eq!(data, frame(DATA, 0, 1, &block));
    }
}

#[test]
fn a_head_with_an_odd_path_ends_alone() {
    let block = b"\x82\x44\x04/<a>\x86";
    let changed = b"\x82\x44\x04/_a_\x86";
    let heads = [
        frame(HEADERS, END_HEADERS, 1, block),
        [
            frame(HEADERS, 0, 1, &block[..7]),
            frame(CONTINUATION, END_HEADERS, 1, &block[7..]),
        ]
        .concat(),
        // Its end has nothing of it.
        [
            frame(HEADERS, 0, 1, block),
            frame(CONTINUATION, END_HEADERS, 1, b""),
        ]
        .concat(),
    ];
    let plain = frame(HEADERS, END_HEADERS, 3, b"\x82\x04\x02/a\x86");
    // By the entry that the head before it has left.
    let again = frame(HEADERS, END_HEADERS, 5, b"\x82\xbe\x86");
    for head in heads {
        let octets = [plain.clone(), head.clone(), plain.clone(), again.clone()].concat();
        let fed = fed(&octets);
        assert_eq!(fed.fault, None);
        let first = plain.len() + head.len();
        let path = b"/<a>".to_vec();
        assert_eq!(fed.odd, [(first, path.clone()), (octets.len(), path)]);
        let differ = octets.iter().zip(&fed.octets);
        assert_eq!(differ.filter(|(was, is)| was != is).count(), 2);
        assert_eq!(fed.octets.len(), octets.len());
    }
    let whole = fed(&frame(HEADERS, END_HEADERS, 1, block)).octets;
    assert_eq!(whole, frame(HEADERS, END_HEADERS, 1, changed));
    // What comes in two parts h2 resets.
    let parts = [
        frame(HEADERS, 0, 1, &block[..4]),
        frame(CONTINUATION, END_HEADERS, 1, &block[4..]),
        again,
    ]
    .concat();
    assert_eq!(fed(&parts).octets, parts);
    assert_eq!(fed(&parts).odd, []);
}

#[test]
fn a_part_of_a_block_is_no_longer_than_h2_takes() {
    for kind in [HEADERS, CONTINUATION] {
        let long = [0, 0x40, 1, kind, 0, 0, 0, 0, 1];
        assert_eq!(fed(&long).fault, Some(Reason::FRAME_SIZE_ERROR));
    }
}
