//! The parts of a request that need no reading.

use crate::body::Body;
use crate::environ::Environ;
use crate::extract::from_request::FromRequest;
use crate::headers::Headers;
use crate::method::Method;
use crate::rejection::Rejection;
use crate::request::Request;
use crate::status::Status;

impl<'r> FromRequest<'r> for &'r Request {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        Ok(request)
    }
}

impl<'r> FromRequest<'r> for &'r Environ {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        Ok(request.environ())
    }
}

impl<'r> FromRequest<'r> for &'r Headers {
    fn from_request(request: &'r Request) -> Result<Self, Rejection> {
        Ok(request.headers())
    }
}

impl FromRequest<'_> for Body {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        request.body()
    }
}

impl FromRequest<'_> for Method {
    fn from_request(request: &Request) -> Result<Self, Rejection> {
        Method::from_name(request.method()).ok_or(Rejection::new(
            Status::NOT_IMPLEMENTED,
            Status::NOT_IMPLEMENTED.reason(),
        ))
    }
}
