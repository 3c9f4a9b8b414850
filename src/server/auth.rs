//! Authentication and authorization: who a caller is, and what they may do.

pub mod access;
pub mod accounts;
pub mod authenticate;
pub(crate) mod cookies;
pub mod identity_provider;
pub mod oidc;
pub mod recent_accounts;
pub mod secret;
pub mod sign_in;
