//! What crosses between the page and the server: wire types and server functions.
//!
//! A server function parses, authorises, calls one use case and maps the error. It must not
//! decide anything itself.

#[cfg(feature = "ssr")]
pub mod account;
pub mod deployments;
mod error;
pub mod names;
#[cfg(feature = "ssr")]
mod reply;
pub mod wire;

#[cfg(feature = "ssr")]
pub(crate) use account::{
    AccountView, Nowhere, SignedIn, TokenStanding, TokenView, Visit, account, entrance,
    leads_nowhere, signed_in, visit,
};
#[cfg(feature = "ssr")]
pub(crate) use reply::{
    accepts_html, caller, forbid_storing, lead_to, operation_refusal_location, percent_encode,
    refusal_location, respond_with, service, sign_in_location,
};
