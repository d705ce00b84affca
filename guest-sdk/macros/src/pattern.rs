//! The pattern of a route: `/users/{id}`.

use std::fmt;

/// The most segments that a pattern can have: `rhost_sdk::routing::Shape` has two
/// bits for each.
const DEEPEST: usize = 32;

/// A part of a pattern, between two slashes.
#[derive(Debug, PartialEq)]
pub(crate) enum Segment {
    /// Text that the path has to hold, as it is.
    Literal(String),
    /// `{name}`: any segment that is not empty.
    Param(String),
    /// `{name..}`: the rest of the path, slashes and all, if it is not empty.
    Tail(String),
}

impl Segment {
    /// The argument that it fills.
    pub(crate) fn name(&self) -> Option<&String> {
        match self {
            Segment::Literal(_) => None,
            Segment::Param(name) | Segment::Tail(name) => Some(name),
        }
    }
}

impl fmt::Display for Segment {
    /// As it is written.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Segment::Literal(text) => out.write_str(text),
            Segment::Param(name) => write!(out, "{{{name}}}"),
            Segment::Tail(name) => write!(out, "{{{name}..}}"),
        }
    }
}

/// Splits a pattern, or says what is wrong with it.
pub(crate) fn parse(pattern: &str) -> Result<Vec<Segment>, String> {
    let Some(rest) = pattern.strip_prefix('/') else {
        return Err("a pattern begins with `/`".into());
    };
    if let Some(mark) = pattern.find(['?', '#']).map(|at| &pattern[at..=at]) {
        return Err(format!(
            "a pattern is the path alone, without `{mark}`; take the query with a `Query<T>` argument"
        ));
    }
    if let Some(escape) = escape(pattern) {
        return Err(format!(
            "a pattern is compared with the decoded path: write the character that `{escape}` stands for"
        ));
    }
    let mut segments: Vec<Segment> = Vec::new();
    for part in rest.split('/') {
        let segment = segment(part)?;
        if let Some(tail @ Segment::Tail(_)) = segments.last() {
            return Err(format!(
                "`{tail}` takes the rest of the path: nothing can follow it"
            ));
        }
        if let Some(name) = segment.name()
            && segments.iter().any(|other| other.name() == Some(name))
        {
            return Err(format!("`{{{name}}}` stands twice in the pattern"));
        }
        segments.push(segment);
    }
    if segments.len() > DEEPEST {
        return Err(format!(
            "a pattern has at most {DEEPEST} segments: take the rest with `{{rest..}}`"
        ));
    }
    Ok(segments)
}

/// Says what is wrong with a prefix: text alone, as `/admin/reports`.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), String> {
    if !prefix.starts_with('/') {
        return Err("a prefix begins with `/`".into());
    }
    if prefix.ends_with('/') {
        return Err("a prefix ends without `/`: the patterns below it begin with one".into());
    }
    let segments = parse(prefix)?;
    match segments.iter().find(|segment| segment.name().is_some()) {
        Some(segment) => Err(format!(
            "a prefix is text alone: write `{segment}` in the patterns below it, where it has its argument"
        )),
        None => Ok(()),
    }
}

fn segment(part: &str) -> Result<Segment, String> {
    if !part.contains(['{', '}']) {
        return Ok(Segment::Literal(part.into()));
    }
    let Some(inner) = part.strip_prefix('{') else {
        return Err(match part.contains('{') {
            true => format!("a parameter is a whole segment: `{part}` has a `{{` in the middle"),
            false => format!("`{part}` has a `}}` without its `{{`"),
        });
    };
    let Some((name, after)) = inner.split_once('}') else {
        return Err(format!("`{part}` has a `{{` that is not closed"));
    };
    if !after.is_empty() {
        return Err(format!(
            "a parameter is a whole segment: `{after}` follows it in `{part}`"
        ));
    }
    let (name, is_tail) = match name.strip_suffix("..") {
        Some(name) => (name, true),
        None => (name, false),
    };
    if name.is_empty() {
        return Err(format!("a parameter needs a name: `{part}` has none"));
    }
    let mut letters = name.chars();
    let first = letters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    if !first || name == "_" || !letters.all(|c| c.is_alphanumeric() || c == '_') {
        return Err(format!("`{name}` cannot be the name of an argument"));
    }
    Ok(match is_tail {
        true => Segment::Tail(name.into()),
        false => Segment::Param(name.into()),
    })
}

/// The first `%` with two hexadecimal digits after it (RFC 3986, section 2.1).
fn escape(pattern: &str) -> Option<&str> {
    pattern.match_indices('%').find_map(|(at, _)| {
        let escape = pattern.get(at..at + 3)?;
        escape[1..]
            .bytes()
            .all(|b| b.is_ascii_hexdigit())
            .then_some(escape)
    })
}

#[cfg(test)]
mod tests {
    use super::{Segment, parse};

    fn literal(text: &str) -> Segment {
        Segment::Literal(text.into())
    }

    #[test]
    fn splits_at_slashes() {
        assert_eq!(parse("/"), Ok(vec![literal("")]));
        assert_eq!(
            parse("/users/{id}/"),
            Ok(vec![
                literal("users"),
                Segment::Param("id".into()),
                literal("")
            ])
        );
        assert_eq!(
            parse("/{id}/{rest..}"),
            Ok(vec![
                Segment::Param("id".into()),
                Segment::Tail("rest".into())
            ])
        );
        assert_eq!(
            parse(&"/a".repeat(32)).map(|segments| segments.len()),
            Ok(32)
        );
        assert_eq!(parse("/100%"), Ok(vec![literal("100%")]));
    }

    #[test]
    fn names_what_is_wrong() {
        for (pattern, part) in [
            ("", "begins with"),
            ("users", "begins with"),
            ("/{id", "not closed"),
            ("/id}", "without its"),
            ("/a{id}", "in the middle"),
            ("/{id}a", "follows it"),
            ("/{}", "needs a name"),
            ("/{7}", "cannot be the name"),
            ("/{_}", "cannot be the name"),
            ("/{a}/{a}", "twice"),
            ("/{a}/{a..}", "twice"),
            ("/{a..}/", "nothing can follow"),
            ("/{a..}/{b..}", "nothing can follow"),
            ("/{..}", "needs a name"),
            ("/{a...}", "cannot be the name"),
            ("/{..a}", "cannot be the name"),
            ("/a?b", "without `?`"),
            ("/a%20b", "%20"),
            (&"/a".repeat(33), "at most 32 segments"),
        ] {
            let error = parse(pattern).unwrap_err();
            assert!(error.contains(part), "{pattern}: {error}");
        }
    }
}
