//! What the tests share: clocks, a store in memory, platforms, and the portal around them.

pub(crate) mod app;
pub(crate) mod clock;
pub(crate) mod core_platform;
pub(crate) mod fake_platform;
pub(crate) mod manual_clock;
pub(crate) mod memory_store;
pub(crate) mod settings;
