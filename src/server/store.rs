//! The store adapters: the only place that speaks SQL.

mod generation;
mod lists;
mod pool;
pub mod postgres;
mod purge;
mod rows;
pub mod sqlite;
mod writes;

pub use generation::OtherVersion;

use super::ports::store::StoreError;

/// Says that something was not written without which people can go on.
fn warn_unless_written(result: Result<(), StoreError>, otherwise: &'static str) {
    if let Err(error) = result {
        tracing::warn!(%error, "{otherwise}");
    }
}

fn unavailable(error: sqlx::Error) -> StoreError {
    unavailable_for(error.into())
}

fn unavailable_for(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Unavailable(error)
}
