//! Configures the application in one idempotent call. There is nothing to undo: the configuration
//! is removed with the application.

use serde::{Deserialize, Serialize};

use super::row::Row;
use crate::server::platform::Application;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::step::Step;
use crate::server::store::StepId;

/// Configures the application.
pub(crate) struct Configure {
    pub(crate) application: Application,
    /// The node of its volumes, if it has some.
    pub(crate) node: Option<String>,
}

/// The tag that the container carries in its environment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OperationTag {
    /// The id of the operation that made the revision.
    pub(crate) operation: String,
}

impl Step for Configure {
    const ID: StepId = StepId::CONFIGURATION;
    /// `None` if an older version of the portal configured it, which set no tag.
    type Output = Option<OperationTag>;

    async fn run(&self, cx: &Context) -> Result<Option<OperationTag>, StepError> {
        let operation = cx.deployment.id.to_string();
        let row = Row {
            application: &self.application,
            spec: &cx.spec,
            revision: cx.revision,
            operation: Some(&operation),
            node: self.node.as_deref(),
            update: None,
        };
        row.write(cx, "Configured the application").await?;
        Ok(Some(OperationTag { operation }))
    }
}
