//! Shared parts of the unit tests: where the choices of property tests come from.

#[path = "../tests/it/support/seed.rs"]
mod seed;

pub(crate) use seed::properties;
