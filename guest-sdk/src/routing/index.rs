//! [`Index`]: the routes of a site, put in order while the application compiles.

use crate::method::Methods;
use crate::routing::message::Message;
use crate::routing::route::{Route, Segment};
use crate::routing::shape::Shape;

/// What is found out about a site's routes while it compiles: their shapes and
/// keys, and which of them are equal. `app!` makes one in a constant.
#[derive(Clone, Copy, Debug)]
pub struct Index<const COUNT: usize> {
    /// By place in the list.
    keys: [u64; COUNT],
    /// For each route, the place of the next one that has its key.
    next: [Option<usize>; COUNT],
    /// For each route, the place of an equal one that was listed before it.
    equal: [Option<usize>; COUNT],
    /// Those of all routes, in order and each once; the first so many count.
    shapes: [Shape; COUNT],
    shape_count: usize,
}

impl<const COUNT: usize> Index<COUNT> {
    /// Puts the routes in order.
    #[must_use]
    pub const fn of(routes: &[Route; COUNT]) -> Index<COUNT> {
        let mut shapes = [Shape::of(routes[0].segments); COUNT];
        let mut shape_count = 0;
        let mut keys = [0; COUNT];
        let mut place = 0;
        while place < COUNT {
            let shape = Shape::of(routes[place].segments);
            keys[place] = shape.key_of(routes[place].segments);
            shape_count = insert(&mut shapes, shape_count, shape);
            place += 1;
        }
        let sorted = sort(&keys);
        let mut next = [None; COUNT];
        let mut equal = [None; COUNT];
        // The first of the rows above that have the same key.
        let mut first = 0;
        let mut row = 1;
        while row < COUNT {
            let (above, place) = (sorted[row - 1], sorted[row]);
            if keys[above] == keys[place] {
                next[above] = Some(place);
                equal[place] = equal_of(routes, &sorted, first, row);
            } else {
                first = row;
            }
            row += 1;
        }
        Index {
            keys,
            next,
            equal,
            shapes,
            shape_count,
        }
    }

    /// The key of the route at a place.
    #[must_use]
    pub const fn key(&self, place: usize) -> u64 {
        self.keys[place]
    }

    /// The place of the next route that has the key of this one.
    #[must_use]
    pub const fn next(&self, place: usize) -> Option<usize> {
        self.next[place]
    }

    /// How many shapes the patterns have.
    #[must_use]
    pub const fn shape_count(&self) -> usize {
        self.shape_count
    }

    /// The shapes of the patterns, the best first. `SHAPES` is how many there are.
    // A copy: a slice of these would take the whole index into the component.
    #[must_use]
    pub const fn shapes<const SHAPES: usize>(&self) -> [Shape; SHAPES] {
        assert!(SHAPES == self.shape_count);
        let mut shapes = [self.shapes[0]; SHAPES];
        let mut place = 0;
        while place < SHAPES {
            shapes[place] = self.shapes[place];
            place += 1;
        }
        shapes
    }

    /// Panics, in a constant, if the route at this place is equal to one before
    /// it: a method of both, and the same pattern but for the names of its
    /// parameters.
    // Tracked, so that rustc reports the caller, which `app!` puts on the name
    // of the route.
    #[track_caller]
    pub const fn check(&self, routes: &[Route; COUNT], place: usize) {
        if let Some(before) = self.equal[place] {
            let (one, other) = (&routes[before], &routes[place]);
            let method = match one.methods.and(other.methods).first() {
                Some(method) => method.as_str(),
                None => "",
            };
            let message = Message::new()
                .add("duplicate route: ")
                .add(method)
                .add(" ")
                .add(other.pattern)
                .add(" of `")
                .add(other.name)
                .add("` is already the route of `")
                .add(one.name)
                .add("`");
            panic!("{}", message.text());
        }
    }
}

/// The methods of all routes.
#[must_use]
pub const fn methods(routes: &[Route]) -> Methods {
    let mut methods = Methods::NONE;
    let mut place = 0;
    while place < routes.len() {
        methods = methods.or(routes[place].methods);
        place += 1;
    }
    methods
}

/// Puts a shape where it belongs among the first `count`, unless it is there;
/// returns how many there are then.
const fn insert<const COUNT: usize>(
    shapes: &mut [Shape; COUNT],
    count: usize,
    shape: Shape,
) -> usize {
    let mut place = 0;
    while place < count && shapes[place].precedes(shape) {
        place += 1;
    }
    if place < count && shapes[place].equals(shape) {
        return count;
    }
    let mut last = count;
    while last > place {
        shapes[last] = shapes[last - 1];
        last -= 1;
    }
    shapes[place] = shape;
    count + 1
}

/// The first of the rows from `first` to `row`, all of one key, to which that at
/// `row` is equal.
// The sort is stable, so these were listed before.
const fn equal_of<const COUNT: usize>(
    routes: &[Route; COUNT],
    sorted: &[usize; COUNT],
    first: usize,
    row: usize,
) -> Option<usize> {
    let route = &routes[sorted[row]];
    let mut above = first;
    while above < row {
        let other = &routes[sorted[above]];
        if !other.methods.and(route.methods).is_empty() && is_same(other.segments, route.segments) {
            return Some(sorted[above]);
        }
        above += 1;
    }
    None
}

/// Whether two patterns differ in nothing but the names of their parameters.
const fn is_same(one: &[Segment], other: &[Segment]) -> bool {
    if !Shape::of(one).equals(Shape::of(other)) {
        return false;
    }
    let mut place = 0;
    while place < one.len() {
        if let (Segment::Literal(one), Segment::Literal(other)) = (&one[place], &other[place])
            && !is_same_text(one.as_bytes(), other.as_bytes())
        {
            return false;
        }
        place += 1;
    }
    true
}

const fn is_same_text(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    let mut at = 0;
    while at < one.len() {
        if one[at] != other[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// A merge sort, bottom up, of places in the list by their keys.
const fn sort<const COUNT: usize>(keys: &[u64; COUNT]) -> [usize; COUNT] {
    let mut from = [0; COUNT];
    let mut place = 0;
    while place < COUNT {
        from[place] = place;
        place += 1;
    }
    let mut width = 1;
    while width < COUNT {
        let mut into = [0; COUNT];
        let mut start = 0;
        while start < COUNT {
            let middle = least(start + width, COUNT);
            let end = least(middle + width, COUNT);
            let (mut left, mut right, mut next) = (start, middle, start);
            while next < end {
                let take_left =
                    right == end || left < middle && keys[from[left]] <= keys[from[right]];
                if take_left {
                    into[next] = from[left];
                    left += 1;
                } else {
                    into[next] = from[right];
                    right += 1;
                }
                next += 1;
            }
            start = end;
        }
        from = into;
        width *= 2;
    }
    from
}

const fn least(one: usize, other: usize) -> usize {
    if one < other { one } else { other }
}

#[cfg(test)]
mod tests {
    use super::{Index, sort};
    use crate::method::{Method, Methods};
    use crate::routing::route::{Route, Segment};

    const COUNT: usize = 1000;

    /// 1,000 routes that differ late.
    static ROUTES: [Route; COUNT] = {
        static TEXTS: [[u8; 8]; COUNT] = {
            let mut texts = [*b"users-00"; COUNT];
            let mut place = 0;
            while place < COUNT {
                let number = place * 617 % COUNT;
                texts[place][5] = b'0' + (number / 100) as u8;
                texts[place][6] = b'0' + (number / 10 % 10) as u8;
                texts[place][7] = b'0' + (number % 10) as u8;
                place += 1;
            }
            texts
        };
        static SEGMENTS: [[Segment; 4]; COUNT] = {
            let mut rows = [[Segment::Literal("api"); 4]; COUNT];
            let mut place = 0;
            while place < COUNT {
                rows[place][1] = Segment::Param("tenant");
                rows[place][2] = match std::str::from_utf8(&TEXTS[place]) {
                    Ok(text) => Segment::Literal(text),
                    Err(_) => panic!(),
                };
                place += 1;
            }
            rows
        };
        let mut routes = [Route {
            methods: Methods::of(&[Method::Get]),
            pattern: "",
            segments: &[],
            prefix: 0,
            name: "",
        }; COUNT];
        let mut place = 0;
        while place < COUNT {
            routes[place].segments = &SEGMENTS[place];
            place += 1;
        }
        routes
    };

    #[allow(long_running_const_eval)]
    const INDEX: &Index<COUNT> = &Index::of(&ROUTES);

    #[test]
    fn a_thousand_routes_are_told_apart_while_compiling() {
        assert!(INDEX.equal.iter().all(Option::is_none));
        assert!(INDEX.next.iter().all(Option::is_none));
        assert_eq!(INDEX.shapes::<1>(), [INDEX.shapes[0]]);
    }

    #[test]
    fn keys_are_sorted_and_those_alike_stay_in_order() {
        assert_eq!(sort(&[5, 3, 9, 3, 1, 3, 5]), [4, 1, 3, 5, 0, 6, 2]);
        let sorted = sort(&INDEX.keys);
        assert!(sorted.is_sorted_by_key(|&place| INDEX.keys[place]));
    }

    #[test]
    fn an_equal_route_is_known_by_its_place() {
        let mut routes = [ROUTES[3], ROUTES[9], ROUTES[3], ROUTES[9]];
        routes[3].methods = Methods::of(&[Method::Put, Method::Post]);
        assert_eq!(Index::of(&routes).equal, [None, None, Some(0), None]);
        routes[1].methods = Methods::of(&[Method::Post]);
        assert_eq!(Index::of(&routes).equal, [None, None, Some(0), Some(1)]);
        assert_eq!(Index::of(&routes).next, [Some(2), Some(3), None, None]);
        routes[0] = ROUTES[9];
        assert_eq!(Index::of(&routes).equal, [None, None, None, Some(1)]);
        // Two rows stand between it and the one that has its method.
        routes[2] = routes[0];
        routes[2].methods = Methods::of(&[Method::Delete]);
        routes[3].methods = routes[0].methods;
        assert_eq!(Index::of(&routes).equal, [None, None, None, Some(0)]);
        assert_eq!(Index::of(&routes).next, [Some(1), Some(2), Some(3), None]);
    }

    #[test]
    #[should_panic(expected = "duplicate route: GET /b of `two` is already the route of `one`")]
    fn the_message_names_both() {
        let mut routes = [Route {
            pattern: "/b",
            name: "one",
            ..ROUTES[0]
        }; 2];
        routes[1].name = "two";
        Index::of(&routes).check(&routes, 1);
    }
}
