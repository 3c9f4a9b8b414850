//! What the tests share: a clock that jumps, a store in memory, the sandbox's core as a
//! platform.

pub(crate) mod clock;
pub(crate) mod core_platform;
pub(crate) mod memory_store;
pub(crate) mod settings;
