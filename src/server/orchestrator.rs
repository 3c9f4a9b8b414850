//! The orchestrator: drives each deployment as a durable saga.
//!
//! A deployment is a fixed sequence of steps. Each step records its intent in the journal before it
//! calls the platform, and its result afterwards. So a crash at any `await` is harmless: the next
//! worker that claims the deployment runs the same sequence again, and the journal supplies the
//! results of the steps that are done. It must not know which platform, store or page it serves.

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
