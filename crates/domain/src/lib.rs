//! The domain types of the portal: names, phases, events, and the progress computed from them.
//!
//! It is pure, and shared by server and browser. It must not know a clock, a network, a store or a
//! page.

pub mod deployment;
pub mod event;
pub mod kind;
pub mod last_log;
pub mod local_fault;
pub mod message;
pub mod operation_id;
pub mod owner;
pub mod phase;
pub mod platform_problem;
pub mod progress;
pub mod read;
pub mod receipt;
pub mod refusal;
pub mod remedy;
mod short_name;
pub mod size;
pub mod stack_event;
pub mod stack_id;
pub mod stack_name;
pub mod stack_spec;
pub mod stack_state;
pub mod template;
pub mod time;
pub mod words;
