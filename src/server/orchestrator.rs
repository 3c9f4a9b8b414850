//! The orchestrator: drives each deployment as a durable saga.
//!
//! A deployment is a straight line of steps. Each records its intent before it touches the
//! platform and its result afterwards, so a crash at any `await` is harmless: whoever claims
//! the deployment next runs the same line again, and the journal answers for what is done.
//! It must not know which platform, store or page it serves.

mod absence;
mod address;
mod advice;
mod context;
mod failure;
mod heartbeat;
mod journal;
mod lacking;
mod late_commit;
mod marker;
mod orphans;
mod outcomes;
mod panics;
mod polls;
mod removal;
mod retry;
mod run_mode;
mod saga;
mod step;
mod steps;
mod turn;
mod turns;
mod under_way;
mod unwind;
mod worker;

pub use context::{Context, Ports};
pub use lacking::Outages;
pub use orphans::{OrphanRemover, RemoveOrphansError};
pub use polls::Polls;
pub use saga::drive;
pub use turns::Turns;
pub use under_way::calls_under_way;
pub use worker::Worker;
