//! The server below HTTP: use cases, saga and adapters.
//!
//! Arrows point one way: [`http`](crate::http) and the server functions call `stacks`, which knows
//! the ports. A port is beside its adapters: `store`, `platform`, `probe`, `audit`, and two in
//! `auth`. Only [`run`](crate::run) knows every part.

pub mod audit;
pub mod auth;
pub mod catalogue;
pub(crate) mod catch_all;
pub mod config;
pub mod intake;
pub mod lease;
pub mod local_fault;
pub mod logs;
mod masking;
pub mod measure;
pub mod metrics;
pub mod name_index;
pub mod notifier;
pub mod operations;
pub mod origin;
pub(crate) mod page;
pub mod platform;
pub mod probe;
pub mod proxies;
pub(crate) mod recent;
pub mod reconciler;
pub(crate) mod run_to_completion;
pub mod saga;
mod schema;
pub mod secrets;
pub mod settings;
pub mod spec;
pub mod sqlite_file;
pub mod stacks;
mod steps;
pub mod store;
pub mod store_error;
pub mod telemetry;
pub mod traces;
mod turns;
pub(crate) mod visible;
pub mod vitals;
pub mod watch;
