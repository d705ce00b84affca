//! What is mounted below one host.

use percent_encoding::percent_decode_str;
use smallvec::SmallVec;
use std::collections::HashMap;

/// Octets of a path that are decoded without memory of their own; mounts are shorter.
const USUAL: usize = 128;

/// Things by their mounts.
#[derive(Debug, Clone)]
pub struct Mounts<T> {
    /// That of the empty mount, which has what no other one has.
    root: Option<T>,
    below: HashMap<Box<[u8]>, T>,
    /// Octets of the longest mount.
    longest: usize,
    /// Segments of the deepest one. No more prefixes of a path are looked up, however
    /// many slashes it has.
    deepest: usize,
}

impl<T> Default for Mounts<T> {
    fn default() -> Self {
        Mounts {
            root: None,
            below: HashMap::new(),
            longest: 0,
            deepest: 0,
        }
    }
}

impl<T> Mounts<T> {
    /// Mounts `what` at `mount`: empty, or `/x` without a slash at the end. Returns
    /// what was there.
    pub fn insert(&mut self, mount: &str, what: T) -> Option<T> {
        if mount.is_empty() {
            return self.root.replace(what);
        }
        self.longest = self.longest.max(mount.len());
        let segments = mount.bytes().filter(|&octet| octet == b'/').count();
        self.deepest = self.deepest.max(segments);
        self.below.insert(mount.as_bytes().into(), what)
    }

    /// Mounts `what` at `mount`, if nothing is there.
    pub fn insert_new(&mut self, mount: &str, what: T) {
        let is_free = match mount {
            "" => self.root.is_none(),
            mount => !self.below.contains_key(mount.as_bytes()),
        };
        if is_free {
            self.insert(mount, what);
        }
    }

    /// All of them.
    pub fn all(&self) -> impl Iterator<Item = &T> {
        self.root.iter().chain(self.below.values())
    }

    /// What has the longest mount that `path`, percent-encoded as in a request, lies
    /// below. A mount ends where a segment of the decoded path does.
    pub fn find(&self, path: &str) -> Option<&T> {
        if self.below.is_empty() {
            return self.root.as_ref();
        }
        let head = Head::of(path, self.longest + 1);
        let head = head.octets();
        // The end of the last segment that a mount could have.
        let mut end = 0;
        for _ in 0..self.deepest {
            let Some(rest) = head.get(end + 1..) else {
                break;
            };
            end = match rest.iter().position(|&octet| octet == b'/') {
                Some(slash) => end + 1 + slash,
                None => head.len(),
            };
        }
        while end > 0 {
            if let Some(found) = self.below.get(&head[..end]) {
                return Some(found);
            }
            end = head[..end].iter().rposition(|&octet| octet == b'/')?;
        }
        self.root.as_ref()
    }
}

/// The first octets of a path, decoded.
enum Head<'a> {
    AsSent(&'a [u8]),
    Decoded(SmallVec<[u8; USUAL]>),
}

impl<'a> Head<'a> {
    fn of(path: &'a str, most: usize) -> Self {
        let octets = path.as_bytes();
        let octets = &octets[..octets.len().min(most)];
        match memchr::memchr(b'%', octets) {
            None => Head::AsSent(octets),
            Some(_) => Head::Decoded(percent_decode_str(path).take(most).collect()),
        }
    }

    fn octets(&self) -> &[u8] {
        match self {
            Head::AsSent(octets) => octets,
            Head::Decoded(octets) => octets,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environ::MountedPath;

    const MOUNTS: [&str; 5] = ["/a", "/a/b", "/a/b/c", "/ab", "/\u{e9}"];

    fn mounts(root: bool) -> Mounts<&'static str> {
        let mut mounts = Mounts::default();
        for mount in MOUNTS {
            mounts.insert(mount, mount);
        }
        if root {
            mounts.insert("", "");
        }
        mounts
    }

    /// As it is defined: of all mounts that the environ would split the path at, the
    /// longest.
    fn defined(path: &str, root: bool) -> Option<&'static str> {
        let uri: http::Uri = path.parse().unwrap();
        let all = MOUNTS.into_iter().chain(root.then_some(""));
        all.filter(|mount| MountedPath::split(&uri, mount).is_some())
            .max_by_key(|mount| mount.len())
    }

    #[test]
    fn it_is_the_longest_at_which_the_environ_splits() {
        let parts = [
            "/a", "/b", "/", "b", "/c", "%2Fa", "%61", "/%C3%A9", "%", "%2", "*",
        ];
        let mut paths = vec![String::new()];
        for _ in 0..5 {
            paths = paths
                .iter()
                .flat_map(|path| parts.iter().map(move |part| format!("{path}{part}")))
                .chain(paths.clone())
                .collect();
            paths.sort();
            paths.dedup();
        }
        let mut found = 0;
        for root in [false, true] {
            let mounts = mounts(root);
            for path in &paths {
                if path.parse::<http::Uri>().is_err() || !path.starts_with('/') {
                    continue;
                }
                assert_eq!(mounts.find(path).copied(), defined(path, root), "{path}");
                found += 1;
            }
        }
        assert!(found > 10_000, "{found}");
    }

    #[test]
    fn a_path_of_slashes_is_looked_up_no_deeper_than_mounts_are() {
        let mounts = mounts(false);
        assert_eq!(mounts.find(&"/".repeat(8000)), None);
        assert_eq!(
            mounts.find(&format!("/a/b{}", "/".repeat(8000))),
            Some(&"/a/b")
        );
    }

    #[test]
    fn who_mounts_second_learns_of_the_first() {
        let mut mounts = mounts(true);
        assert_eq!(mounts.insert("/a", "new"), Some("/a"));
        assert_eq!(mounts.insert("", "new"), Some(""));
        assert_eq!(mounts.insert("/new", "new"), None);
    }
}
