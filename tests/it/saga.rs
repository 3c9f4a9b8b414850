//! The saga, driven over the sandbox's core, in process and on a clock that jumps.

mod matrix;
mod stories;
mod world;
