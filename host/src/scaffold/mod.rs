//! From a name to a project: a [`Template`]'s files with the name filled in, and
//! the SDK's source beside them, until the SDK is published.

mod git;
mod name;
mod project;
mod sdk;
mod template;

pub use git::{Repository, repository};
pub use name::NameError;
pub use project::{Project, ProjectError};
pub use sdk::{Sdk, SdkError};
pub use template::{TEMPLATES, Template};
