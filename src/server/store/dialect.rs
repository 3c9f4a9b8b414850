//! The two databases that the store can be in.

pub mod postgres;
pub mod sqlite;
