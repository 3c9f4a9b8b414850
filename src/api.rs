//! What crosses between the page and the server: wire types and server functions.
//!
//! A server function parses, authorises, calls one use case and maps the error. It must not
//! decide anything itself.

pub mod deployments;
mod error;
pub mod names;
#[cfg(feature = "ssr")]
mod reply;
pub mod wire;

#[cfg(feature = "ssr")]
pub(crate) use reply::{
    accepts_html, forbid_storing, operation_refusal_location, refusal_location, respond_with,
    service,
};
