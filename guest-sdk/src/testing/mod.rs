//! Requests from a test, natively: no server and no wasm.
//!
//! They take the path that a request takes in a component, from the
//! environment to the last block. The server's part is played as the gateway
//! has it: the path is decoded, and fields are checked.
//!
//! ```
//! use rhost_sdk::prelude::*;
//! use rhost_sdk::testing;
//!
//! #[put("/notes/{id}")]
//! fn replace(id: u32, text: String) -> (Status, [(&'static str, String); 1], ()) {
//!     let _ = text;
//!     (Status::CREATED, [("location", format!("/notes/{id}"))], ())
//! }
//!
//! app!(replace);
//!
//! let answer = testing::put(&APP, "/notes/7").body("milk").send();
//! assert_eq!(answer.status(), 201);
//! assert_eq!(answer.header("location"), Some("/notes/7"));
//!
//! let answer = testing::get(&APP, "/notes/7").send();
//! assert_eq!(answer.status(), 405);
//! assert_eq!(answer.header("allow"), Some("PUT, OPTIONS"));
//! ```

mod answer;
mod request;
mod server;

use crate::app::App;

pub use answer::Answer;
pub use request::TestRequest;

macro_rules! methods {
    ($($(#[$doc:meta])* $function:ident $method:literal)*) => {$(
        $(#[$doc])*
        pub fn $function(app: &App, target: &str) -> TestRequest {
            request(app, $method, target)
        }
    )*};
}

methods! {
    /// A GET request for a target, as `/users/7?page=1`.
    ///
    /// ```
    /// # use rhost_sdk::{prelude::*, testing};
    /// #[get("/search")]
    /// fn search(request: &Request) -> String {
    ///     format!("looking for {}", request.query())
    /// }
    ///
    /// app!(search);
    ///
    /// let answer = testing::get(&APP, "/search?q=milk").send();
    /// assert_eq!(answer.text(), "looking for q=milk");
    /// ```
    get "GET"
    /// A HEAD request for a target, as `/users/7?page=1`.
    ///
    /// ```
    /// # use rhost_sdk::{prelude::*, testing};
    /// #[get("/")]
    /// fn index() -> &'static str {
    ///     "Hello, world!\n"
    /// }
    ///
    /// app!(index);
    ///
    /// let answer = testing::head(&APP, "/").send();
    /// assert_eq!(answer.status(), 200);
    /// assert!(answer.body().is_empty());
    /// ```
    head "HEAD"
    /// A POST request for a target, as `/users/7?page=1`.
    ///
    /// ```
    /// # use rhost_sdk::{prelude::*, testing};
    /// #[post("/shout")]
    /// fn shout(text: String) -> String {
    ///     text.to_uppercase()
    /// }
    ///
    /// app!(shout);
    ///
    /// let answer = testing::post(&APP, "/shout").body("milk").send();
    /// assert_eq!(answer.text(), "MILK");
    /// ```
    post "POST"
    /// A PUT request for a target, as `/users/7?page=1`.
    ///
    /// ```
    /// # use rhost_sdk::{prelude::*, testing};
    /// #[put("/notes/{id}")]
    /// fn replace(id: u32, text: String) -> String {
    ///     format!("{id}: {text}")
    /// }
    ///
    /// app!(replace);
    ///
    /// let answer = testing::put(&APP, "/notes/7").body("milk").send();
    /// assert_eq!(answer.text(), "7: milk");
    /// ```
    put "PUT"
    /// A PATCH request for a target, as `/users/7?page=1`.
    ///
    /// ```
    /// # use rhost_sdk::{prelude::*, testing};
    /// #[patch("/notes/{id}")]
    /// fn append(id: u32, mut body: Body) -> Result<String> {
    ///     Ok(format!("{id}: {} octets", body.read_to_vec(100)?.len()))
    /// }
    ///
    /// app!(append);
    ///
    /// // Octet by octet, as a slow client would send it.
    /// let answer = testing::patch(&APP, "/notes/7").blocks(["m", "i", "l", "k"]).send();
    /// assert_eq!(answer.text(), "7: 4 octets");
    /// ```
    patch "PATCH"
    /// A DELETE request for a target, as `/users/7?page=1`.
    ///
    /// ```
    /// # use rhost_sdk::{prelude::*, testing};
    /// #[delete("/notes/{id}")]
    /// fn remove(id: u32, headers: &Headers) -> Status {
    ///     match headers.get("if-match") {
    ///         Some(_) => Status::NO_CONTENT,
    ///         None => Status::PRECONDITION_REQUIRED,
    ///     }
    /// }
    ///
    /// app!(remove);
    ///
    /// let request = testing::delete(&APP, "/notes/7");
    /// assert_eq!(request.clone().send().status(), 428);
    /// assert_eq!(request.header("If-Match", "\"a\"").send().status(), 204);
    /// ```
    delete "DELETE"
    /// An OPTIONS request for a target, as `/users/7?page=1`.
    ///
    /// ```
    /// # use rhost_sdk::{prelude::*, testing};
    /// #[put("/notes/{id}")]
    /// fn replace(id: u32) -> String {
    ///     id.to_string()
    /// }
    ///
    /// app!(replace);
    ///
    /// let answer = testing::options(&APP, "/notes/7").send();
    /// assert_eq!(answer.header("allow"), Some("PUT, OPTIONS"));
    /// ```
    options "OPTIONS"
}

/// A request of any method. The target is as it would be sent: percent-encoded,
/// or `*`.
///
/// ```
/// # use rhost_sdk::{prelude::*, testing};
/// #[get("/")]
/// fn index() -> &'static str {
///     "Hello, world!\n"
/// }
///
/// app!(index);
///
/// let answer = testing::request(&APP, "OPTIONS", "*").send();
/// assert_eq!(answer.header("allow"), Some("GET, HEAD, OPTIONS"));
/// // A method that no route can have.
/// assert_eq!(testing::request(&APP, "BREW", "/").send().status(), 405);
/// ```
pub fn request(app: &App, method: &str, target: &str) -> TestRequest {
    TestRequest::new(*app, method, target)
}
