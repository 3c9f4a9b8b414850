//! The integration tests, one binary.
#![cfg(test)]

mod access;
mod admin;
mod api;
mod architecture;
mod backup;
mod canary;
mod chaos;
mod cross_site;
mod descriptors;
mod dokploy;
mod environment;
mod events;
mod faces;
#[cfg(target_os = "linux")]
mod failing_log;
mod failing_store;
mod garbage;
mod generation;
mod hang_ups;
mod idempotency;
mod key;
mod kills;
mod operations;
mod operator;
mod pages;
mod parts;
mod plans;
mod portal;
mod pressure;
mod probe;
mod rebuffs;
mod replicas;
mod round_trips;
mod saga;
mod sandbox;
mod set_clock;
mod sign_in;
mod store;
mod store_health;
mod stranger;
mod support;
mod wedge;
