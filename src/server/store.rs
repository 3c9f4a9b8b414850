//! The store adapters: the only place that speaks SQL.

pub mod sqlite;
