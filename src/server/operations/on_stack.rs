//! What the operations on a stack that is there know of it.

use crate::server::saga::engine::{Halt, Saga};
use crate::server::steps::{
    Configure, CreateApplication, CreateDomain, CreateProject, FindEnvironment, Service,
};

/// Returns the service of the stack, as the deployment recorded it that made the stack.
pub(super) fn service(saga: &Saga) -> Result<Service, Halt> {
    saga.made::<CreateProject>()?;
    saga.made::<FindEnvironment>()?;
    let application = saga.made::<CreateApplication>()?;
    let mark = saga.made::<Configure>()?;
    saga.made::<CreateDomain>()?;
    Ok(Service { application, mark })
}
