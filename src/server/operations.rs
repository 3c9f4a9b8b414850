//! The kinds of operations, one file each, and the orphan remover, which removes resources that
//! appear after an operation's end.

pub(crate) mod orphans;

pub use orphans::{OrphanRemover, RemoveOrphansError};
