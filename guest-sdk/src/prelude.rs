//! What an application needs, in one line: `use rhost_sdk::prelude::*`.

#[cfg(feature = "json")]
pub use crate::Json;
pub use crate::{Accept, Valid, Validate};
pub use crate::{
    Body, Environ, Error, Headers, Html, Limited, Method, Redirect, Rejection, Request, Response,
    Result, Status, Stream, app, delete, get, head, options, patch, post, put,
};
#[cfg(feature = "cookies")]
pub use crate::{Cookie, Cookies, SameSite};
#[cfg(feature = "form")]
pub use crate::{Form, Query};
#[cfg(feature = "multipart")]
pub use crate::{Multipart, Part};
#[cfg(feature = "session")]
pub use crate::{Session, Signer};
