//! Who is told how a build goes on.

use std::any::Any;

/// Told how a build goes on.
pub trait Observer {
    /// Something that takes a while begins, as "building shop"; it is over when what
    /// is returned is dropped.
    fn progress(&self, what: String) -> Box<dyn Any>;

    /// A line of what happened.
    fn tell(&self, line: String);
}
