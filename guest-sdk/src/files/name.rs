//! Names of files as clients write them.

/// The most octets of a name, and of one segment of it: what file systems take.
const MOST: usize = 4096;
const MOST_OF_A_SEGMENT: usize = 255;

/// Whether a name can only be that of a file below the directory: segments
/// between slashes, none of them empty, and none that begins with a dot. That
/// leaves out `.` and `..`, and also `.git` and `.env`.
pub(super) fn is_below(name: &str) -> bool {
    name.len() <= MOST
        && !name.contains(['\\', '\0'])
        // A drive or a stream, where the application's own tests run on such a
        // system.
        && !(cfg!(windows) && name.contains(':'))
        && name.split('/').all(|segment| {
            !segment.is_empty() && !segment.starts_with('.') && segment.len() <= MOST_OF_A_SEGMENT
        })
}

#[cfg(test)]
mod tests {
    use super::is_below;

    #[test]
    fn no_name_leads_out() {
        for name in ["a", "a.b", "a/b/c.d", "a..b", "a b", "é", "~", "%2e%2e"] {
            assert!(is_below(name), "{name}");
        }
        let long = "a".repeat(256);
        let deep = "a/".repeat(2048) + "a";
        for name in [
            "",
            "/",
            "/a",
            "a/",
            "a//b",
            ".",
            "..",
            "../a",
            "a/../b",
            "a/..",
            "a/./b",
            ".env",
            "a/.git/config",
            "...",
            "a\\b",
            "..\\a",
            "C:\\a",
            "a\0",
            "\0",
            &long,
            &deep,
        ] {
            assert!(!is_below(name), "{name}");
        }
    }
}
