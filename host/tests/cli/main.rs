//! The command as a person uses it: what it says, what it makes, and how it ends.

mod book;
mod build;
mod by_hand;
mod check;
mod command;
mod compile;
mod config;
mod deploy;
mod first_minutes;
mod floods;
mod guests;
mod host_calls;
mod inspect;
mod life;
mod limits;
mod listening;
mod loader;
mod names;
mod new;
mod project;
mod proxy;
mod python;
mod serving;
mod top;
mod unread;
mod watch;
