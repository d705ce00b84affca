//! [`Shape`]: what a pattern is but for its texts, and the key of a path for it.

use crate::routing::route::Segment;

/// The most segments that a pattern can have.
pub(crate) const DEEPEST: usize = 32;

/// Which segments of a pattern are text, parameters and a tail.
///
/// Two bits for each segment, the first on top: 1 text, 2 a parameter, 3 a tail,
/// and 0 past the end. So the less of two shapes is the better one for a path that
/// fits both: text wins over a parameter, and a parameter over a tail, where they
/// first differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape(u64);

impl Shape {
    const TEXT: u64 = 1;
    const PARAM: u64 = 2;
    const TAIL: u64 = 3;

    /// The shape of a pattern.
    pub(crate) const fn of(segments: &[Segment]) -> Shape {
        // The macros have refused more, and said where.
        assert!(segments.len() <= DEEPEST);
        let mut bits = 0;
        let mut place = 0;
        while place < segments.len() {
            let kind = match &segments[place] {
                Segment::Literal(_) => Shape::TEXT,
                Segment::Param(_) => Shape::PARAM,
                Segment::Tail(_) => Shape::TAIL,
            };
            bits |= kind << Shape::shift(place);
            place += 1;
        }
        Shape(bits)
    }

    const fn shift(place: usize) -> usize {
        2 * (DEEPEST - 1 - place)
    }

    const fn kind(self, place: usize) -> u64 {
        self.0 >> Shape::shift(place) & 3
    }

    /// How many segments there are.
    const fn length(self) -> usize {
        DEEPEST - self.0.trailing_zeros() as usize / 2
    }

    /// Whether this one is searched before the other.
    pub(crate) const fn precedes(self, other: Shape) -> bool {
        self.0 < other.0
    }

    pub(crate) const fn equals(self, other: Shape) -> bool {
        self.0 == other.0
    }

    /// The key of a pattern of this shape.
    pub(crate) const fn key_of(self, segments: &[Segment]) -> u64 {
        let mut key = self.0;
        let mut place = 0;
        while place < segments.len() {
            if let Segment::Literal(text) = &segments[place] {
                key = mix(key, hash(text.as_bytes()));
            }
            place += 1;
        }
        key
    }

    /// The key that a pattern of this shape has if it fits the path; `None` if none
    /// fits, by the number of segments. Other patterns may have it too.
    pub(crate) fn key_for(self, path: &Hashed) -> Option<u64> {
        let length = self.length();
        let fits = match self.kind(length - 1) {
            Shape::TAIL => path.count >= length,
            _ => path.count == length,
        };
        if !fits {
            return None;
        }
        let texts = (0..length).filter(|&place| self.kind(place) == Shape::TEXT);
        Some(texts.fold(self.0, |key, place| mix(key, path.hashes[place])))
    }
}

/// A path, with the hashes of its segments: shapes share them.
pub(crate) struct Hashed {
    hashes: [u64; DEEPEST],
    /// Of its segments, of which at most one more than the deepest pattern has is
    /// counted.
    count: usize,
}

impl Hashed {
    pub(crate) fn new(path: &[u8]) -> Hashed {
        let mut hashes = [0; DEEPEST];
        let mut count = 0;
        for segment in path.split(|&octet| octet == b'/').take(DEEPEST + 1) {
            if let Some(place) = hashes.get_mut(count) {
                *place = hash(segment);
            }
            count += 1;
        }
        Hashed { hashes, count }
    }
}

/// FNV-1a. Whoever knows two texts with one hash gains nothing: a row is compared
/// before it is taken.
const fn hash(octets: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut at = 0;
    while at < octets.len() {
        hash = (hash ^ octets[at] as u64).wrapping_mul(0x100_0000_01b3);
        at += 1;
    }
    hash
}

const fn mix(key: u64, hash: u64) -> u64 {
    (key.rotate_left(5) ^ hash).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::{DEEPEST, Hashed, Shape};
    use crate::routing::route::Segment::{self, Literal, Param, Tail};

    const DEEP: [Segment; DEEPEST] = [Literal("a"); DEEPEST];

    #[test]
    fn the_better_one_comes_first() {
        let order: [&[Segment]; 7] = [
            &[Literal("a"), Literal("b")],
            &[Literal("a"), Param("b")],
            &[Literal("a"), Tail("b")],
            &[Param("a"), Literal("b")],
            &[Param("a"), Param("b")],
            &[Param("a"), Tail("b")],
            &[Tail("a")],
        ];
        assert!(order.is_sorted_by(|one, other| Shape::of(one).precedes(Shape::of(other))));
    }

    #[test]
    fn a_path_has_the_key_of_the_pattern_that_fits() {
        let key = |segments: &[Segment], path: &str| {
            let shape = Shape::of(segments);
            shape.key_for(&Hashed::new(path.as_bytes())) == Some(shape.key_of(segments))
        };
        let users = [Literal("users"), Param("id"), Literal("")];
        assert!(key(&users, "users/7/"));
        assert!(!key(&users, "users/7"));
        assert!(!key(&users, "users/7//"));
        assert!(!key(&users, "user/7/"));
        let files = [Literal("files"), Tail("path")];
        assert!(key(&files, "files/a/b"));
        assert!(!key(&files, "files"));
        assert!(key(&[Literal("")], ""));
        // The texts count by their places.
        let (one, other) = ([Literal("a"), Literal("b")], [Literal("b"), Literal("a")]);
        assert_ne!(
            Shape::of(&one).key_of(&one),
            Shape::of(&other).key_of(&other)
        );
    }

    #[test]
    fn the_deepest_pattern_is_told_from_a_deeper_path() {
        let shape = Shape::of(&DEEP);
        let path = ["a"; DEEPEST].join("/");
        assert_eq!(
            shape.key_for(&Hashed::new(path.as_bytes())),
            Some(shape.key_of(&DEEP))
        );
        let deeper = path + "/a";
        assert_eq!(shape.key_for(&Hashed::new(deeper.as_bytes())), None);
    }

    #[test]
    #[should_panic(expected = "DEEPEST")]
    fn a_deeper_pattern_is_refused() {
        let _ = Shape::of(&[Literal("a"); DEEPEST + 1]);
    }
}
