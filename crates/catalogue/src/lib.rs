//! The templates that people choose from: reads and checks their files, and writes the JSON Schema
//! of their questions.
//!
//! It reads one folder, and does no other I/O. It must not know a store, a platform or a page.

mod builtin;
pub mod fault;
pub mod folder;
mod parse;
pub mod pattern;
pub mod patterns;
pub mod schema;

pub use self::fault::{Fault, Severity};
pub use self::folder::{Catalogue, Entry, Reading, Stamp, unnamed};
pub use self::parse::{Definition, parse};
pub use self::patterns::Patterns;
pub use self::schema::json_schema;
