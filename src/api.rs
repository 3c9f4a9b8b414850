//! The interface between pages and the server: wire types and server functions.
//!
//! A server function parses its arguments, authorises the caller, calls one use case and maps the
//! error. It must not make decisions itself.

#[cfg(feature = "ssr")]
pub mod account;
pub mod deployments;
#[cfg(feature = "ssr")]
pub(crate) mod docs;
mod error;
pub mod names;
#[cfg(feature = "ssr")]
pub(crate) mod page_data;
#[cfg(feature = "ssr")]
mod reply;

#[cfg(feature = "ssr")]
pub(crate) use account::{
    AccountLink, AccountView, SignedIn, TokenStatus, TokenView, account, generated, is_hidden_page,
    page_cookies, provider_sign_out, sign_in_service, signed_in,
};
#[cfg(feature = "ssr")]
pub(crate) use reply::{
    caller, forbid_storing, redirect_to, respond_with, sent_settings, service, started_at,
};
