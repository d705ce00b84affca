//! Things by their hosts.

use super::Host;
use super::host::{Room, normal};
use std::collections::HashMap;

/// Things by the hosts that they are for.
#[derive(Debug, Clone)]
pub struct Table<T> {
    exact: HashMap<Box<str>, T>,
    /// By what follows `*.`.
    wildcards: HashMap<Box<str>, T>,
    /// For every other host, and for who names none.
    rest: Option<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Table {
            exact: HashMap::new(),
            wildcards: HashMap::new(),
            rest: None,
        }
    }
}

impl<T> Table<T> {
    /// What is for `host`, made if it is not there; for every host that nothing else
    /// is for if there is none.
    pub fn entry(&mut self, host: Option<&Host>, make: impl FnOnce() -> T) -> &mut T {
        let Some(host) = host else {
            return self.rest.get_or_insert_with(make);
        };
        let hosts = match host.is_wildcard() {
            true => &mut self.wildcards,
            false => &mut self.exact,
        };
        hosts.entry(host.name().into()).or_insert_with(make)
    }

    /// What is for `host` as it was asked for: in whatever case, with a dot at its end
    /// or without one. A name itself comes before all wildcards, and of them the
    /// longest first.
    pub fn find(&self, host: &str) -> Option<&T> {
        let mut room = Room::new();
        let Some(host) = normal(host, &mut room) else {
            return self.rest.as_ref();
        };
        if let Some(found) = self.exact.get(host) {
            return Some(found);
        }
        if !self.wildcards.is_empty() {
            let mut rest = host;
            while let Some((_, below)) = rest.split_once('.') {
                if let Some(found) = self.wildcards.get(below) {
                    return Some(found);
                }
                rest = below;
            }
        }
        self.rest.as_ref()
    }

    /// What is for `host`, or would be if nothing is for it itself: for all below a name that
    /// is what is for all below it, or below one above it.
    pub fn falls_to(&self, host: &Host) -> Option<&T> {
        if !host.is_wildcard() {
            return self.find(host.name());
        }
        let mut names = std::iter::once(host.name()).chain(host.above());
        let wildcard = names.find_map(|name| self.wildcards.get(name));
        wildcard.or(self.rest.as_ref())
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        let named = self.exact.values().chain(self.wildcards.values());
        named.chain(&self.rest)
    }

    /// What is for who names no host.
    pub fn rest(&self) -> Option<&T> {
        self.rest.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(hosts: &[&'static str]) -> Table<&'static str> {
        let mut table = Table::default();
        for host in hosts {
            let parsed: Option<Host> = (*host != "rest").then(|| host.parse().unwrap());
            table.entry(parsed.as_ref(), || *host);
        }
        table
    }

    #[test]
    fn a_host_falls_to_what_is_above_it() {
        let table = table(&["a.test", "*.test", "*.a.test", "rest"]);
        for (host, found) in [
            ("a.test", "a.test"),
            ("b.test", "*.test"),
            ("b.example", "rest"),
            ("*.a.test", "*.a.test"),
            ("*.b.a.test", "*.a.test"),
            ("*.b.test", "*.test"),
            ("*.example", "rest"),
        ] {
            let host = host.parse().unwrap();
            assert_eq!(table.falls_to(&host), Some(&found), "{host}");
        }
    }

    #[test]
    fn exact_then_the_longest_wildcard_then_the_rest() {
        let hosts = ["a.test", "*.test", "*.a.test", "[::1]", "192.0.2.1"];
        let without_rest = table(&hosts);
        let with_rest = table(&[&hosts[..], &["rest"]].concat());
        for (asked, found) in [
            ("a.test", Some("a.test")),
            ("A.TEST", Some("a.test")),
            ("a.test.", Some("a.test")),
            ("b.a.test", Some("*.a.test")),
            ("c.b.A.test.", Some("*.a.test")),
            ("b.test", Some("*.test")),
            ("[0:0:0:0:0:0:0:1]", Some("[::1]")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("test", None),
            (".test", Some("*.test")),
            ("a.test..", None),
            ("", None),
            ("a.tests", None),
            ("[::2]", None),
            ("xa.test.evil", None),
        ] {
            assert_eq!(without_rest.find(asked).copied(), found, "{asked}");
            let found = found.or(Some("rest"));
            assert_eq!(with_rest.find(asked).copied(), found, "{asked}");
        }
        assert_eq!(
            (without_rest.rest(), with_rest.rest()),
            (None, Some(&"rest"))
        );
    }

    #[test]
    fn fifty_thousand_hosts_are_told_apart() {
        let mut table = Table::default();
        for number in 0..50_000 {
            let host: Host = format!("app-{number}.test").parse().unwrap();
            *table.entry(Some(&host), || 0) = number;
        }
        for number in [0, 1, 4711, 49_999] {
            assert_eq!(table.find(&format!("APP-{number}.test")), Some(&number));
        }
        assert_eq!(table.find("app-50000.test"), None);
    }
}
