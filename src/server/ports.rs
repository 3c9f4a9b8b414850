//! The ports of the orchestrator and the use cases, as traits.
//!
//! An adapter implements one; nothing here knows which adapter.

pub mod accounts;
pub mod audit;
pub mod call_slots;
pub mod identity_provider;
pub mod local_fault;
pub mod probe;
pub mod store;
