//! The frames of an HTTP/2 connection, as far as their headers tell of faults.
//! h2 finds these faults as well, but calls all of them a protocol error; a client
//! that is to mend its ways is told which one it was (RFC 9113, section 7).

use h2::Reason;
use std::time::{Duration, Instant};

/// Octets of a frame's header (RFC 9113, section 4.1).
const HEADER: usize = 9;

/// Of an entry of SETTINGS.
const SETTING: usize = 6;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const PRIORITY: u8 = 2;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PUSH_PROMISE: u8 = 5;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;
const CONTINUATION: u8 = 9;

/// Of SETTINGS: it acknowledges; of DATA and HEADERS: the client's last on this
/// stream.
const ACK: u8 = 1;
const END_STREAM: u8 = 1;

/// Of HEADERS and CONTINUATION: their block ends.
const END_HEADERS: u8 = 4;

const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];

/// How many of the streams that a client ended last are remembered. What it sends
/// on older ones h2 finds, without a name for it.
const REMEMBERED: usize = 16;

/// DATA of fewer octets, and not the last, is no better than none: to keep it costs
/// many times what it brings.
const SMALL: u32 = 16;

/// How many control frames each frame of an answer pays for. A client that takes
/// an answer opens two windows for it, the stream's and the connection's.
const PAID: u32 = 4;

/// The time for which control frames are counted.
const PERIOD: Duration = Duration::from_secs(1);

/// A frame of which the header is known.
#[derive(Debug, Clone, Copy)]
struct Frame {
    length: u32,
    kind: u8,
    flags: u8,
    stream: u32,
}

impl Frame {
    fn read(header: &[u8; HEADER]) -> Self {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *header;
        Frame {
            length: u32::from_be_bytes([0, l0, l1, l2]),
            kind,
            flags,
            // The first bit is reserved.
            stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]),
        }
    }
}

/// Follows octets from frame to frame.
#[derive(Debug, Default)]
struct Cursor {
    header: [u8; HEADER],
    /// How many octets of the header came.
    came: usize,
    /// How many of the frame are to come after them.
    left: u32,
}

impl Cursor {
    /// Skips what it can of `octets`; the number, and the frame that begins.
    fn skip(&mut self, octets: &[u8]) -> (usize, Option<Frame>) {
        if self.left > 0 {
            let come = octets.len().min(self.left as usize);
            self.left -= come as u32;
            return (come, None);
        }
        let come = octets.len().min(HEADER - self.came);
        self.header[self.came..self.came + come].copy_from_slice(&octets[..come]);
        self.came += come;
        if self.came < HEADER {
            return (come, None);
        }
        self.came = 0;
        let frame = Frame::read(&self.header);
        self.left = frame.length;
        (come, Some(frame))
    }
}

/// Frames that ask for nothing and carry nothing, of which a client may send so many
/// in a second, as each of them costs work, and some of them memory.
#[derive(Debug)]
struct Control {
    most: u32,
    count: u32,
    /// When the first of those that are counted came.
    since: Instant,
}

impl Control {
    /// Another one.
    fn add(&mut self) -> Result<(), Reason> {
        self.count += 1;
        if self.count <= self.most {
            return Ok(());
        }
        // Only now is it worth to ask for the time.
        let now = Instant::now();
        if now - self.since < PERIOD {
            return Err(Reason::ENHANCE_YOUR_CALM);
        }
        (self.count, self.since) = (0, now);
        Ok(())
    }
}

/// What a client sends.
#[derive(Debug)]
pub struct Incoming {
    control: Control,
    cursor: Cursor,
    is_settings: bool,
    /// Whether a block of fields has begun that only CONTINUATION may go on with.
    is_in_block: bool,
    /// The entry of SETTINGS that is being read.
    setting: [u8; SETTING],
    read: usize,
    ended: [u32; REMEMBERED],
    next: usize,
    /// The last stream that the client began.
    last: u32,
}

impl Incoming {
    /// Nothing yet. Of frames that ask for nothing so many may come in a second.
    pub fn new(control_frames: u32) -> Self {
        Incoming {
            control: Control {
                most: control_frames,
                count: 0,
                since: Instant::now(),
            },
            cursor: Cursor::default(),
            is_settings: false,
            is_in_block: false,
            setting: [0; SETTING],
            read: 0,
            ended: [0; REMEMBERED],
            next: 0,
            last: 0,
        }
    }

    /// A frame of an answer was sent.
    pub fn answered(&mut self) {
        self.control.count = self.control.count.saturating_sub(PAID);
    }

    /// Looks at what comes next. At a fault: how many octets come before it. h2 is
    /// never shown a frame with a fault to its end.
    pub fn read(&mut self, octets: &[u8]) -> Result<(), (usize, Reason)> {
        let mut at = 0;
        while at < octets.len() {
            if self.is_settings && self.cursor.left > 0 {
                self.setting(octets[at]).map_err(|fault| (at, fault))?;
                self.cursor.left -= 1;
                at += 1;
                continue;
            }
            let (skipped, frame) = self.cursor.skip(&octets[at..]);
            at += skipped;
            if let Some(frame) = frame {
                self.begin(frame).map_err(|fault| (at - 1, fault))?;
            }
        }
        Ok(())
    }

    fn begin(&mut self, frame: Frame) -> Result<(), Reason> {
        (self.is_settings, self.read) = (frame.kind == SETTINGS, 0);
        let is_ack = frame.flags & ACK != 0;
        let fits = match frame.kind {
            PRIORITY => frame.length == 5,
            RST_STREAM | WINDOW_UPDATE => frame.length == 4,
            PING => frame.length == 8,
            SETTINGS if is_ack => frame.length == 0,
            SETTINGS => frame.length.is_multiple_of(SETTING as u32),
            _ => true,
        };
        if !fits {
            return Err(Reason::FRAME_SIZE_ERROR);
        }
        let was_in_block = std::mem::replace(
            &mut self.is_in_block,
            matches!(frame.kind, HEADERS | CONTINUATION) && frame.flags & END_HEADERS == 0,
        );
        let is_control = match frame.kind {
            HEADERS => false,
            DATA => frame.length < SMALL && frame.flags & END_STREAM == 0,
            _ => true,
        };
        if is_control {
            self.control.add()?;
        }
        match frame.kind {
            // Only servers push (RFC 9113, section 8.4), whatever the block says
            // that h2 would wait for.
            PUSH_PROMISE => return Err(Reason::PROTOCOL_ERROR),
            // Any other here is a protocol error first, and h2 calls it that.
            _ if was_in_block => {}
            DATA | HEADERS => {
                if frame.stream != 0 && self.ended.contains(&frame.stream) {
                    return Err(Reason::STREAM_CLOSED);
                }
                if frame.flags & END_STREAM != 0 {
                    self.end(frame.stream);
                }
                if frame.kind == HEADERS {
                    self.last = self.last.max(frame.stream);
                }
            }
            // To end a stream that has not begun is another fault, which h2 finds.
            RST_STREAM if frame.stream <= self.last => self.end(frame.stream),
            _ => {}
        }
        Ok(())
    }

    fn end(&mut self, stream: u32) {
        self.ended[self.next] = stream;
        self.next = (self.next + 1) % REMEMBERED;
    }

    fn setting(&mut self, octet: u8) -> Result<(), Reason> {
        self.setting[self.read] = octet;
        self.read = (self.read + 1) % SETTING;
        let [i0, i1, sign, ..] = self.setting;
        if self.read == 0 && [i0, i1] == INITIAL_WINDOW_SIZE && sign > 0x7f {
            return Err(Reason::FLOW_CONTROL_ERROR);
        }
        Ok(())
    }

    /// The frame that ends the connection because of `fault`.
    pub fn go_away(&self, fault: Reason) -> Vec<u8> {
        let mut frame = vec![0, 0, 8, GOAWAY, 0, 0, 0, 0, 0];
        frame.extend(self.last.to_be_bytes());
        frame.extend(u32::from(fault).to_be_bytes());
        frame
    }
}

/// What the host sends.
#[derive(Debug, Default)]
pub struct Outgoing(Cursor);

impl Outgoing {
    /// Follows what was written. True if a frame of an answer was among it.
    pub fn wrote(&mut self, mut octets: &[u8]) -> bool {
        let mut is_answer = false;
        while !octets.is_empty() {
            let (skipped, frame) = self.0.skip(octets);
            is_answer |= frame.is_some_and(|frame| matches!(frame.kind, DATA | HEADERS));
            octets = &octets[skipped..];
        }
        is_answer
    }

    /// Whether a frame could begin here.
    pub fn is_between_frames(&self) -> bool {
        self.0.left == 0 && self.0.came == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming() -> Incoming {
        Incoming::new(1000)
    }

    fn frame(kind: u8, flags: u8, stream: u8, payload: &[u8]) -> Vec<u8> {
        let mut frame = vec![0, 0, payload.len() as u8, kind, flags, 0, 0, 0, stream];
        frame.extend(payload);
        frame
    }

    /// The first fault, whatever the pieces, and that it comes before the end of
    /// its frame.
    fn fault(frames: &[Vec<u8>]) -> Option<Reason> {
        let octets = frames.concat();
        let whole = incoming().read(&octets).err();
        let mut incoming = incoming();
        let mut single = octets.iter().enumerate().filter_map(|(at, octet)| {
            let (before, fault) = incoming.read(&[*octet]).err()?;
            Some((at + before, fault))
        });
        assert_eq!(single.next(), whole);
        let (before, fault) = whole?;
        let right: usize = frames[..frames.len() - 1].iter().map(Vec::len).sum();
        assert!((right..octets.len()).contains(&before));
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
            (1..=1000).find(|_| incoming.read(&frame) == Err((8, Reason::ENHANCE_YOUR_CALM)))
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
                assert_eq!(incoming.read(&window), Ok(()));
            }
            incoming.answered();
        }
    }

    #[test]
    fn where_a_frame_may_begin() {
        let mut outgoing = Outgoing::default();
        let frame = frame(DATA, 0, 1, b"abc");
        for octet in &frame[..frame.len() - 1] {
            outgoing.wrote(&[*octet]);
            assert!(!outgoing.is_between_frames());
        }
        outgoing.wrote(&frame[frame.len() - 1..]);
        assert!(outgoing.is_between_frames());
        outgoing.wrote(&[&frame[..], &frame].concat());
        assert!(outgoing.is_between_frames());
    }
}
