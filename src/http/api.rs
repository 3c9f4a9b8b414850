//! The JSON API: deployments, and the operations on existing ones.

pub(super) mod body;
pub(super) mod data;
pub(super) mod deployments;
pub(super) mod operations;
pub(super) mod templates;
