//! Conditional requests and ranges (RFC 9110, sections 13 and 14): answer only
//! what the client does not have yet.
//!
//! [`Conditions`] is what the client asks, [`Validators`] what the application
//! says of its state: an [`ETag`], the time of the last change, or both.

mod conditions;
mod etag;
mod evaluate;
mod fields;
mod range;
mod time;
mod validators;

pub use conditions::Conditions;
pub use etag::ETag;
pub use validators::Validators;
