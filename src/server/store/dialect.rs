//! The two databases that the store supports.

pub mod postgres;
pub mod sqlite;
