//! The platform adapter: a Dokploy server (v0.30 or newer) through its HTTP API.
//!
//! [`Dokploy`] implements the platform port. Every call goes one way: breaker, request,
//! classification, breaker, log. Nothing here repeats a call, looks for what a lost one did,
//! or knows what calls are for.

mod answer;
mod breaker;
mod client;
mod environment;
mod platform;
mod problem;
mod report;
mod version;
mod wire;

pub use self::{
    client::{BuildDokployError, Dokploy, DokployConfig},
    environment::{EncodeEnvironmentError, encode_environment},
};
