//! Code that the tests of all crates of this workspace share.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::missing_panics_doc,
    clippy::print_stdout,
    reason = "tests fail by panics, and what they print is shown where they do"
)]

pub mod log;
pub mod recordings;
pub mod seed;

pub use seed::properties;
