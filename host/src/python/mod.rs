//! From a WSGI program to a component, as [`package`](crate::package) does it for a
//! crate: the application is imported once, in a sandbox, by componentize-py, and
//! what that leaves in memory is the component.
//!
//! # Layout
//!
//! 1. [`Project`]: which program is meant; `manifest` reads what its
//!    pyproject.toml says.
//! 2. `sources`: its files, and `packages`: what it depends on, as its `requirements` say; `digest` tells
//!    whether they changed since it was built.
//! 3. `tools`: the private environment with componentize-py in it.
//! 4. `componentize`: builds, with the `adapter` around the program, and
//!    [`Report`] says how that went, in the component too. `immortal` then does to
//!    the snapshot what Python cannot, and `lists` has the runtime free what it hands over.
//! 5. [`bundle`]: what is to lie beside a component that is served elsewhere.
//!
//! All of it is kept in one directory of the user's: see [`Workshop`].

mod adapter;
pub mod bundle;
mod componentize;
mod digest;
mod error;
mod immortal;
mod lists;
mod manifest;
mod observer;
mod packages;
mod pip;
mod project;
mod report;
mod requirements;
mod sources;
mod tools;
mod workshop;

pub use error::PythonError;
pub use manifest::Manifest;
pub use observer::Observer;
pub use project::Project;
pub use report::{Report, SECTION, State, WarmUp};
pub use workshop::{Built, Workshop};
