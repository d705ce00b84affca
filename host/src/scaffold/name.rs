//! What a crate can be called.

/// Words of the language (The Rust Reference, "Keywords"), those that are
/// reserved among them. A crate's name is an identifier.
const KEYWORDS: &[&str] = &[
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

/// Crates that come with the toolchain; one of the same name hides them.
const TOOLCHAIN: &[&str] = &["alloc", "core", "proc_macro", "std", "test"];

/// Why a name is none for a crate. The last words are one that would do.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be the name of a crate: {reason}; choose another, as {instead}")]
pub struct NameError {
    name: String,
    reason: &'static str,
    instead: String,
}

/// Checks `name`, which must not be one of its dependencies, `taken`, either.
pub(super) fn check(name: &str, taken: &[String]) -> Result<(), NameError> {
    let identifier = name.replace('-', "_");
    let is = |other: &str| other.replace('-', "_") == identifier;
    let reason = if name.is_empty() {
        "it is empty"
    } else if name.starts_with(|first: char| first.is_ascii_digit()) {
        "it begins with a digit"
    } else if !name.bytes().all(is_usual) {
        "it has other letters than a-z, 0-9, - and _"
    } else if !name.bytes().any(|octet| octet.is_ascii_lowercase()) {
        "it has no letter"
    } else if KEYWORDS.contains(&&*identifier) {
        "it is a word of the Rust language"
    } else if TOOLCHAIN.contains(&&*identifier) {
        "a crate of that name comes with Rust"
    } else if taken.iter().any(|other| is(other)) {
        "it depends on a crate of that name"
    } else {
        return Ok(());
    };
    Err(NameError {
        name: name.to_owned(),
        reason,
        instead: suggestion(name),
    })
}

fn is_usual(octet: u8) -> bool {
    octet.is_ascii_lowercase() || octet.is_ascii_digit() || matches!(octet, b'-' | b'_')
}

/// A name that is allowed, and as near as can be.
fn suggestion(name: &str) -> String {
    let usual: String = name
        .to_lowercase()
        .chars()
        .map(|letter| match u8::try_from(letter) {
            Ok(octet) if is_usual(octet) => letter,
            _ => '-',
        })
        .collect();
    match usual.trim_matches(['-', '_']) {
        "" => "my-app".to_owned(),
        plain if plain != name && check(plain, &[]).is_ok() => plain.to_owned(),
        plain => format!("my-{plain}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_names_pass() {
        for name in ["shop", "my-app", "a1", "_x", "web_2"] {
            assert_eq!(check(name, &["serde".into()]), Ok(()), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_and_what_would_be_right() {
        let taken = ["rhost-sdk".to_owned()];
        for (name, reason, instead) in [
            ("", "empty", "my-app"),
            ("7up", "digit", "my-7up"),
            ("Shop", "letters", "shop"),
            ("caf\u{e9} bar", "letters", "caf--bar"),
            ("..", "letters", "my-app"),
            ("-", "no letter", "my-app"),
            ("fn", "Rust language", "my-fn"),
            ("Gen", "letters", "my-gen"),
            ("test", "comes with Rust", "my-test"),
            ("proc-macro", "comes with Rust", "my-proc-macro"),
            ("rhost_sdk", "depends on", "my-rhost_sdk"),
        ] {
            let error = check(name, &taken).unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
            assert!(error.ends_with(&format!("as {instead}")), "{error}");
            assert_eq!(check(instead, &taken), Ok(()), "{instead}");
        }
    }
}
