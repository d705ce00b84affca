//! Values as they are written on the command line and in the file. Each error says
//! what a right value looks like.

use crate::settings::LentDir;
use crate::socket::Address;
use std::path::PathBuf;
use std::time::Duration;

/// The longest time that a setting may have, some hundred years: any sum of a few of
/// them can still be counted, in nanoseconds too.
const LONGEST: Duration = Duration::from_secs(100 * 366 * 24 * 3600);

/// `50ms`, `2s`, `1m 30s`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let time = humantime::parse_duration(text)
        .map_err(|_| "expected a time such as 50ms, 2s or 1m".to_owned())?;
    if time.is_zero() {
        Err("must be more than nothing".to_owned())
    } else if time > LONGEST {
        Err("must be 100 years or less".to_owned())
    } else {
        Ok(time)
    }
}

/// The same, or `0` for none at all.
pub fn time_or_none(text: &str) -> Result<Duration, String> {
    match text {
        "0" => Ok(Duration::ZERO),
        text => match humantime::parse_duration(text) {
            Ok(time) if time > LONGEST => Err("must be 100 years or less".to_owned()),
            Ok(time) => Ok(time),
            Err(_) => Err("expected a time such as 50ms, 2s or 1m, or 0".to_owned()),
        },
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

/// A size of the code that is kept.
pub fn cache_size(text: &str) -> Result<u64, String> {
    match octets(text)? {
        size @ 1_048_576.. => Ok(size),
        _ => Err("expected a size of 1MiB or more".to_owned()),
    }
}

/// A mode of files, in octal.
pub fn mode(text: &str) -> Result<u32, String> {
    match u32::from_str_radix(text, 8) {
        Ok(mode @ 0..=0o777) => Ok(mode),
        _ => Err("a mode is three digits from 0 to 7, as 660".into()),
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

/// An address that nobody but this machine reaches: the admin listener asks for no
/// password.
pub fn admin_address(text: &str) -> Result<Address, String> {
    match text.parse()? {
        Address::Tcp(addr) if !addr.ip().to_canonical().is_loopback() => Err(
            "others could reach it, and it asks for no password; give an address of this machine only as 127.0.0.1:9000, or unix:PATH".into(),
        ),
        Address::Inherited(_) => Err("give IP:PORT as 127.0.0.1:9000, or unix:PATH".into()),
        address => Ok(address),
    }
}

/// `0.1`: a part of all.
pub fn ratio(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(ratio) if (0.0..=1.0).contains(&ratio) => Ok(ratio),
        _ => Err("expected a number from 0 to 1, as 0.1".into()),
    }
}

/// The name of an app or a tenant, as logs and paths have it.
pub fn name(text: &str) -> Result<(), String> {
    let is_of_one = |octet: u8| octet.is_ascii_alphanumeric() || b"-_.".contains(&octet);
    let is_right = (1..=64).contains(&text.len())
        && text.bytes().all(is_of_one)
        && text.starts_with(|first: char| first.is_ascii_alphanumeric());
    match is_right {
        true => Ok(()),
        false => Err("expected a name of 1 to 64 letters, digits and -_. that begins with a letter or a digit, as shop-2".into()),
    }
}

/// The name of an environment variable.
pub fn variable(text: &str) -> Result<(), String> {
    match !text.is_empty() && !text.contains(['=', '\0']) {
        true => Ok(()),
        false => Err("expected the name of a variable, without =".into()),
    }
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
        assert!(cache_size("1MiB").is_ok() && cache_size("1023KiB").is_err());
        assert!(head_size("255").is_err() && head_size("2MiB").is_err());
        assert_eq!(duration("50ms"), Ok(Duration::from_millis(50)));
        assert!(duration("5").is_err() && duration("0s").is_err());
        assert!(duration("100y").is_ok() && duration("101y").is_err());
        for text in [
            "18446744073709551615s",
            "18446744073709551616s",
            "-1s",
            "9223372036854775807ms",
        ] {
            assert!(duration(text).is_err(), "{text}");
        }
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
    }

    #[test]
    fn only_this_machine_reaches_the_admin_listener() {
        for text in [
            "127.0.0.1:9000",
            "127.1.2.3:0",
            "[::1]:9000",
            "[::ffff:127.0.0.1]:1",
            "unix:/run/admin.sock",
        ] {
            assert!(admin_address(text).is_ok(), "{text}");
        }
        for text in [
            "0.0.0.0:9000",
            "[::]:9000",
            "10.0.0.1:9000",
            "[::ffff:10.0.0.1]:1",
            "fd:3",
            "localhost:1",
            "",
        ] {
            assert!(admin_address(text).is_err(), "{text}");
        }
    }

    #[test]
    fn parts_of_all() {
        for (text, value) in [("0", 0.0), ("0.25", 0.25), ("1", 1.0)] {
            assert_eq!(ratio(text), Ok(value));
        }
        for text in ["", "-0.1", "1.1", "NaN", "inf", "half"] {
            assert!(ratio(text).is_err(), "{text}");
        }
    }

    #[test]
    fn names() {
        for text in ["a", "shop-2", "a.b_c", "0"] {
            assert!(name(text).is_ok(), "{text}");
        }
        for text in ["", "-a", ".", "a b", "a/b", "\u{e9}", &"a".repeat(65)] {
            assert!(name(text).is_err(), "{text}");
        }
        assert!(variable("A").is_ok() && variable("").is_err() && variable("A=B").is_err());
    }
}
