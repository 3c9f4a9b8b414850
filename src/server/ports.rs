//! The ports of the orchestrator and of the use cases: traits that adapters implement.
//!
//! They must not know any adapter.

pub mod accounts;
pub mod audit;
pub mod call_slots;
pub mod identity_provider;
pub mod local_fault;
pub mod probe;
pub mod store;
