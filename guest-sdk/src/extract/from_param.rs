//! [`FromParam`]: the parameters of a path.

use std::str::FromStr;

/// What a `{parameter}` of a path can be read as: every type that implements
/// [`FromStr`], such as the numbers, `bool`, `char`, `String`, addresses, and
/// your own; and `&str`, which borrows it from the request. What does not parse is no such page: 404.
///
/// ```
/// use std::str::FromStr;
///
/// use rhost_sdk::prelude::*;
///
/// /// A year of the catalogue.
/// struct Year(u16);
///
/// impl FromStr for Year {
///     type Err = ();
///
///     fn from_str(text: &str) -> Result<Year, ()> {
///         match text.parse() {
///             Ok(year) if year > 1900 => Ok(Year(year)),
///             _ => Err(()),
///         }
///     }
/// }
///
/// #[get("/catalogue/{year}")]
/// fn catalogue(year: Year) -> String {
///     format!("of {}\n", year.0)
/// }
///
/// app!(catalogue);
///
/// let get = |target| rhost_sdk::testing::get(&APP, target).send();
/// assert_eq!(get("/catalogue/1999").text(), "of 1999\n");
/// assert_eq!(get("/catalogue/7").status(), 404);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be read from a path",
    label = "does not implement `FromStr`",
    note = "every type that implements `FromStr` can be a parameter; for text take `&str` or `String`"
)]
pub trait FromParam: Sized {
    /// Reads one decoded segment, or the rest of the path for a `{tail..}`; it
    /// is not empty.
    fn from_param(segment: &str) -> Option<Self>;
}

impl<T: FromStr> FromParam for T {
    fn from_param(segment: &str) -> Option<Self> {
        segment.parse().ok()
    }
}
