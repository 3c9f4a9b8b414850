//! What the pages say: pure functions from what is known to words.
//!
//! They must not know a clock, a browser or a signal.

#[cfg(feature = "ssr")]
pub(crate) mod admin;
#[cfg(feature = "ssr")]
pub(crate) mod allowance;
pub(crate) mod estimate;
pub mod hint;
pub(crate) mod receipt;
#[cfg(feature = "ssr")]
pub(crate) mod refusal;
#[cfg(feature = "ssr")]
pub(crate) mod sign_in;
pub mod stage;
pub(crate) mod step;
pub(crate) mod time;
