//! The frame of a developer's page.

use html_escape::encode_text;
use std::fmt::Write;

/// A page with a title, what happened in a line, and a note below it.
pub fn begin(title: &str, what: &str, note: &str) -> String {
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n\
         <style>{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n<p class=\"what\">{}</p>\n\
         <p class=\"note\">{} This page is for development: nobody but this machine sees it.</p>\n",
        encode_text(what),
        encode_text(note),
    )
}

/// Adds a section with `text`, unless that is empty.
pub fn section(page: &mut String, heading: &str, text: &str) {
    if !text.is_empty() {
        let _ = writeln!(
            page,
            "<h2>{heading}</h2>\n<pre>{}</pre>",
            encode_text(text.trim_end())
        );
    }
}

/// The page, whole.
pub fn end(mut page: String) -> String {
    page.push_str("</body>\n</html>\n");
    page
}

const STYLE: &str = "\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #1c2127; background: #fff }\n\
h1 { font-size: 1.4em; margin: 0 } h2 { font-size: 1em; margin: 1.6em 0 .4em }\n\
.what { font-size: 1.15em; margin: .4em 0; color: #a3262a; overflow-wrap: anywhere }\n\
.note { color: #5f6b7c; margin: 0; font-size: .9em }\n\
pre { background: #f4f5f7; border: 1px solid #dce0e5; border-radius: 4px; padding: .8em 1em; margin: 0; overflow-x: auto; font-size: .85em }\n\
pre.terminal { background: #1c2127; color: #e5e8eb; margin-top: 1.2em; --bright-blue: #8ab4ff; --bright-red: #ff8080 }\n\
mark { display: block; background: #fbdad9; color: inherit }\n\
@media (prefers-color-scheme: dark) { body { color: #e5e8eb; background: #1c2127 } .what { color: #fa999c } .note { color: #abb3bf } pre, pre.terminal { background: #252a31; border-color: #383e47 } mark { background: #5c2626 } }";
