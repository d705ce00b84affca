//! A module for each promise.

mod answers;
mod cancellation;
mod chat;
mod checklist;
mod connections;
mod drain;
mod environ;
mod examples;
mod floods;
mod gate;
mod input;
mod isolation;
mod lean;
mod lent;
mod limits;
mod notes;
mod overload;
mod protocols;
mod python;
mod size_classes;
mod start_response;
mod streaming;
mod tls;
mod traps;
