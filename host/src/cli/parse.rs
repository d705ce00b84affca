//! Values of flags that the file has not. Each error says what a right value looks
//! like.

pub use rhost::config::value::{
    admin_address, cache_size, dir, duration, head_size, mode, mount, octets, ratio, time_or_none,
    window,
};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use rhost::scaffold::{TEMPLATES, Template};

/// `NAME=VALUE`.
pub fn env(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// `/x`, as it stands in a request, with a query if need be.
pub fn path(text: &str) -> Result<String, String> {
    let is_right = text.starts_with('/') && !text.contains('#');
    match http::uri::PathAndQuery::try_from(text) {
        Ok(_) if is_right => Ok(text.to_owned()),
        _ => Err(
            "expected a path that begins with /, percent-encoded, as /search?q=a%20b".to_owned(),
        ),
    }
}

/// The name of a template.
pub fn template() -> impl TypedValueParser<Value = Template> {
    let names = TEMPLATES
        .iter()
        .map(|template| PossibleValue::new(template.name).help(template.summary));
    // Only the names of templates get as far as this.
    PossibleValuesParser::new(names)
        .try_map(|name| Template::named(&name).ok_or("expected the name of a template"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_variables() {
        assert!(path("/a?b=%20").is_ok());
        assert!(path("a").is_err() && path("/a b").is_err() && path("/a#b").is_err());
        assert_eq!(env("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(env("A").is_err() && env("=b").is_err());
    }
}
