//! The JSON API: deployments, and what can be done with them once they exist.

pub(super) mod body;
pub(super) mod deployments;
pub(super) mod operations;
