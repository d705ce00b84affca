//! [`Order`]: the table, sorted while the application compiles.

use crate::method::Methods;
use crate::routing::route::{Route, Segment};

/// The order of a site's routes, and which of them are equal. `app!` makes one
/// in a constant.
///
/// Routes are compared segment by segment: a pattern that ends comes before one
/// that goes on, literals come in the order of their octets, parameters after
/// them, and tails last, whatever their names. Routes
/// of one pattern stay in the order in which they are listed.
#[derive(Clone, Copy, Debug)]
pub struct Order<const COUNT: usize> {
    /// The place in the list of the route that is first, second, ...
    sorted: [usize; COUNT],
    /// For each route, the place of an equal one that was listed before it.
    equal: [Option<usize>; COUNT],
}

impl<const COUNT: usize> Order<COUNT> {
    /// Sorts the routes.
    #[must_use]
    pub const fn of(routes: &[Route; COUNT]) -> Order<COUNT> {
        let sorted = sort(routes);
        let mut equal = [None; COUNT];
        // The methods of the rows above that have the same pattern, and the
        // first of these rows.
        let mut taken = Methods::NONE;
        let mut first = 0;
        let mut row = 0;
        while row < COUNT {
            let route = &routes[sorted[row]];
            if row > 0 && compare(&routes[sorted[row - 1]], route) != 0 {
                taken = Methods::NONE;
                first = row;
            }
            if !taken.and(route.methods).is_empty() {
                // The sort is stable, so the rows above were listed before.
                let mut above = first;
                while routes[sorted[above]].methods.and(route.methods).is_empty() {
                    above += 1;
                }
                equal[sorted[row]] = Some(sorted[above]);
            }
            taken = taken.or(route.methods);
            row += 1;
        }
        Order { sorted, equal }
    }

    /// The routes, sorted.
    #[must_use]
    pub const fn table(&self, routes: &[Route; COUNT]) -> [Route; COUNT] {
        let mut table = *routes;
        let mut row = 0;
        while row < COUNT {
            table[row] = routes[self.sorted[row]];
            row += 1;
        }
        table
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

/// A merge sort, bottom up, of places in the list.
const fn sort<const COUNT: usize>(routes: &[Route; COUNT]) -> [usize; COUNT] {
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
                let take_left = right == end
                    || left < middle && compare(&routes[from[left]], &routes[from[right]]) <= 0;
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

/// Less than, equal to or greater than 0, as the pattern of one route stands to
/// that of the other.
const fn compare(one: &Route, other: &Route) -> isize {
    let mut depth = 0;
    loop {
        let difference = match (depth < one.segments.len(), depth < other.segments.len()) {
            (false, false) => return 0,
            (false, true) => -1,
            (true, false) => 1,
            (true, true) => match (&one.segments[depth], &other.segments[depth]) {
                (Segment::Literal(one), Segment::Literal(other)) => {
                    compare_octets(one.as_bytes(), other.as_bytes())
                }
                (one, other) => rank(one) - rank(other),
            },
        };
        if difference != 0 {
            return difference;
        }
        depth += 1;
    }
}

const fn rank(segment: &Segment) -> isize {
    match segment {
        Segment::Literal(_) => 0,
        Segment::Param(_) => 1,
        Segment::Tail(_) => 2,
    }
}

const fn compare_octets(one: &[u8], other: &[u8]) -> isize {
    let shorter = least(one.len(), other.len());
    let mut at = 0;
    while at < shorter {
        if one[at] != other[at] {
            return one[at] as isize - other[at] as isize;
        }
        at += 1;
    }
    one.len() as isize - other.len() as isize
}

/// Text that is put together in a constant. What does not fit is left out.
struct Message {
    octets: [u8; 512],
    length: usize,
}

impl Message {
    const fn new() -> Message {
        Message {
            octets: [0; 512],
            length: 0,
        }
    }

    const fn add(mut self, text: &str) -> Message {
        let text = text.as_bytes();
        let mut at = 0;
        while at < text.len() && self.length < self.octets.len() {
            self.octets[self.length] = text[at];
            self.length += 1;
            at += 1;
        }
        self
    }

    const fn text(&self) -> &str {
        match std::str::from_utf8(self.octets.split_at(self.length).0) {
            Ok(text) => text,
            // The end fell into a character.
            Err(_) => "duplicate route",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Order, compare};
    use crate::method::{Method, Methods};
    use crate::respond::Response;
    use crate::routing::route::{Route, Segment};
    use crate::status::Status;

    const COUNT: usize = 1000;

    /// 1,000 routes that differ late, in an order far from sorted.
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
            call: |_, _| Response::new(Status::OK),
        }; COUNT];
        let mut place = 0;
        while place < COUNT {
            routes[place].segments = &SEGMENTS[place];
            place += 1;
        }
        routes
    };

    #[allow(long_running_const_eval)]
    const ORDER: &Order<COUNT> = &Order::of(&ROUTES);
    static TABLE: [Route; COUNT] = ORDER.table(&ROUTES);

    #[test]
    fn a_thousand_routes_are_sorted_while_compiling() {
        assert!(TABLE.is_sorted_by(|one, other| compare(one, other) < 0));
        assert!(ORDER.equal.iter().all(Option::is_none));
    }

    #[test]
    fn an_equal_route_is_known_by_its_place() {
        let mut routes = [ROUTES[3], ROUTES[9], ROUTES[3], ROUTES[9]];
        routes[3].methods = Methods::of(&[Method::Put, Method::Post]);
        assert_eq!(Order::of(&routes).equal, [None, None, Some(0), None]);
        routes[1].methods = Methods::of(&[Method::Post]);
        assert_eq!(Order::of(&routes).equal, [None, None, Some(0), Some(1)]);
        routes[0] = ROUTES[9];
        assert_eq!(Order::of(&routes).equal, [None, None, None, Some(1)]);
        // Two rows stand between it and the one that has its method.
        routes[2] = routes[0];
        routes[2].methods = Methods::of(&[Method::Delete]);
        routes[3].methods = routes[0].methods;
        assert_eq!(Order::of(&routes).equal, [None, None, None, Some(0)]);
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
        Order::of(&routes).check(&routes, 1);
    }
}
