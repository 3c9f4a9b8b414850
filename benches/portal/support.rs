//! What the benchmark has from the tests: free ports, PostgreSQL, and a template.
#![expect(dead_code, reason = "the tests need more of it")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests may panic, and so may a benchmark"
)]

#[path = "../../tests/it/support/contract.rs"]
mod contract;
#[path = "../../tests/it/support/keeper.rs"]
pub(crate) mod keeper;
#[path = "../../tests/it/support/postgres.rs"]
pub(crate) mod postgres;
#[path = "../../tests/it/support/process.rs"]
pub(crate) mod process;
#[path = "../../tests/it/support/revisions.rs"]
pub(crate) mod revisions;
