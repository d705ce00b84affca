//! [`Table`]: the rows of a site as code, and the search in them.

use crate::method::{Method, Methods};
use crate::request::Request;
use crate::respond::Response;
use crate::routing::shape::{Hashed, Shape};

/// The routes of a site, as `app!` writes them.
///
/// All but the shapes are functions, each a `match` over the places of the list. A
/// table of rows would be a part of the memory that each sandbox starts with and
/// that is copied for it; code is there once, for all of them.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// The shapes of the patterns, the best first.
    pub shapes: &'static [Shape],
    /// The methods of all routes.
    pub methods: Methods,
    /// The first row that has a key.
    pub first: fn(key: u64) -> Option<usize>,
    /// What a row has for a path.
    pub row: fn(place: usize, path: &[u8]) -> Row,
    /// Answers with a row's function.
    pub call: fn(place: usize, request: &Request, path: &[u8]) -> Response,
}

/// A row, to a path.
#[derive(Clone, Copy, Debug)]
pub struct Row {
    /// Whether the pattern fits: a key may be that of another pattern too.
    pub fits: bool,
    /// The methods of the route.
    pub methods: Methods,
    /// The next row of the same key.
    pub next: Option<usize>,
}

impl Table {
    /// The place of the route for a method at a path, which is without its first
    /// slash. HEAD is answered by GET where it has no route of its own.
    pub(crate) fn find(&self, path: &[u8], method: Method) -> Option<usize> {
        let hashed = Hashed::new(path);
        self.shapes.iter().find_map(|shape| {
            let mut found = None;
            self.visit(*shape, path, &hashed, |place, methods| {
                if methods.contains(method) {
                    found = Some(place);
                } else if method == Method::Head && methods.contains(Method::Get) {
                    found = found.or(Some(place));
                }
            });
            found
        })
    }

    /// The methods of all patterns that fit a path.
    #[cold]
    pub(crate) fn allowed(&self, path: &[u8]) -> Methods {
        let hashed = Hashed::new(path);
        let mut allowed = Methods::NONE;
        for shape in self.shapes {
            self.visit(*shape, path, &hashed, |_, methods| {
                allowed = allowed.or(methods);
            });
        }
        allowed
    }

    /// Visits the rows of the one pattern of a shape that fits a path.
    fn visit(
        &self,
        shape: Shape,
        path: &[u8],
        hashed: &Hashed,
        mut visit: impl FnMut(usize, Methods),
    ) {
        let mut next = shape.key_for(hashed).and_then(self.first);
        while let Some(place) = next {
            let row = (self.row)(place, path);
            if row.fits {
                visit(place, row.methods);
            }
            next = row.next;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Row, Table};
    use crate::method::{Method, Methods};
    use crate::respond::Response;
    use crate::routing::route::Segment;
    use crate::routing::shape::Shape;
    use crate::status::Status;

    /// Rows that all have one key, as if the hash were the worst there is: two
    /// patterns in turn.
    static ALIKE: Table = Table {
        shapes: &[Shape::of(&[Segment::Literal("")])],
        methods: Methods::NONE,
        first: |_| Some(0),
        row: |place, path| Row {
            fits: path == [b"a", b"b"][place % 2],
            methods: Methods::of(match place {
                0 | 1 => &[Method::Get],
                2 => &[Method::Head],
                _ => &[Method::Put, Method::Delete],
            }),
            next: (place < 3).then_some(place + 1),
        },
        call: |_, _, _| Response::new(Status::OK),
    };

    #[test]
    fn a_row_that_only_has_the_key_is_passed_over() {
        assert_eq!(ALIKE.find(b"a", Method::Get), Some(0));
        assert_eq!(ALIKE.find(b"b", Method::Get), Some(1));
        assert_eq!(ALIKE.find(b"b", Method::Delete), Some(3));
        assert_eq!(ALIKE.find(b"a", Method::Put), None);
        assert_eq!(ALIKE.find(b"c", Method::Get), None);
        let allowed = |path| ALIKE.allowed(path);
        assert_eq!(allowed(b"a"), Methods::of(&[Method::Get, Method::Head]));
        assert_eq!(allowed(b"c"), Methods::NONE);
    }

    #[test]
    fn head_has_its_own_row_or_that_of_get() {
        assert_eq!(ALIKE.find(b"a", Method::Head), Some(2));
        assert_eq!(ALIKE.find(b"b", Method::Head), Some(1));
    }
}
