//! The pages. They stay on the server; what moves in them are islands.

pub mod deployment;
pub mod home;
pub mod not_found;
pub mod taken_down;
