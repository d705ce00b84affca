//! [`Outcome`]: whether a hook before the routes answers the request.

use crate::respond::{Responder, Response};

/// What a hook before the routes can return: whether it answers itself.
///
/// | value | what happens |
/// |---|---|
/// | `()` | the request goes on |
/// | `Option<R>` | `R` answers; with `None` the request goes on |
/// | `Result<O, E>` | as `O`, or `E` answers |
///
/// ```
/// use rhost_sdk::prelude::*;
///
/// #[get("/new")]
/// fn new() -> &'static str {
///     "new\n"
/// }
///
/// fn moved(request: &Request) -> Option<Redirect> {
///     (request.path() == b"/old").then(|| Redirect::permanent("/new"))
/// }
///
/// app!(new, before = [moved]);
///
/// let answer = rhost_sdk::testing::get(&APP, "/old").send();
/// assert_eq!(answer.status(), 308);
/// assert_eq!(rhost_sdk::testing::get(&APP, "/new").send().text(), "new\n");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be what a hook before the routes returns",
    label = "does not implement `Outcome`",
    note = "return `Option<R>`, where `R` answers the request and `None` lets it go on, or `Result<(), E>`"
)]
pub trait Outcome {
    /// The answer, if the request ends here.
    fn into_answer(self) -> Option<Response>;
}

impl Outcome for () {
    fn into_answer(self) -> Option<Response> {
        None
    }
}

impl<R: Responder> Outcome for Option<R> {
    fn into_answer(self) -> Option<Response> {
        self.map(Responder::respond)
    }
}

impl<O: Outcome, E: Responder> Outcome for Result<O, E> {
    fn into_answer(self) -> Option<Response> {
        match self {
            Ok(outcome) => outcome.into_answer(),
            Err(error) => Some(error.respond()),
        }
    }
}
