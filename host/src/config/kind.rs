//! Kinds of values: what the file may hold for a key.

use super::value;
use crate::failure::Octets;
use crate::proxy::TrustedProxy;
use crate::routing::Host;
use crate::settings::LentDir;
use crate::socket::Address;
use crate::spans::Collector;
use std::path::Path;
use toml::de::DeValue;

/// A key of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// What it is called: as the flag of the command that says the same.
    pub name: &'static str,
    /// What it may hold.
    pub kind: Kind,
    /// Whether it may be a list of such values.
    pub is_list: bool,
    /// What holds if it is not there, as the file would say it, or in words within
    /// parentheses.
    pub default: &'static str,
    /// What it is for, in a line.
    pub help: &'static str,
}

/// What a key may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `true` or `false`.
    Switch,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A number, from and to.
    Count(u64, u64),
    /// A time with its unit.
    Time,
    /// The same, or 0.
    TimeOrNone,
    /// A size, from and to octets.
    Size(u64, u64),
    /// A mode of files, in octal.
    Mode,
    /// A file or a directory.
    Path,
    /// Where to listen.
    Address,
    /// Where to listen for this machine only.
    AdminAddress,
    /// An address, a network, or `unix`.
    Network,
    /// `HOST:GUEST[:ro]`.
    Dir,
    /// The name of a host, or of all below one.
    Host,
    /// A path to mount at.
    Mount,
    /// The name of an app or a tenant.
    Name,
    /// Where a collector of OpenTelemetry is.
    Collector,
    /// A number from 0 to 1.
    Ratio,
    /// A table of environment variables.
    Variables,
    /// A table of secrets, each from a file or a variable of this process.
    Secrets,
}

/// Bytes in a page of WebAssembly. No guest that has memory has less.
const PAGE: u64 = 64 << 10;

impl Key {
    /// Reads one value as [`Kind::read`] does. Memory that no guest has any use for is a
    /// number whose unit was forgotten.
    pub(super) fn read(&self, value: &DeValue<'_>, base: &Path) -> Result<String, String> {
        let text = self.kind.read(value, base)?;
        let is_few = || text.parse().is_ok_and(|octets: u64| octets < PAGE);
        match value {
            DeValue::Integer(_) if self.name == "memory" && is_few() => Err(format!(
                "a number without a unit is bytes; {}, with its unit in quotes",
                self.kind.expected()
            )),
            _ => Ok(text),
        }
    }
}

impl Kind {
    /// Reads one value as the text that the command's flag would have, with paths in
    /// it taken from `base`. Fails with what was expected.
    pub(super) fn read(&self, value: &DeValue<'_>, base: &Path) -> Result<String, String> {
        match (self, value) {
            (Kind::Switch, DeValue::Boolean(is_on)) => Ok(is_on.to_string()),
            (Kind::Switch, _) => Err("expected true or false".into()),
            (Kind::Count(least, most), DeValue::Integer(number)) => {
                let wrong = || Err(self.expected());
                let Ok(number) = u64::from_str_radix(number.as_str(), number.radix()) else {
                    return wrong();
                };
                match (least..=most).contains(&&number) {
                    true => Ok(number.to_string()),
                    false => wrong(),
                }
            }
            (Kind::Size(..), DeValue::Integer(number)) if number.radix() == 10 => {
                self.check(number.as_str().to_owned(), base)
            }
            (Kind::Ratio, DeValue::Integer(number)) if number.radix() == 10 => {
                self.check(number.as_str().to_owned(), base)
            }
            (Kind::Ratio, DeValue::Float(number)) => self.check(number.as_str().to_owned(), base),
            (Kind::TimeOrNone, DeValue::Integer(number)) if number.as_str() == "0" => {
                self.check(number.as_str().to_owned(), base)
            }
            (Kind::Time | Kind::TimeOrNone, DeValue::Integer(_) | DeValue::Float(_)) => Err(
                format!("a number has no unit; {}, in quotes", self.expected()),
            ),
            (Kind::Choice(_), DeValue::Integer(number)) => {
                self.check(number.as_str().to_owned(), base)
            }
            (Kind::Variables | Kind::Secrets | Kind::Count(..), _) => Err(self.expected()),
            (_, DeValue::String(text)) => self.check(text.clone().into_owned(), base),
            _ => Err(format!("{}, in quotes", self.expected())),
        }
    }

    /// The text of a right value, anchored at `base` if it is about a file.
    fn check(&self, text: String, base: &Path) -> Result<String, String> {
        if text.contains('\0') {
            return Err(self.expected());
        }
        match self {
            Kind::Choice(words) => match words.contains(&text.as_str()) {
                true => Ok(text),
                false => Err(match closest(&text, words.iter().copied()) {
                    Some(word) => format!("{}; did you mean `{word}`?", self.expected()),
                    None => self.expected(),
                }),
            },
            Kind::Time => value::duration(&text).map(|_| text),
            Kind::TimeOrNone => value::time_or_none(&text).map(|_| text),
            Kind::Size(least, most) => match value::octets(&text)? {
                size if (least..=most).contains(&&size) => Ok(text),
                _ => Err(self.expected()),
            },
            Kind::Mode => value::mode(&text).map(|_| text),
            Kind::Path if text.is_empty() => Err(self.expected()),
            Kind::Path => Ok(anchored(&text, base)),
            Kind::Address => text.parse().map(|address| listening(address, base)),
            Kind::AdminAddress => {
                value::admin_address(&text).map(|address| listening(address, base))
            }
            Kind::Network => text.parse::<TrustedProxy>().map(|_| text),
            Kind::Dir => {
                let LentDir {
                    host,
                    guest,
                    read_only,
                } = value::dir(&text)?;
                let host = anchored(&host.to_string_lossy(), base);
                let end = if read_only { ":ro" } else { "" };
                Ok(format!("{host}:{guest}{end}"))
            }
            Kind::Host => text.parse::<Host>().map(|host| host.to_string()),
            Kind::Mount => value::mount(&text),
            Kind::Name => value::name(&text).map(|()| text),
            Kind::Collector => text.parse::<Collector>().map(|_| text),
            Kind::Ratio => value::ratio(&text).map(|_| text),
            Kind::Switch | Kind::Count(..) | Kind::Variables | Kind::Secrets => {
                Err(self.expected())
            }
        }
    }

    /// What a right value looks like.
    pub(super) fn expected(&self) -> String {
        match self {
            Kind::Switch => "expected true or false".into(),
            Kind::Choice(words) => format!("expected one of {}", words.join(", ")),
            Kind::Count(least, u64::MAX) => format!("expected a whole number, {least} or more"),
            Kind::Count(least, most) => format!("expected a whole number from {least} to {most}"),
            Kind::Time => "expected a time such as 50ms, 2s or 1m".into(),
            Kind::TimeOrNone => "expected a time such as 50ms, 2s or 1m, or 0".into(),
            Kind::Size(0, u64::MAX) => "expected a size such as 4096, 64KiB or 1.5GiB".into(),
            Kind::Size(least, u64::MAX) => format!("expected a size of {} or more", Octets(*least)),
            Kind::Size(least, most) => format!("expected a size from {} to {}", Octets(*least), Octets(*most)),
            Kind::Mode => "expected three digits from 0 to 7, as 660".into(),
            Kind::Path => "expected a path".into(),
            Kind::Address | Kind::AdminAddress => {
                "expected an address as 127.0.0.1:8000 or unix:/run/rhost.sock".into()
            }
            Kind::Network => "expected an address, a network as 10.0.0.0/8, or unix".into(),
            Kind::Dir => "expected HOST:GUEST or HOST:GUEST:ro, as ./data:/data:ro".into(),
            Kind::Host => "expected a name as shop.example or *.shop.example".into(),
            Kind::Mount => "expected a path that begins with /, as /blog".into(),
            Kind::Name => "expected a name, as shop-2".into(),
            Kind::Collector => "expected http://HOST:PORT, as http://127.0.0.1:4318".into(),
            Kind::Ratio => "expected a number from 0 to 1, as 0.1".into(),
            Kind::Variables => "expected a table, as { GREETING = \"hi\" }".into(),
            Kind::Secrets => {
                "expected a table, as { TOKEN = { file = \"token.txt\" } } or { TOKEN = { env = \"TOKEN\" } }"
                    .into()
            }
        }
    }
}

/// `path`, from `base` if it is relative.
pub(super) fn anchored(path: &str, base: &Path) -> String {
    base.join(path).to_string_lossy().into_owned()
}

fn listening(address: Address, base: &Path) -> String {
    match address {
        Address::Unix(path) => format!("unix:{}", base.join(path).display()),
        address => address.to_string(),
    }
}

/// What was most likely meant by `text`.
pub(super) fn closest<'a>(text: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    const NEAR: f64 = 0.6;
    // No longer name is near: to compare it takes as long as it is.
    const LONGEST: usize = 128;
    words
        .into_iter()
        .filter(|word| text.len().max(word.len()) <= LONGEST)
        .map(|word| (strsim::normalized_damerau_levenshtein(text, word), word))
        .filter(|(likeness, _)| *likeness >= NEAR)
        .max_by(|one, other| one.0.total_cmp(&other.0))
        .map(|(_, word)| word)
}
