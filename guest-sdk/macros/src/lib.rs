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
    ($($(#[$doc:meta])* $name:ident $variant:literal)*) => {$(
        $(#[$doc])*
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
    /// Answers GET at a path, and HEAD unless the site has a `#[head]` there (RFC 9110,
    /// section 9.3.1).
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// #[get("/users/{id}")]
    /// fn show(id: u32) -> String {
    ///     format!("user {id}\n")
    /// }
    ///
    /// app!(show);
    ///
    /// let get = |target| rhost_sdk::testing::get(&APP, target).send();
    /// assert_eq!(get("/users/7").text(), "user 7\n");
    /// assert_eq!(get("/users/ada").status(), 404);
    /// ```
    get "Get"
    /// Answers POST at a path (RFC 9110, section 9.3.3).
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// #[post("/notes")]
    /// fn create(text: String) -> Result<Redirect, Rejection> {
    ///     match text.is_empty() {
    ///         true => Err(Rejection::new(Status::BAD_REQUEST, "A note has a text")),
    ///         false => Ok(Redirect::see_other("/notes/1")),
    ///     }
    /// }
    ///
    /// app!(create);
    ///
    /// let post = |text| rhost_sdk::testing::post(&APP, "/notes").body(text).send();
    /// assert_eq!(post("milk").header("location"), Some("/notes/1"));
    /// assert_eq!(post("").status(), 400);
    /// ```
    post "Post"
    /// Answers PUT at a path (RFC 9110, section 9.3.4).
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// #[put("/files/{name}")]
    /// fn store(name: &str, body: Vec<u8>) -> (Status, String) {
    ///     (Status::CREATED, format!("{name}: {} octets\n", body.len()))
    /// }
    ///
    /// app!(store);
    ///
    /// let answer = rhost_sdk::testing::put(&APP, "/files/a.txt").body("milk").send();
    /// assert_eq!(answer.status(), 201);
    /// assert_eq!(answer.text(), "a.txt: 4 octets\n");
    /// ```
    put "Put"
    /// Answers PATCH at a path (RFC 5789).
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// #[patch("/lamps/{id}")]
    /// fn switch(id: u8, state: String) -> String {
    ///     format!("lamp {id} is {state}\n")
    /// }
    ///
    /// app!(switch);
    ///
    /// let answer = rhost_sdk::testing::patch(&APP, "/lamps/3").body("on").send();
    /// assert_eq!(answer.text(), "lamp 3 is on\n");
    /// ```
    patch "Patch"
    /// Answers DELETE at a path (RFC 9110, section 9.3.5).
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// /// 204, or 404 where there is no such note.
    /// #[delete("/notes/{id}")]
    /// fn remove(id: usize) -> Option<()> {
    ///     (id < 3).then_some(())
    /// }
    ///
    /// app!(remove);
    ///
    /// let delete = |target| rhost_sdk::testing::delete(&APP, target).send().status();
    /// assert_eq!(delete("/notes/2"), 204);
    /// assert_eq!(delete("/notes/3"), 404);
    /// ```
    delete "Delete"
    /// Answers HEAD at a path, in place of the route for GET (RFC 9110, section 9.3.2).
    ///
    /// It is for what is cheaper to describe than to make:
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// #[get("/report")]
    /// fn report() -> String {
    ///     "a line\n".repeat(1000)
    /// }
    ///
    /// #[head("/report")]
    /// fn length() -> ([(&'static str, u64); 1], ()) {
    ///     ([("content-length", 7000)], ())
    /// }
    ///
    /// app!(report, length);
    ///
    /// let answer = rhost_sdk::testing::head(&APP, "/report").send();
    /// assert_eq!(answer.header("content-length"), Some("7000"));
    /// ```
    head "Head"
    /// Answers OPTIONS at a path, in place of the answer that the site gives by itself
    /// (RFC 9110, section 9.3.7).
    ///
    /// ```
    /// use rhost_sdk::prelude::*;
    ///
    /// #[get("/prices")]
    /// fn prices() -> &'static str {
    ///     "7\n"
    /// }
    ///
    /// /// Lets pages of other sites ask (the CORS protocol of the Fetch standard).
    /// #[options("/prices")]
    /// fn preflight() -> (Status, [(&'static str, &'static str); 2], ()) {
    ///     let fields = [
    ///         ("access-control-allow-origin", "*"),
    ///         ("access-control-allow-methods", "GET"),
    ///     ];
    ///     (Status::NO_CONTENT, fields, ())
    /// }
    ///
    /// app!(prices, preflight);
    ///
    /// let answer = rhost_sdk::testing::options(&APP, "/prices").send();
    /// assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    /// ```
    options "Options"
}

/// Answers several methods at a path: `#[route("/note", methods = [GET, POST])]`.
///
/// The arguments are the path's pattern, a literal, and the methods: GET (which
/// answers HEAD as well), HEAD, POST, PUT, PATCH, DELETE, OPTIONS. An argument
/// `Method` tells which one a request has. See `rhost_sdk::routing`.
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[route("/note", methods = [GET, DELETE])]
/// fn note(method: Method) -> &'static str {
///     match method {
///         Method::Delete => "gone\n",
///         _ => "milk\n",
///     }
/// }
///
/// app!(note);
///
/// let answer = rhost_sdk::testing::delete(&APP, "/note").send();
/// assert_eq!(answer.text(), "gone\n");
/// let answer = rhost_sdk::testing::put(&APP, "/note").send();
/// assert_eq!(answer.header("allow"), Some("GET, HEAD, DELETE, OPTIONS"));
/// ```
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
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// mod users {
///     use rhost_sdk::prelude::*;
///
///     #[get("/{id}")]
///     pub fn show(id: u32) -> String {
///         format!("user {id}\n")
///     }
/// }
///
/// #[get("/")]
/// fn index() -> &'static str {
///     "Hello, world!\n"
/// }
///
/// fn nothing(_: &Request) -> Html<&'static str> {
///     Html("<h1>Nothing here</h1>")
/// }
///
/// app!(index, "/users" => [users::show], not_found = nothing);
///
/// let get = |target| rhost_sdk::testing::get(&APP, target).send();
/// assert_eq!(get("/users/7").text(), "user 7\n");
/// assert_eq!(get("/absent").text(), "<h1>Nothing here</h1>");
/// ```
#[proc_macro]
pub fn app(routes: TokenStream) -> TokenStream {
    table::expand(routes.into()).into()
}
