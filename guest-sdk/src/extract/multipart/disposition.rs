//! The head of a part: its name, and what the client says of a file.

use httparse::{EMPTY_HEADER, Status};

use crate::extract::pieces::split;

/// The most fields of a part's head: RFC 7578, section 4.8, has use for three.
const MOST_FIELDS: usize = 16;

/// What the head of a part says (RFC 7578, section 4).
pub(super) struct Disposition {
    pub(super) name: String,
    pub(super) filename: Option<String>,
    pub(super) content_type: Option<String>,
}

impl Disposition {
    /// Reads the fields of a head, which ends in a blank line.
    pub(super) fn parse(head: &[u8]) -> Result<Disposition, &'static str> {
        let mut fields = [EMPTY_HEADER; MOST_FIELDS];
        let Ok(Status::Complete((length, fields))) = httparse::parse_headers(head, &mut fields)
        else {
            return Err("the head of a part is malformed");
        };
        // The parser takes a lone LF for a line's end, and may so end sooner.
        if length != head.len() {
            return Err("the head of a part is malformed");
        }
        let field = |name: &str| {
            let field = fields
                .iter()
                .find(|field| field.name.eq_ignore_ascii_case(name))?;
            Some(std::str::from_utf8(field.value).map_err(|_| "the head of a part is not UTF-8"))
        };
        let content_type = field("content-type").transpose()?.map(String::from);
        let disposition = field("content-disposition").ok_or("a part has no disposition")??;
        let mut pieces = split(disposition, ';');
        if !pieces
            .next()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("form-data"))
        {
            return Err("the disposition of a part is not form-data");
        }
        let (mut name, mut filename) = (None, None);
        for piece in pieces.filter(|piece| !piece.is_empty()) {
            let (parameter, value) = piece
                .split_once('=')
                .ok_or("a parameter of a part's disposition has no value")?;
            let place = match parameter.trim_ascii() {
                parameter if parameter.eq_ignore_ascii_case("name") => &mut name,
                parameter if parameter.eq_ignore_ascii_case("filename") => &mut filename,
                // `filename*` among them: RFC 7578, section 4.2, forbids it.
                _ => continue,
            };
            let value = unquote(value.trim_ascii()).ok_or("a quote in a part's head is open")?;
            // Who takes the first and who takes the last would differ.
            if place.replace(value).is_some() {
                return Err("a parameter of a part's disposition is there twice");
            }
        }
        Ok(Disposition {
            name: name.ok_or("a part has no name")?,
            filename,
            content_type,
        })
    }
}

/// The text of a parameter: a token, or a quoted string. A backslash counts
/// before a quote or another backslash only: some clients send the names of
/// their directories, and escape nothing.
pub(super) fn unquote(value: &str) -> Option<String> {
    let Some(quoted) = value.strip_prefix('"') else {
        return Some(value.into());
    };
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted.chars();
    loop {
        match rest.next()? {
            '"' => break,
            '\\' => match rest.as_str().chars().next()? {
                mark @ ('"' | '\\') => {
                    rest.next();
                    text.push(mark);
                }
                _ => text.push('\\'),
            },
            mark => text.push(mark),
        }
    }
    rest.as_str().is_empty().then_some(text)
}
