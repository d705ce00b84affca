//! Pages, a form and a style sheet.

use askama::Template;
use rhost_sdk::prelude::*;
use serde::Deserialize;

app!(index, greet, style, not_found = lost);

/// templates/index.html, compiled with this crate; what it shows is escaped.
#[derive(Template)]
#[template(path = "index.html")]
struct Index<'a> {
    /// Where the site is mounted; empty at the root of its host.
    root: &'a str,
    name: Option<&'a str>,
    problem: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "not_found.html")]
struct NotFound<'a> {
    root: &'a str,
    path: &'a str,
}

#[derive(Deserialize)]
struct Visitor {
    name: String,
}

#[get("/")]
fn index(environ: &Environ) -> Result<Html<String>> {
    let page = Index {
        root: &environ.script_name,
        name: None,
        problem: None,
    };
    Ok(Html(page.render()?))
}

#[post("/")]
fn greet(environ: &Environ, Form(visitor): Form<Visitor>) -> Result<(Status, Html<String>)> {
    let name = visitor.name.trim();
    let (status, problem) = match name {
        "" => (
            Status::UNPROCESSABLE_CONTENT,
            Some("Please tell your name."),
        ),
        _ => (Status::OK, None),
    };
    let page = Index {
        root: &environ.script_name,
        name: Some(name).filter(|name| !name.is_empty()),
        problem,
    };
    Ok((status, Html(page.render()?)))
}

/// A file that is part of the component, so that nothing has to be lent.
#[get("/style.css")]
fn style() -> ([(&'static str, &'static str); 1], &'static str) {
    let fields = [("content-type", "text/css; charset=utf-8")];
    (fields, include_str!("../static/style.css"))
}

/// The page of every path that has no route.
fn lost(request: &Request) -> Result<Html<String>> {
    let page = NotFound {
        root: &request.environ().script_name,
        path: &String::from_utf8_lossy(request.path()),
    };
    Ok(Html(page.render()?))
}

#[cfg(test)]
mod tests;
