//! The store adapters: the only place that speaks SQL.

mod lists;
mod pool;
pub mod postgres;
mod rows;
pub mod sqlite;
mod writes;

use super::ports::store::StoreError;

fn unavailable(error: sqlx::Error) -> StoreError {
    unavailable_for(error.into())
}

fn unavailable_for(error: Box<dyn std::error::Error + Send + Sync>) -> StoreError {
    StoreError::Unavailable(error)
}
