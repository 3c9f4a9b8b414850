//! The words of the portal, as types: names, phases, events and the progress they add up to.
//!
//! Pure and shared by both targets. It must not know a clock, a network, a store or a page.

pub mod deployment;
pub mod event;
pub mod kind;
pub mod local_fault;
pub mod phase;
pub mod platform_problem;
pub mod progress;
pub mod receipt;
pub mod refusal;
mod short_name;
pub mod stack_name;
pub mod stack_spec;
pub mod wire_time;
pub mod words;
