//! The JSON API: deployments, the operations on existing ones, changes, and the document that describes it.

pub(super) mod body;
pub(super) mod changes;
pub(super) mod data;
pub(super) mod deployments;
pub(super) mod document;
pub(super) mod history;
pub(super) mod operations;
pub(super) mod own_operations;
pub(super) mod templates;
pub(super) mod usage;
