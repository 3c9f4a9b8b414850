//! Authorization for one operation.
//!
//! It must not decide itself: it finds the owner of an operation, and asks
//! [`access::decide`](crate::server::auth::access::decide).

use super::Service;
use crate::server::auth::access::{Caller, Denial, IdentifiedBy, Permission, Target};
use crate::server::store::Record;
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::owner::OwnerId;
use domain::refusal::{Missing, Refusal};

impl Service {
    /// Finds an operation by its id, if the caller has this permission for it.
    ///
    /// # Errors
    ///
    /// Returns an error if there is none, it is hidden from the caller, or the store is
    /// unavailable.
    pub async fn authorize(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &DeploymentId,
    ) -> Result<Record, ApiError> {
        let record = self.record(id).await?.ok_or_else(no_deployment)?;
        self.authorize_owned(caller, permission, id, record.owner.as_ref()).await?;
        Ok(record)
    }

    /// Checks whether the caller has this permission for the operation `id`, whose `owner` is known.
    ///
    /// # Errors
    ///
    /// Returns an error if it is hidden from the caller, or the store is unavailable.
    pub(crate) async fn authorize_owned(
        &self,
        caller: &Caller,
        permission: Permission,
        id: &DeploymentId,
        owner: Option<&OwnerId>,
    ) -> Result<(), ApiError> {
        match caller.may(permission, Target::Operation { owner, by: IdentifiedBy::Id }) {
            Ok(()) => {
                if permission == Permission::View {
                    self.parts.audit.inspection(caller, owner, id).await?;
                }
                Ok(())
            }
            Err(denial) => {
                self.parts.audit.denial(caller, id.as_str(), denial).await;
                Err(refused(denial, no_deployment()))
            }
        }
    }
}

/// Returns whether a caller may see an operation and is its owner. One without an owner is that of
/// whoever has its id.
pub(super) fn is_own(caller: &Caller, record: &Record) -> bool {
    let owner = record.owner.as_ref();
    let target = Target::Operation { owner, by: IdentifiedBy::Id };
    let is_owner = owner.is_none() || owner == caller.identity.owner();
    is_owner && caller.may(Permission::View, target).is_ok()
}

/// Returns the error for a denial; `hidden` is the error if the resource is hidden from the caller.
pub fn refused(denial: Denial, hidden: ApiError) -> ApiError {
    match denial {
        Denial::Hidden => hidden,
        Denial::SignIn => Refusal::SignInRequired.into(),
        Denial::Scope => Refusal::ScopeMissing.into(),
    }
}

/// Parses a deployment's id. An invalid id gets the same error as an unknown one.
///
/// # Errors
///
/// Returns the error that there is no such deployment.
pub fn deployment_id(text: &str) -> Result<DeploymentId, ApiError> {
    DeploymentId::parse(text).map_err(|_| no_deployment())
}

/// Returns the error that there is no such deployment.
pub fn no_deployment() -> ApiError {
    Refusal::NotFound(Missing::Deployment).into()
}
