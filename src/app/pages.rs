//! The pages. They stay on the server; what moves in them are islands.

pub mod account;
pub mod admin;
pub mod deployment;
pub mod home;
pub mod not_found;
pub mod sign_in;
pub mod tokens;
