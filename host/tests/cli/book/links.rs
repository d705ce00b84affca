//! Links between pages lead to files and headings that are there.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use std::fs;
use std::path::Path;

/// What is wrong with the links of the page at `path`: those within the checkout.
pub fn broken(path: &Path) -> Vec<String> {
    let page = fs::read_to_string(path).unwrap();
    let links = Parser::new(&page).filter_map(|event| match event {
        Event::Start(Tag::Link { dest_url, .. }) => Some(dest_url.to_string()),
        _ => None,
    });
    let inside = links.filter(|link| !link.contains("://"));
    inside.filter(|link| !leads_somewhere(path, link)).collect()
}

fn leads_somewhere(from: &Path, link: &str) -> bool {
    let (file, heading) = link.split_once('#').unwrap_or((link, ""));
    let to = match file {
        "" => from.to_owned(),
        file => from.parent().unwrap().join(file),
    };
    if heading.is_empty() {
        return to.exists();
    }
    fs::read_to_string(to).is_ok_and(|page| anchors(&page).iter().any(|it| it == heading))
}

/// The anchors of a page's headings, as GitHub makes them: in lower case, hyphens
/// for blanks, and no punctuation.
fn anchors(page: &str) -> Vec<String> {
    let mut anchors = Vec::new();
    let mut heading: Option<String> = None;
    for event in Parser::new(page) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { .. }), _) => heading = Some(String::new()),
            (Event::Text(text) | Event::Code(text), Some(heading)) => {
                heading.extend(text.chars().filter_map(|letter| match letter {
                    ' ' => Some('-'),
                    '-' | '_' => Some(letter),
                    letter => letter.is_alphanumeric().then_some(letter),
                }));
            }
            (Event::End(TagEnd::Heading(_)), _) => anchors.extend(heading.take()),
            _ => {}
        }
    }
    anchors.iter().map(|anchor| anchor.to_lowercase()).collect()
}

#[test]
fn a_link_that_leads_nowhere_is_found() {
    let home = tempfile::tempdir().unwrap();
    let page = home.path().join("a.md");
    fs::write(
        &page,
        "# On `rhost`, again\n[1](#on-rhost-again) [2](a.md) [3](b.md) [4](a.md#off) [5](https://x.test/)",
    )
    .unwrap();
    assert_eq!(broken(&page), ["b.md", "a.md#off"]);
}
