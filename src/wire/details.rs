//! The wire types of what one stack is made of.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// What a stack is made of now. What is not known is left out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StackDetails {
    /// The answers to the questions of its template, by their keys; of a secret, its fingerprint.
    pub parameters: BTreeMap<String, Value>,
    /// The limits of its container.
    pub resources: ResourcesView,
    /// Its addresses, its own first.
    pub urls: Vec<UrlView>,
    /// Its volumes.
    pub volumes: Vec<VolumeView>,
    /// The paths at which more is told of it.
    pub links: BTreeMap<&'static str, String>,
}

/// The limits of a container; none where a field is missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct ResourcesView {
    /// The number of CPUs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<f64>,
    /// The memory in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<u64>,
}

/// An address of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UrlView {
    /// The address.
    pub url: String,
    /// What its template calls it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
}

/// A volume of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VolumeView {
    /// Its key.
    pub key: String,
    /// The folder in the container.
    pub path: String,
}
