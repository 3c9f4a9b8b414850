//! The words of the pages: pure functions from data to text.
//!
//! They must not know a clock, a browser or a signal.

#[cfg(feature = "ssr")]
pub(crate) mod admin;
#[cfg(feature = "ssr")]
pub(crate) mod allowance;
pub(crate) mod estimate;
pub mod hint;
pub mod page_state;
pub(crate) mod receipt;
#[cfg(feature = "ssr")]
pub(crate) mod refusal;
#[cfg(feature = "ssr")]
pub(crate) mod sign_in;
pub(crate) mod step;
pub(crate) mod time;
