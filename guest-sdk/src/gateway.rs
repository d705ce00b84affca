//! The gateway as it is: the bindings to `rhost:gateway`, for an application
//! that answers without the rest of this crate.
//!
//! An application implements [`Guest`] and names its type to [`export!`]. This
//! one answers every request alike:
//!
//! ```
//! use rhost_sdk::gateway::{Environ, Failure, Guest, Input, export, start_response};
//!
//! struct Hello;
//!
//! impl Guest for Hello {
//!     fn handle(_environ: Environ, _input: Input) -> Result<(), Failure> {
//!         let fields = [("content-type", &b"text/plain"[..])];
//!         let output = start_response(200, &fields, None)?;
//!         output.write(b"Hello, world!\n")?;
//!         Ok(())
//!     }
//! }
//!
//! export!(Hello);
//! # fn main() {}
//! ```
//!
//! Off wasm there is no server: the functions of this module panic there, and
//! a type that [`crate::testing`] can drive is what `app!` makes.

/// An application: what a component exports.
pub use bindings::exports::rhost::gateway::app::Guest;
pub use bindings::rhost::gateway::server::{Input, Output, start_response};
pub use bindings::rhost::gateway::types::{
    Environ, ExcInfoParam as ExcInfoRef, ExcInfoResult as ExcInfo, Failure, FieldFault,
    HeaderParam as HeaderRef, HeaderResult as Header, InputError, InvalidField, OutputError,
    StartError,
};

#[doc(inline)]
pub use crate::__export_gateway as export;

/// Makes a type that implements [`Guest`](crate::gateway::Guest) the
/// application of this component. It stands once in a component, and does
/// nothing off wasm.
#[macro_export]
#[doc(hidden)]
macro_rules! __export_gateway {
    ($application:ident) => {
        #[cfg(target_family = "wasm")]
        $crate::gateway::bindings::export!(
            $application with_types_in $crate::gateway::bindings
        );

        // Nobody calls it there, and it is not unused.
        #[cfg(not(target_family = "wasm"))]
        const _: fn(
            $crate::gateway::Environ,
            $crate::gateway::Input,
        ) -> ::core::result::Result<(), $crate::gateway::Failure> =
            <$application as $crate::gateway::Guest>::handle;
    };
}

/// What wit-bindgen makes of `wit/gateway.wit`.
// Unsafe code is what the canonical ABI is made of: values cross as addresses
// and lengths in this instance's own memory. wit-bindgen writes both ends of
// each crossing from the same WIT file, and nothing in this module is by hand.
#[doc(hidden)]
#[allow(
    unsafe_code,
    reason = "the canonical ABI passes addresses; wit-bindgen writes both ends from one WIT file"
)]
#[allow(
    missing_docs,
    reason = "the modules that wit-bindgen nests have no text in the WIT file"
)]
pub mod bindings {
    wit_bindgen::generate!({
        path: "wit",
        world: "application",
        // Responses are sent from where they lie, instead of from copies.
        ownership: Borrowing { duplicate_if_necessary: true },
        additional_derives: [PartialEq],
        pub_export_macro: true,
        default_bindings_module: "rhost_sdk::gateway::bindings",
    });
}

impl From<StartError> for Failure {
    /// The exception for an application that has no other answer to a refused
    /// `start-response`.
    fn from(error: StartError) -> Failure {
        Failure::Exception(ExcInfo {
            kind: "StartError".into(),
            message: error.to_string(),
            traceback: String::new(),
        })
    }
}

impl From<InputError> for Failure {
    fn from(error: InputError) -> Failure {
        Failure::Input(error)
    }
}

impl From<OutputError> for Failure {
    fn from(error: OutputError) -> Failure {
        Failure::Output(error)
    }
}
