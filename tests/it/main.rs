//! The integration tests, one binary.

mod dokploy;
mod probe;
mod saga;
mod sandbox;
mod support;
