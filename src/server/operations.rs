//! The kinds of operations, one file each, and what removes what appears after their ends.

pub(crate) mod orphans;

pub use orphans::{OrphanRemover, RemoveOrphansError};
