//! Tests of the sandbox: its HTTP interface, its behaviour over time, and the recordings of the
//! real platform.
#![cfg(test)]

mod environment;
mod faults;
mod listeners;
mod logs;
mod middlewares;
mod pool;
mod programs;
mod promises;
mod replay;
mod running;
mod updates;
mod volumes;
pub(crate) mod world;
