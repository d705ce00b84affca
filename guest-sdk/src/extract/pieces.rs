//! The pieces of a field's value, where some stand in quotes.

/// The pieces between separators that do not stand in quotes (RFC 9110, section
/// 5.6.4), without the spaces around them.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    let mut escaped = false;
    text.split(move |mark| {
        let literal = quoted;
        if escaped {
            escaped = false;
        } else if mark == '"' {
            quoted = !quoted;
        } else if quoted && mark == '\\' {
            escaped = true;
        }
        !literal && mark == separator
    })
    .map(str::trim_ascii)
}
