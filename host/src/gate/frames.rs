//! The frames of an HTTP/2 connection, as far as their headers tell of faults.
//! h2 finds these faults as well, but calls all of them a protocol error; a client
//! that is to mend its ways is told which one it was (RFC 9113, section 7).

use super::hpack::Fields;
use h2::Reason;
use std::sync::Arc;
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

/// Of HEADERS: what comes before its part of the block, and an octet that says how much
/// comes after it.
const PADDED: u8 = 8;
const WITH_PRIORITY: u8 = 32;
const PRIORITY_OCTETS: u8 = 5;

/// The longest frame that may come, as long as the server does not say otherwise, which it
/// does not (RFC 9113, section 4.2).
const LONGEST: u32 = 1 << 14;

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

    /// Whether a frame could begin here.
    fn is_between_frames(&self) -> bool {
        self.left == 0 && self.came == 0
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
    /// Streams on which an answer is to come.
    open: Vec<Open>,
    /// The blocks of fields, and where the frame is that has a part of one.
    fields: Fields,
    fragment: Option<Fragment>,
}

/// Why octets stop being handed on.
#[derive(Debug, PartialEq, Eq)]
pub enum Stop {
    /// They are in a frame with a fault.
    Fault(Reason),
    /// They begin a part of a block that has not come whole.
    Part,
    /// They end a head of which the path was changed.
    Odd(OddHead),
}

/// The end of a head that h2 is handed another path of.
#[derive(Debug, PartialEq, Eq)]
pub struct OddHead {
    /// How many octets there are up to its end, of which h2 needs the last.
    pub length: usize,
    /// The path as it was sent.
    pub path: Arc<[u8]>,
}

/// What of a frame is not a part of its block.
#[derive(Debug)]
struct Fragment {
    /// Whether the block ends with it.
    is_last: bool,
    /// Whether the length of the padding is to come.
    is_padded: bool,
    /// Octets before the part.
    before: u8,
}

/// A stream on which an answer is to come.
#[derive(Debug)]
struct Open {
    stream: u32,
    /// Whether its request is whole.
    is_asked: bool,
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
            open: Vec::new(),
            fields: Fields::default(),
            fragment: None,
        }
    }

    /// The answer on `stream` has been sent, or there is none.
    pub fn close(&mut self, stream: u32) {
        if let Some(at) = self.open.iter().position(|open| open.stream == stream) {
            self.open.swap_remove(at);
        }
    }

    /// Whether no answer is to come.
    pub fn is_answered(&self) -> bool {
        self.open.is_empty()
    }

    /// Whether a frame could begin here that is not part of a block.
    pub fn is_between_frames(&self) -> bool {
        self.cursor.is_between_frames() && !self.is_in_block
    }

    /// The client sends no more: frames that reset the streams whose requests are not
    /// whole, as it would have to.
    pub fn end_of_all(&mut self) -> Vec<u8> {
        let mut frames = Vec::new();
        self.open.retain(|open| {
            if !open.is_asked {
                frames.extend([0, 0, 4, RST_STREAM, 0]);
                frames.extend(open.stream.to_be_bytes());
                frames.extend(u32::from(Reason::CANCEL).to_be_bytes());
            }
            open.is_asked
        });
        frames
    }

    /// A frame of an answer was sent.
    pub fn answered(&mut self) {
        self.control.count = self.control.count.saturating_sub(PAID);
    }

    /// Looks at what comes next. At a stop: how many octets come before it. What follows it
    /// is to be shown again, but for what ends an odd head. h2 is never shown a frame with a
    /// fault to its end. A fragment in a path is changed to what h2 finds a fault with.
    pub fn read(&mut self, octets: &mut [u8]) -> Result<(), (usize, Stop)> {
        let mut at = 0;
        while at < octets.len() {
            if self.fragment.is_some() && self.cursor.left > 0 {
                let end = at + self.cursor.left as usize;
                // A path is changed where it stands, for which it has to be there.
                let Some(part) = octets.get_mut(at..end) else {
                    return Err((at, Stop::Part));
                };
                self.part(part);
                if let Some(odd) = self.odd_head(end - at) {
                    return Err((at, odd));
                }
                at = end;
                continue;
            }
            if self.is_settings && self.cursor.left > 0 {
                let fault = |fault| (at, Stop::Fault(fault));
                self.setting(octets[at]).map_err(fault)?;
                self.cursor.left -= 1;
                at += 1;
                continue;
            }
            let (skipped, frame) = self.cursor.skip(&octets[at..]);
            at += skipped;
            if let Some(frame) = frame {
                let last = at - 1;
                self.begin(frame)
                    .map_err(|fault| (last, Stop::Fault(fault)))?;
                // One that has nothing of its block but the end.
                if self.cursor.left == 0
                    && let Some(odd) = self.odd_head(1)
                {
                    return Err((last, odd));
                }
            }
        }
        Ok(())
    }

    /// The end of an odd head, if the part of a block that has come is that.
    fn odd_head(&mut self, length: usize) -> Option<Stop> {
        let fragment = self.fragment.take()?;
        let path = match fragment.is_last {
            true => self.fields.take_odd_path()?,
            false => return None,
        };
        Some(Stop::Odd(OddHead { length, path }))
    }

    fn begin(&mut self, frame: Frame) -> Result<(), Reason> {
        (self.is_settings, self.read) = (frame.kind == SETTINGS, 0);
        self.fragment = self.fragment_of(frame);
        let is_ack = frame.flags & ACK != 0;
        let fits = match frame.kind {
            PRIORITY => frame.length == 5,
            RST_STREAM | WINDOW_UPDATE => frame.length == 4,
            PING => frame.length == 8,
            SETTINGS if is_ack => frame.length == 0,
            SETTINGS => frame.length.is_multiple_of(SETTING as u32),
            // They are held until they are whole.
            HEADERS | CONTINUATION => frame.length <= LONGEST,
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
                if frame.kind == HEADERS && frame.stream > self.last {
                    self.last = frame.stream;
                    self.open.push(Open {
                        stream: frame.stream,
                        is_asked: false,
                    });
                }
                if frame.flags & END_STREAM != 0 {
                    self.end(frame.stream);
                    self.asked(frame.stream);
                }
            }
            // To end a stream that has not begun is another fault, which h2 finds.
            RST_STREAM if frame.stream <= self.last => {
                self.end(frame.stream);
                self.close(frame.stream);
            }
            _ => {}
        }
        Ok(())
    }

    /// Follows the part of a block that a frame has.
    fn part(&mut self, octets: &mut [u8]) {
        self.cursor.left = 0;
        let Some(fragment) = &self.fragment else {
            return;
        };
        let (begin, padding) = match octets.first() {
            Some(&padding) if fragment.is_padded => (1, usize::from(padding)),
            _ => (0, 0),
        };
        let begin = begin + usize::from(fragment.before);
        // h2 finds it if there are fewer than that.
        let end = octets.len().saturating_sub(padding);
        if let Some(part) = octets.get_mut(begin..end) {
            self.fields.read(part);
        }
    }

    /// The request on `stream` is whole.
    fn asked(&mut self, stream: u32) {
        let mut open = self.open.iter_mut();
        if let Some(open) = open.find(|open| open.stream == stream) {
            open.is_asked = true;
        }
    }

    /// Where in a frame its part of a block is, if it has one.
    fn fragment_of(&mut self, frame: Frame) -> Option<Fragment> {
        let has = |flag| frame.kind == HEADERS && frame.flags & flag != 0;
        if frame.kind == HEADERS {
            self.fields.begin();
        }
        matches!(frame.kind, HEADERS | CONTINUATION).then(|| Fragment {
            is_last: frame.flags & END_HEADERS != 0,
            is_padded: has(PADDED),
            before: match has(WITH_PRIORITY) {
                true => PRIORITY_OCTETS,
                false => 0,
            },
        })
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
    /// Follows what was written. True if a frame of an answer was among it; `ended`
    /// hears of each stream that has its last.
    pub fn wrote(&mut self, mut octets: &[u8], mut ended: impl FnMut(u32)) -> bool {
        let mut is_answer = false;
        while !octets.is_empty() {
            let (skipped, frame) = self.0.skip(octets);
            octets = &octets[skipped..];
            let Some(frame) = frame else { continue };
            let is_part = matches!(frame.kind, DATA | HEADERS);
            is_answer |= is_part;
            if frame.kind == RST_STREAM || (is_part && frame.flags & END_STREAM != 0) {
                ended(frame.stream);
            }
        }
        is_answer
    }

    /// Whether a frame could begin here.
    pub fn is_between_frames(&self) -> bool {
        self.0.is_between_frames()
    }
}

#[cfg(test)]
mod tests;
