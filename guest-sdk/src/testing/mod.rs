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
    ($($function:ident $method:literal)*) => {$(
        #[doc = concat!("A ", $method, " request for a target, as `/users/7?page=1`.")]
        pub fn $function(app: &App, target: &str) -> TestRequest {
            request(app, $method, target)
        }
    )*};
}

methods! {
    get "GET"
    head "HEAD"
    post "POST"
    put "PUT"
    patch "PATCH"
    delete "DELETE"
    options "OPTIONS"
}

/// A request of any method. The target is as it would be sent: percent-encoded,
/// or `*`.
pub fn request(app: &App, method: &str, target: &str) -> TestRequest {
    TestRequest::new(*app, method, target)
}
