//! Operations: what is known of each besides its events.

use super::{FromJson, Json, field, optional};
use crate::deployment::{Deployment, DeploymentId, DeploymentMetadata, Links};
use crate::kind::KindName;
use crate::stack_name::StackName;

impl FromJson for Deployment {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            id: field(json, "id")?,
            kind: field(json, "kind")?,
            name: field(json, "name")?,
            url: field(json, "url")?,
            started: field(json, "started")?,
        })
    }
}

impl FromJson for DeploymentMetadata {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            completed: optional(json, "completed")?,
            receipt: optional(json, "receipt")?,
            links: field(json, "links")?,
        })
    }
}

impl FromJson for Links {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Some(Self {
            retry_of: optional(json, "retry_of")?,
            retried_by: optional(json, "retried_by")?,
            removes: optional(json, "removes")?,
        })
    }
}

impl FromJson for DeploymentId {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Self::parse(&json.text()?).ok()
    }
}

impl FromJson for StackName {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Self::parse(&json.text()?).ok()
    }
}

impl FromJson for KindName {
    fn from_json<J: Json>(json: &J) -> Option<Self> {
        Self::parse(&json.text()?)
    }
}
