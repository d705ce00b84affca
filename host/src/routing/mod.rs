//! Which app a request is for: by host, then by the longest mount.
//!
//! Both are looked up in maps that nobody changes: a new table takes the place of the
//! old one. A look-up takes no lock and no memory, and does not grow with the number
//! of apps.

mod host;
mod mounts;
mod routes;
mod table;

pub use host::Host;
pub use mounts::Mounts;
pub use routes::{Asked, Routes};
pub use table::Table;
