//! The integration tests, one binary.
#![cfg(test)]

mod access;
mod address_in_use;
mod admin;
mod api;
mod architecture;
mod backup;
mod canary;
mod chaos;
mod connections;
mod cross_site;
mod deployment_page;
mod descriptors;
mod disconnects;
mod environment;
mod events;
#[cfg(target_os = "linux")]
mod failing_log;
mod failing_store;
mod garbage;
mod generation;
mod idempotency;
mod key;
mod kills;
mod metrics;
mod operations;
mod operator;
mod pages;
mod parts;
mod portal;
mod portal_key;
mod pressure;
mod probe;
mod query_plans;
mod rejections;
mod replicas;
mod round_trips;
mod saga;
mod set_clock;
mod sign_in;
mod store;
mod store_health;
mod support;
mod third_kind;
mod traces;
mod wedge;
