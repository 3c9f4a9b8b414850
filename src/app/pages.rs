//! The pages. They render only on the server; their interactive parts are islands.

pub mod account;
pub mod admin;
pub mod deployment;
pub mod home;
pub mod not_found;
pub mod sign_in;
pub mod tokens;
