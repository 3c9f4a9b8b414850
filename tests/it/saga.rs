//! The saga, driven over the sandbox's core, in process and on a clock that jumps.

mod address;
mod advice;
mod change;
mod deadlines;
mod foreign;
mod health;
mod kept;
mod local_faults;
mod log;
mod matrix;
mod not_running;
mod on_disk;
mod on_stack;
mod orphans;
mod reconcile;
mod retries;
mod scenario;
mod scenarios;
mod service;
mod specs;
mod stranded;
mod unauthorized;
mod undo;
mod volumes;
mod wedged;
mod world;
