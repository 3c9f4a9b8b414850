//! What the operations on a stack that is there know of it.

use crate::server::saga::engine::{Halt, Saga};
use crate::server::steps::{
    Configure, CreateApplication, CreateDomain, CreateProject, FindEnvironment, OperationTag,
    Service,
};

/// Returns the service of the stack, as the deployment recorded it that made the stack. Its container
/// carries the tag of the operation that made the revision by which this one works.
pub(super) fn service(saga: &Saga) -> Result<Service, Halt> {
    saga.made::<CreateProject>()?;
    saga.made::<FindEnvironment>()?;
    let application = saga.made::<CreateApplication>()?;
    let first = saga.made::<Configure>()?;
    saga.made::<CreateDomain>()?;
    let node = saga.cx.lineage.volumes.node.clone();
    let made = saga.cx.lineage.made.as_ref();
    let made = made.map(|made| OperationTag { operation: made.to_string() });
    Ok(Service { application, mark: made.or_else(|| first.clone()), first, node })
}
