//! The page in place of an app whose last change does not build.

use super::page;

/// The page; `said` is what the compiler said, in a terminal's colours.
pub fn page(said: &str) -> String {
    let mut page = page::begin(
        "The app does not build",
        "The compiler has found an error. Mend it, and this page gives way to the app.",
        "Other requests than a browser's for a page are still answered by the last version that was built, if any.",
    );
    let html = ansi_to_html::convert(said.trim_end())
        .unwrap_or_else(|_| html_escape::encode_text(said).into_owned());
    page.push_str(&format!("<pre class=\"terminal\">{html}</pre>\n"));
    page::end(page)
}

#[cfg(test)]
mod tests {
    #[test]
    fn colours_stay_and_markup_does_not() {
        let page = super::page("\x1b[31merror\x1b[0m: expected `Vec<u8>`");
        assert!(
            page.contains("error</span>: expected `Vec&lt;u8&gt;`"),
            "{page}"
        );
        assert!(!page.contains('\x1b'));
    }
}
