//! What the guests in `examples` share: the gateway as wit-bindgen makes it, and
//! no SDK between, so that what a guest does is what its file says.

/// The gateway.
pub mod gateway {
    #![allow(missing_docs, reason = "gateway.wit documents these")]
    #![allow(
        unsafe_code,
        reason = "wit-bindgen writes the calls across the boundary"
    )]

    wit_bindgen::generate!({
        path: "../../wit",
        world: "application",
        pub_export_macro: true,
        default_bindings_module: "rhost_test_guests::gateway",
    });
}

pub use gateway::exports::rhost::gateway::app::{Environ, Failure, Guest, Input};
pub use gateway::rhost::gateway::server::{Output, start_response};
pub use gateway::rhost::gateway::types::{ExcInfo, InputError, OutputError, StartError};

/// Declares the guest: a function that answers.
#[macro_export]
macro_rules! guest {
    ($handle:path) => {
        struct App;

        impl $crate::Guest for App {
            fn handle(environ: $crate::Environ, input: $crate::Input) -> Result<(), $crate::Failure> {
                $handle(environ, input)
            }
        }

        $crate::gateway::export!(App with_types_in $crate::gateway);
    };
}

/// Begins a response of 200 without fields.
///
/// # Panics
///
/// When the server refuses.
pub fn ok() -> Output {
    start_response(200, &[], None).expect("a plain response is accepted")
}

/// A field.
pub fn field(name: &str, value: &str) -> (String, Vec<u8>) {
    (name.to_owned(), value.as_bytes().to_vec())
}

/// An exception.
pub fn exception(message: &str) -> ExcInfo {
    ExcInfo {
        kind: "TestError".to_owned(),
        message: message.to_owned(),
        traceback: "in the guest\n".to_owned(),
    }
}

/// Reads the whole body.
pub fn read_all(input: &Input) -> Result<Vec<u8>, InputError> {
    let mut body = Vec::new();
    loop {
        let block = input.read(64 * 1024)?;
        if block.is_empty() {
            return Ok(body);
        }
        body.extend(block);
    }
}
