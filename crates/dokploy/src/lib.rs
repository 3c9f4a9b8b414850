//! A typed client for [Dokploy](https://dokploy.com)'s HTTP API, v0.30 and newer.
//!
//! [`Dokploy`] makes calls. Each waits a bounded time, passes a circuit breaker that all calls of a
//! client share, and is logged through `tracing` without a secret. Nothing is ever repeated: the
//! [`Error`] of a failed call says whether the server may have carried it out all the same
//! ([`Error::may_have_committed`]) and what to do next ([`Error::advice`]).
//!
//! Dokploy's API documents no answers, so every answer that is read here was recorded from a real
//! v0.30.2 server. The recordings lie in `recordings/`, and the tests read each of them.

mod answer;
mod breaker;
mod calls;
mod client;
mod container;
mod environment;
mod error;
mod exchange;
mod http;
mod problem;
mod report;
mod types;
mod version;
mod wire;

pub use transport::LocalFault;

pub use self::{
    client::{BuildDokployError, Dokploy, DokployConfig},
    container::{Container, ContainerId, Inspected, Scale, Task, TaskState},
    environment::{EncodeEnvironmentError, encode_environment},
    error::{Advice, Error},
    exchange::{Answer, Content, Exchange, Request},
    problem::Problem,
    types::*,
};

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
