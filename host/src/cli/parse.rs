//! Values of flags. Each error says what a right value looks like.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use rhost::scaffold::{TEMPLATES, Template};
use rhost::settings::LentDir;
use std::path::PathBuf;
use std::time::Duration;

/// `50ms`, `2s`, `1m 30s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|_| "expected a time such as 50ms, 2s or 1m".to_owned())?;
    if time.is_zero() {
        Err("must be more than nothing".to_owned())
    } else {
        Ok(time)
    }
}

/// `64KiB`, `1.5GiB`, `4096`.
pub fn octets(text: &str) -> Result<u64, String> {
    let size: bytesize::ByteSize = text
        .parse()
        .map_err(|_| "expected a size such as 4096, 64KiB or 1.5GiB".to_owned())?;
    Ok(size.as_u64())
}

/// A size of something that is held in memory before it is looked at, and that
/// every client sends a little of.
pub fn head_size(text: &str) -> Result<usize, String> {
    match octets(text)? {
        size @ 256..=1_048_576 => Ok(size as usize),
        _ => Err("expected a size from 256 to 1MiB".to_owned()),
    }
}

/// A window of HTTP/2: what every peer may send from the start, up to what the
/// protocol has room for (RFC 9113, section 6.9.1).
pub fn window(text: &str) -> Result<u32, String> {
    match octets(text)? {
        size @ 65_535..=0x7fff_ffff => Ok(size as u32),
        _ => Err("expected a size from 64KiB to 2047MiB".to_owned()),
    }
}

/// `NAME=VALUE`.
pub fn env(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

/// `HOST:GUEST` or `HOST:GUEST:ro`.
pub fn dir(text: &str) -> Result<LentDir, String> {
    let (text, read_only) = match text.strip_suffix(":ro") {
        Some(rest) => (rest, true),
        None => (text.strip_suffix(":rw").unwrap_or(text), false),
    };
    match text.split_once(':') {
        Some((host, guest)) if !host.is_empty() && guest.starts_with('/') => {
            Ok(LentDir { host: PathBuf::from(host), guest: guest.to_owned(), read_only })
        }
        _ => Err("expected HOST:GUEST or HOST:GUEST:ro, as ./data:/data:ro; the guest's path begins with /".to_owned()),
    }
}

/// `/x`; a slash at the end is forgiven, and `/` alone means no mount.
pub fn mount(text: &str) -> Result<String, String> {
    let mount = text.trim_end_matches('/');
    if !mount.is_empty() && !mount.starts_with('/') {
        return Err("expected a path that begins with /, as /blog".to_owned());
    }
    if mount.contains(['?', '#', '%']) || mount.contains("//") {
        return Err("expected a plain path, not encoded and without a query".to_owned());
    }
    Ok(mount.to_owned())
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
    fn sizes_and_times() {
        assert_eq!(octets("64KiB"), Ok(65536));
        assert_eq!(octets("4096"), Ok(4096));
        assert!(octets("much").is_err() && octets("-1").is_err());
        assert_eq!(head_size("8KiB"), Ok(8192));
        assert!(head_size("255").is_err() && head_size("2MiB").is_err());
        assert_eq!(duration("50ms"), Ok(Duration::from_millis(50)));
        assert!(duration("5").is_err() && duration("0s").is_err());
    }

    #[test]
    fn dirs_and_mounts() {
        let lent = |host: &str, guest: &str, read_only| LentDir {
            host: host.into(),
            guest: guest.into(),
            read_only,
        };
        assert_eq!(dir("./data:/data"), Ok(lent("./data", "/data", false)));
        assert_eq!(dir("./data:/data:ro"), Ok(lent("./data", "/data", true)));
        assert!(dir("./data").is_err() && dir("a:b").is_err() && dir(":/b").is_err());
        assert_eq!(mount("/blog/"), Ok("/blog".into()));
        assert_eq!(mount("/"), Ok(String::new()));
        assert!(mount("blog").is_err() && mount("/a?b").is_err());
        assert!(path("/a?b=%20").is_ok());
        assert!(path("a").is_err() && path("/a b").is_err() && path("/a#b").is_err());
        assert_eq!(env("A=b=c"), Ok(("A".into(), "b=c".into())));
        assert!(env("A").is_err() && env("=b").is_err());
    }
}
