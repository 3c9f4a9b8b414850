//! The integration tests, one binary.

mod dokploy;
mod saga;
mod sandbox;
mod support;
