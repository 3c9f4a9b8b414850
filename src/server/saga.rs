//! The saga's engine: drives each operation as a durable saga.
//!
//! An operation is a fixed sequence of steps. Each step records its intent in the journal before it
//! calls the platform, and its result afterwards. So a crash at any `await` is harmless: the next
//! worker that claims the operation runs the same sequence again, and the journal supplies the
//! results of the steps that are done. It must not know any kind of operation, any step, or which
//! platform, store or page it works with.

pub(crate) mod absence;
pub(crate) mod call_gate;
pub(crate) mod call_permit;
pub(crate) mod context;
pub(crate) mod engine;
pub(crate) mod failure;
pub(crate) mod heartbeat;
pub(crate) mod journal;
pub(crate) mod lineage;
pub(crate) mod local_faults;
pub(crate) mod marker;
pub(crate) mod outages;
pub(crate) mod outcomes;
pub(crate) mod panics;
pub(crate) mod polls;
pub(crate) mod ports;
pub(crate) mod retry;
pub(crate) mod retry_middleware;
pub(crate) mod run_mode;
pub(crate) mod step;
mod takeover;
pub(crate) mod under_way;
pub(crate) mod unwind;
pub(crate) mod worker;

pub use call_gate::CallGate;
pub use context::Context;
pub use engine::{Halt, MayAsk, Operation, Operations, Saga, drive};
pub use failure::StepError;
pub(crate) use journal::late_commit;
pub use outages::Outages;
pub use polls::Polls;
pub use ports::Ports;
pub use retry_middleware::RetryState;
pub(crate) use retry_middleware::{NoRetry, RetryLook};
pub use step::Step;
pub use under_way::calls_under_way;
pub use worker::Worker;
