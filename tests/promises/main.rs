//! A module for each promise.

mod answers;
mod cancellation;
mod drain;
mod environ;
mod examples;
mod input;
mod isolation;
mod lean;
mod lent;
mod limits;
mod overload;
mod protocols;
mod python;
mod size_classes;
mod start_response;
mod streaming;
mod traps;
