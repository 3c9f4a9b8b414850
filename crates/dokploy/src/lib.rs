//! A typed client for [Dokploy](https://dokploy.com)'s HTTP API, v0.30 and newer.
//!
//! [`Dokploy`] makes calls. Each has a time limit, passes a circuit breaker that all calls of a
//! client share, and is logged through `tracing` without secrets. No call is repeated: the
//! [`Error`] of a failed call says whether it may have taken effect
//! ([`Error::may_have_committed`]), and whether to repeat it ([`Error::advice`]).
//!
//! Dokploy's API documentation does not describe the answers, so every answer type was derived from
//! recordings of a real v0.30.2 server. They are in `recordings/`, and the tests decode each of
//! them.

mod answer;
mod breaker;
mod calls;
mod client;
mod config;
mod container;
mod environment;
mod error;
mod exchange;
mod http;
mod logs;
mod problem;
mod report;
mod row;
mod service;
mod socket;
mod types;
mod usage;
mod version;
mod volumes;
mod wire;

pub use transport::LocalFault;

pub use self::client::Dokploy;
pub use self::config::{BuildDokployError, DokployConfig};
pub use self::container::{
    Container, ContainerState, Exit, Inspected, InspectedTask, NodeContainer, Scale, Task,
    TaskState,
};
pub use self::environment::{
    DecodeEnvironmentError, EncodeEnvironmentError, decode_environment, encode_environment,
};
pub use self::error::{Advice, Error};
pub use self::exchange::{
    Answer, Content, Exchange, Frame, Opened, Opening, Receiving, Request, Sending, Socket,
};
pub use self::logs::{LogEnd, LogQuery, LogStream};
pub use self::problem::Problem;
pub use self::report::{CallReport, OnCall};
pub use self::row::{ApplicationRow, RowDomain};
pub use self::service::{
    FailureAction, HealthCheck, ServiceSettings, ServiceSpec, ServiceState, ServiceUpdate,
    UpdateOrder, UpdateSettings, UpdateState,
};
pub use self::types::*;
pub use self::usage::ContainerUsage;
pub use self::volumes::{Mount, NewMount, VolumeConfig, VolumeRemoval};

/// Compiles the README's example.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
