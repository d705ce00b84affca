//! What an application needs, in one line: `use rhost_sdk::prelude::*`.

pub use crate::{Accept, Valid, Validate};
pub use crate::{
    Attachment, Body, Environ, Error, Headers, Html, Limited, Method, Redirect, Rejection, Request,
    Response, Result, Status, Stream, app, delete, get, head, options, patch, post, put, route,
};
#[cfg(feature = "conditional")]
pub use crate::{Conditions, ETag};
#[cfg(feature = "cookies")]
pub use crate::{Cookie, Cookies, SameSite};
pub use crate::{Event, Events, LastEventId};
#[cfg(feature = "serve-files")]
pub use crate::{File, Files};
#[cfg(feature = "form")]
pub use crate::{Form, Query};
#[cfg(feature = "json")]
pub use crate::{Json, Problem};
#[cfg(feature = "multipart")]
pub use crate::{Multipart, Part};
#[cfg(feature = "session")]
pub use crate::{Session, Signer};
