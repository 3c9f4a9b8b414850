//! The kinds of operations, one file for each, and the orphan remover, which removes resources that
//! appear after the end of their operation.

mod change;
mod delete_data;
mod deploy;
mod on_stack;
mod orphans;
mod remove;
mod restart;
mod start;
mod stop;

use std::sync::Arc;

use crate::server::saga::Operations;

pub(crate) use delete_data::data_deletion;
pub use orphans::{OrphanRemover, RemoveOrphansError};

/// Returns all kinds of operations.
pub fn all() -> Operations {
    Operations::new([
        Arc::new(deploy::DeployStack) as _,
        Arc::new(remove::RemoveStack) as _,
        Arc::new(stop::StopStack) as _,
        Arc::new(start::StartStack) as _,
        Arc::new(restart::RestartStack) as _,
        Arc::new(change::ChangeStack) as _,
        Arc::new(delete_data::DeleteData) as _,
    ])
}
