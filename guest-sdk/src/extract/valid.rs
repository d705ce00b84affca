//! [`Valid`]: a value that has checked itself.

use std::borrow::Cow;

use crate::extract::from_request::{FromRequest, Optional};
use crate::extract::whole::Limited;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

/// What can check itself, beyond what its type says.
pub trait Validate {
    /// Adds what is wrong with it.
    fn validate(&self, problems: &mut Problems);
}

/// What is wrong with a value, field by field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<(Cow<'static, str>, &'static str)>);

impl Problems {
    /// Adds a field, and what is wrong with it: `("age", "must be above 17")`.
    pub fn add(&mut self, field: impl Into<Cow<'static, str>>, message: &'static str) {
        self.0.push((field.into(), message));
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// An argument whose value has checked itself: `Valid<Json<T>>`, `Valid<Form<T>>`
/// or `Valid<Query<T>>`, where `T` implements [`Validate`]. 422 for one with
/// problems (RFC 9110, section 15.5.21): the client is told all, up to 32.
///
#[cfg_attr(feature = "form", doc = "```")]
#[cfg_attr(not(feature = "form"), doc = "```ignore")]
/// use rhost_sdk::extract::Problems;
/// use rhost_sdk::prelude::*;
///
/// #[derive(serde::Deserialize)]
/// struct Order {
///     item: String,
///     count: u32,
/// }
///
/// impl Validate for Order {
///     fn validate(&self, problems: &mut Problems) {
///         if self.item.is_empty() {
///             problems.add("item", "must not be empty");
///         }
///         if self.count == 0 {
///             problems.add("count", "must be at least 1");
///         }
///     }
/// }
///
/// #[post("/orders")]
/// fn order(Valid(Form(order)): Valid<Form<Order>>) -> String {
///     format!("{} times {}\n", order.count, order.item)
/// }
///
/// app!(order);
///
/// let form = rhost_sdk::testing::post(&APP, "/orders")
///     .header("content-type", "application/x-www-form-urlencoded");
/// let answer = form.clone().body("item=tea&count=0").send();
/// assert_eq!(answer.status(), 422);
/// assert_eq!(answer.text(), "Some fields are not valid\ncount: must be at least 1\n");
/// assert_eq!(form.body("item=tea&count=2").send().text(), "2 times tea\n");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Valid<E>(pub E);

impl<'r, E: FromRequest<'r> + Validate> FromRequest<'r> for Valid<E> {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        let value = E::from_request(request)?;
        let mut problems = Problems::default();
        value.validate(&mut problems);
        if problems.is_empty() {
            return Ok(Valid(value));
        }
        let rejection = Rejection::new(Status::UNPROCESSABLE_CONTENT, "Some fields are not valid");
        Err(problems
            .0
            .into_iter()
            .fold(rejection, |rejection, (field, message)| {
                rejection.problem(field, message)
            }))
    }
}

/// Absent where `E` is.
impl<'r, E: Optional<'r> + Validate> Optional<'r> for Valid<E> {
    fn is_absent(request: &'r Request) -> bool {
        E::is_absent(request)
    }
}

impl<const LIMIT: usize, T: Validate> Validate for Limited<LIMIT, T> {
    fn validate(&self, problems: &mut Problems) {
        self.0.validate(problems);
    }
}
