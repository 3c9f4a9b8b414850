//! The integration tests, one binary.

mod saga;
mod sandbox;
mod support;
