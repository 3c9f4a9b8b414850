//! Shared parts of the tests: clocks, a store in memory, databases, platforms, identity providers,
//! the portal in process and as a process, and the servers beside or in front of it.

use std::net::Ipv4Addr;

use ai_stack_deployer::server::auth::access::{Caller, Identity};
use domain::owner::OwnerId;

pub(crate) mod app;
pub(crate) mod black_hole;
pub(crate) mod browser;
pub(crate) mod claim_one;
pub(crate) mod clock;
pub(crate) mod contract;
pub(crate) mod core_platform;
pub(crate) mod fake_logs;
pub(crate) mod fake_platform;
pub(crate) mod fake_provider;
pub(crate) mod faulty_store;
pub(crate) mod forward_proxy;
pub(crate) mod keeper;
pub(crate) mod manual_clock;
pub(crate) mod memory_store;
pub(crate) mod nginx;
pub(crate) mod people;
pub(crate) mod platform;
pub(crate) mod postgres;
pub(crate) mod process;
pub(crate) mod provider;
pub(crate) mod relay;
pub(crate) mod reply;
pub(crate) mod service;
pub(crate) mod settings;
pub(crate) mod sign_in_service;
pub(crate) mod tls_front;

/// Returns a caller who owns what they start: a browser with a cookie.
pub(crate) fn caller() -> Caller {
    let identity = Identity::Browser(OwnerId::browser("00ff"));
    Caller { identity, address: Ipv4Addr::LOCALHOST.into(), until: None }
}
