//! A notebook for each name: forms and JSON over the same routes, a session, and
//! notes as files in a lent directory.
//!
//! # Layout
//!
//! Before the routes, `lent` looks for the directory and the key, `origin`
//! refuses what other sites' pages send, and `user` asks for a name. `front`,
//! `notes` and `attachments` are the routes. What they are sent is a `sent`
//! form or document with `fields`; what they answer is in a `media` type, one of
//! the `pages`, or one of the site's own `errors`. `visits` and the
//! `notebook` are what stays: files. Each revision of a `note` is `publish`ed whole.

mod attachments;
mod errors;
mod fields;
mod front;
mod lent;
mod media;
mod note;
mod notebook;
mod notes;
mod origin;
mod pages;
mod publish;
mod sent;
mod user;
mod visits;

use rhost_sdk::prelude::*;

app!(
    front::show,
    front::sign_in,
    front::sign_out,
    front::sign_out_by_form,
    notes::list,
    notes::compose,
    notes::create,
    notes::show,
    notes::edit,
    notes::replace,
    notes::replace_by_form,
    notes::delete,
    notes::delete_by_form,
    attachments::attach,
    attachments::download,
    before = [lent::complete, origin::own, user::known],
    after = [careful],
    not_found = errors::not_found,
    method_not_allowed = errors::method_not_allowed,
    internal_error = errors::internal_error,
);

/// The fields of every answer. A page is one user's, in one of two types, and is
/// asked for again before it is shown again.
fn careful(_: &Request, response: Response) -> Response {
    let response = response.with_headers([
        (
            "content-security-policy",
            "frame-ancestors 'none'; form-action 'self'; base-uri 'none'",
        ),
        ("referrer-policy", "same-origin"),
        ("vary", "accept, cookie"),
        ("x-content-type-options", "nosniff"),
    ]);
    let is_said = response.headers().any(|(name, _)| name == "cache-control");
    match is_said {
        true => response,
        false => response.header("cache-control", "private, no-cache"),
    }
}

#[cfg(test)]
mod tests {
    use super::APP;
    use rhost_sdk::testing;

    // What needs the directory is tested with the host, which lends one.
    #[test]
    fn without_a_host_it_says_what_is_missing() {
        for path in ["/", "/notes", "/nowhere"] {
            let answer = testing::get(&APP, path).send();
            assert_eq!(answer.status(), 503, "{path}");
            assert!(answer.text().contains("--env SECRET_KEY="), "{path}");
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
            assert_eq!(answer.header("vary"), Some("accept, cookie"));
        }
        let answer = testing::post(&APP, "/notes")
            .header("content-type", "application/json")
            .body("{}")
            .send();
        let kind = answer.header("content-type");
        assert_eq!(kind, Some("application/problem+json"));
    }
}
