//! The walk of a request down the table.

use std::cmp::Ordering;

use crate::method::{Method, Methods};
use crate::routing::route::{Route, Segment};

/// The route for a method at a path, which is without its first slash. HEAD is
/// answered by GET where it has no route of its own.
pub(crate) fn find(table: &'static [Route], path: &[u8], method: Method) -> Option<&'static Route> {
    let mut found = None;
    descend(table, 0, Some(path), &mut |rows| {
        found = with_method(rows, method);
        if found.is_none() && method == Method::Head {
            found = with_method(rows, Method::Get);
        }
        found.is_some()
    });
    found
}

/// The methods of all patterns that fit a path.
pub(crate) fn allowed(table: &'static [Route], path: &[u8]) -> Methods {
    let mut methods = Methods::default();
    descend(table, 0, Some(path), &mut |rows| {
        rows.iter()
            .for_each(|route| methods = methods.or(route.methods));
        false
    });
    methods
}

/// The methods of all routes.
pub(crate) fn all(table: &[Route]) -> Methods {
    let mut methods = Methods::default();
    table
        .iter()
        .for_each(|route| methods = methods.or(route.methods));
    methods
}

fn with_method(rows: &'static [Route], method: Method) -> Option<&'static Route> {
    rows.iter().find(|route| route.methods.contains(method))
}

/// Visits the rows of each pattern that fits, the best first, until a visit
/// returns true; returns whether one did.
///
/// `table` is what fits the segments before `depth`, and `rest` the path from
/// there on; `None` is its end. It goes no deeper than the longest pattern,
/// whatever the path: beyond that the table is empty.
fn descend(
    table: &'static [Route],
    depth: usize,
    rest: Option<&[u8]>,
    visit: &mut dyn FnMut(&'static [Route]) -> bool,
) -> bool {
    if table.is_empty() {
        return false;
    }
    let Some(rest) = rest else {
        // Patterns that end here come first.
        let ended = table.partition_point(|route| route.segments.len() == depth);
        return ended > 0 && visit(&table[..ended]);
    };
    let tail = rest;
    let (segment, rest) = match rest.iter().position(|&octet| octet == b'/') {
        Some(slash) => (&rest[..slash], Some(&rest[slash + 1..])),
        None => (rest, None),
    };
    // Then come literals by their octets, then parameters, then tails.
    let literal = |route: &Route| match route.segments.get(depth) {
        None => Ordering::Less,
        Some(Segment::Literal(text)) => text.as_bytes().cmp(segment),
        Some(Segment::Param(_) | Segment::Tail(_)) => Ordering::Greater,
    };
    let from = table.partition_point(|route| literal(route) == Ordering::Less);
    let to = from + table[from..].partition_point(|route| literal(route) == Ordering::Equal);
    if descend(&table[from..to], depth + 1, rest, visit) {
        return true;
    }
    let after = &table[to..];
    let at = |route: &Route| route.segments.get(depth);
    let literals = after.partition_point(|route| matches!(at(route), Some(Segment::Literal(_))));
    let wild = &after[literals..];
    let params = wild.partition_point(|route| matches!(at(route), Some(Segment::Param(_))));
    let (params, tails) = wild.split_at(params);
    if !segment.is_empty() && descend(params, depth + 1, rest, visit) {
        return true;
    }
    // A tail is a last segment, so these rows are of one pattern.
    !tails.is_empty() && !tail.is_empty() && visit(tails)
}
