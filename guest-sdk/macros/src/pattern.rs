//! The pattern of a route: `/users/{id}`.

/// A part of a pattern, between two slashes.
#[derive(Debug, PartialEq)]
pub(crate) enum Segment {
    /// Text that the path has to hold, as it is.
    Literal(String),
    /// `{name}`: any segment that is not empty.
    Param(String),
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
    let mut segments = Vec::new();
    for part in rest.split('/') {
        let segment = segment(part)?;
        if let Segment::Param(name) = &segment
            && segments.contains(&segment)
        {
            return Err(format!("`{{{name}}}` stands twice in the pattern"));
        }
        segments.push(segment);
    }
    Ok(segments)
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
    if name.is_empty() {
        return Err("a parameter needs a name: `{}` has none".into());
    }
    let mut letters = name.chars();
    let first = letters
        .next()
        .is_some_and(|c| c.is_alphabetic() || c == '_');
    if !first || name == "_" || !letters.all(|c| c.is_alphanumeric() || c == '_') {
        return Err(format!("`{name}` cannot be the name of an argument"));
    }
    Ok(Segment::Param(name.into()))
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
            ("/a?b", "without `?`"),
            ("/a%20b", "%20"),
        ] {
            let error = parse(pattern).unwrap_err();
            assert!(error.contains(part), "{pattern}: {error}");
        }
    }
}
