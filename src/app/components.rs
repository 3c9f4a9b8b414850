//! The parts that every page has. They stay on the server.

pub mod footer;
pub mod header;
pub mod plan;
