//! The orchestrator: drives each deployment as a durable saga.
//!
//! A deployment is a straight line of steps. Each records its intent before it touches the
//! platform and its result afterwards, so a crash at any `await` is harmless: whoever claims
//! the deployment next runs the same line again, and the journal answers for what is done.
//! It must not know which platform, store or page it serves.

mod address;
mod advice;
mod context;
mod ends;
mod evidence;
mod failure;
mod heartbeat;
mod journal;
mod lacking;
mod lateness;
mod ours;
mod panics;
mod plan;
mod polls;
mod removal;
mod retry;
mod saga;
mod step;
mod steps;
mod sweep;
mod turn;
mod turns;
mod under_way;
mod unwind;
mod worker;

pub use context::{Context, Ports};
pub use lacking::Outages;
pub use polls::Polls;
pub use saga::drive;
pub use sweep::{SweepError, Sweeper};
pub use turns::Turns;
pub use under_way::calls_under_way;
pub use worker::Worker;
