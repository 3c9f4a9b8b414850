//! A server that answers like Dokploy: the portal's platform if no Dokploy is configured, and the
//! platform of the tests.
//!
//! [`Core`] is the platform itself, a state machine without I/O. [`start()`] serves it over HTTP:
//! the API on one port, the stacks on another.

mod answer;
mod applications;
mod calls;
mod configuration;
mod containers;
mod control;
mod core;
mod course;
mod deployments;
mod docker;
mod domains;
mod edge;
mod environment;
mod faults;
mod health_check;
mod http;
mod ids;
mod images;
mod input;
mod inspect;
mod job;
mod key;
mod log_socket;
mod logs;
mod middleware;
mod mounts;
#[cfg(feature = "cli")]
mod options;
mod overview;
mod persistence;
mod placement;
mod programs;
mod projects;
mod queue;
mod refusal;
mod request;
mod rollout;
mod rotation;
mod rows;
mod runner;
mod service;
mod service_config;
mod shared;
mod start;
mod state;
mod stats;
mod swarm;
mod tasks;
mod template;
mod traefik;
mod visit;
mod volume_control;
mod volumes;

pub use self::core::Core;
pub use self::edge::EdgeResponse;
pub use self::faults::{Fault, FaultKind, Often, ParseFaultError};
pub use self::images::Timing;
pub use self::logs::{LogAnswer, LogFollower};
#[cfg(feature = "cli")]
pub use self::options::Options;
pub use self::request::{Answer, Body, Disposition, Request};
pub use self::shared::CallTime;
pub use self::start::{Sandbox, SandboxConfig, StartSandboxError, start};
pub use self::visit::{EdgeAnswer, Visit};
