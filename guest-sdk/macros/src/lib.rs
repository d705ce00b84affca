//! The macros of `rhost-sdk`, which exports and documents them: the route
//! attributes and `app!`.
//!
//! # Layout
//!
//! `pattern` and `methods` read what stands in the attribute, `route` writes what stands
//! beside the function, with its `arguments` and the `steps` of its pattern, `site` and `hooks` read what stands in `app!`, `table`
//! writes its table. Whatever can be wrong is said here, on the literal or the name that is wrong; what only the
//! whole site shows (two equal routes) is left to constants that rustc
//! evaluates.

mod arguments;
mod hooks;
mod methods;
mod pattern;
mod route;
mod site;
mod steps;
mod table;

use proc_macro::TokenStream;

macro_rules! attributes {
    ($($name:ident $variant:literal $summary:literal)*) => {$(
        #[doc = $summary]
        ///
        /// The only argument is the path's pattern, a literal. See
        /// `rhost_sdk::routing`.
        #[proc_macro_attribute]
        pub fn $name(pattern: TokenStream, item: TokenStream) -> TokenStream {
            route::expand($variant, pattern.into(), item.into()).into()
        }
    )*};
}

attributes! {
    get "Get" "Answers GET at a path, and HEAD unless the site has a `#[head]` there (RFC 9110, section 9.3.1)."
    post "Post" "Answers POST at a path (RFC 9110, section 9.3.3)."
    put "Put" "Answers PUT at a path (RFC 9110, section 9.3.4)."
    patch "Patch" "Answers PATCH at a path (RFC 5789)."
    delete "Delete" "Answers DELETE at a path (RFC 9110, section 9.3.5)."
    head "Head" "Answers HEAD at a path, in place of the route for GET (RFC 9110, section 9.3.2)."
    options "Options" "Answers OPTIONS at a path, in place of the answer that the site gives by itself (RFC 9110, section 9.3.7)."
}

/// Answers several methods at a path: `#[route("/note", methods = [GET, POST])]`.
///
/// The arguments are the path's pattern, a literal, and the methods: GET (which
/// answers HEAD as well), HEAD, POST, PUT, PATCH, DELETE, OPTIONS. An argument
/// `Method` tells which one a request has. See `rhost_sdk::routing`.
#[proc_macro_attribute]
pub fn route(arguments: TokenStream, item: TokenStream) -> TokenStream {
    route::expand_listed(arguments.into(), item.into()).into()
}

/// Lists the routes of a site and makes the crate an application.
///
/// `app!(index, users::show)` takes the paths of functions that carry a route
/// attribute. `"/admin" => [admin::index, admin::users]` puts a prefix before the
/// patterns of a list, which may have prefixes in it again.
///
/// Beside the routes there can be functions that run around them, see
/// `rhost_sdk::Hooks`:
///
/// - `before = [f, ...]`, `fn(&Request) -> impl Outcome`;
/// - `after = [f, ...]`, `fn(&Request, Response) -> impl Responder`;
/// - `not_found = f` and `method_not_allowed = f`,
///   `fn(&Request) -> impl Responder`;
/// - `internal_error = f`, `fn(&Request, &str) -> impl Responder`.
///
/// It defines `pub static APP: rhost_sdk::App`; on wasm it also exports the gateway's `handle`. See `rhost_sdk::routing`.
#[proc_macro]
pub fn app(routes: TokenStream) -> TokenStream {
    table::expand(routes.into()).into()
}
