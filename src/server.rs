//! The server: use cases, orchestrator, adapters and HTTP.
//!
//! Arrows point one way: `http` and the server functions call `service`, which knows the
//! `ports`; adapters (`dokploy`, `store`) implement them. Only [`run`] knows every part.

pub mod access;
pub mod call_slots;
mod catch_all;
pub mod cli;
pub mod config;
pub mod http;
pub mod intake;
mod masking;
pub mod notifier;
pub mod oidc;
pub mod orchestrator;
pub mod origin;
pub mod platform;
pub mod ports;
pub mod probe;
pub mod proxies;
pub mod reconcile_report;
pub mod reconciler;
pub mod run;
mod run_to_completion;
pub mod secret;
pub mod service;
pub mod settings;
pub mod sign_in;
pub mod store;
pub mod telemetry;
pub mod vitals;
