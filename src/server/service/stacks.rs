//! The live stacks.

use super::{Service, store_failed};
use crate::{
    api::wire::{ApiError, StackState, StackView, TakenDown},
    domain::{phase::Phase, progress::Progress, stack_name::StackName},
    server::ports::store::{Record, Stack, State},
};

impl Service {
    /// Lists the live stacks by name.
    ///
    /// # Errors
    ///
    /// Returns an error when the store is out of reach.
    pub async fn stacks(&self) -> Result<Vec<StackView>, ApiError> {
        let stacks = self.parts.store.stacks(None).await.map_err(|error| store_failed(&error))?;
        Ok(stacks.into_iter().map(view).collect())
    }

    /// Finds the live stack called `name`.
    ///
    /// # Errors
    ///
    /// Returns an error when there is none, or the store is out of reach.
    pub async fn stack(&self, name: &str) -> Result<StackView, ApiError> {
        let parsed = StackName::parse(name).map_err(|_| no_stack())?;
        let stacks = self.parts.store.stacks(Some(&parsed)).await;
        let stacks = stacks.map_err(|error| store_failed(&error))?;
        stacks.into_iter().next().map(view).ok_or_else(no_stack)
    }

    /// Tells what has become of the stack that `record` brought up.
    pub(super) async fn taken_down(
        &self,
        record: &Record,
        progress: &Progress,
    ) -> Result<Option<TakenDown>, ApiError> {
        if progress.phase != Phase::Completed {
            return Ok(None);
        }
        if record.state == State::RolledBack {
            return Ok(Some(TakenDown::Done));
        }
        let stacks = self.parts.store.stacks(Some(&record.deployment.name)).await;
        let stacks = stacks.map_err(|error| store_failed(&error))?;
        Ok(stacks.into_iter().find_map(|stack| stack.removal).map(|(id, _)| TakenDown::NotYet(id)))
    }
}

/// Says that no stack of the name is live.
pub(super) fn no_stack() -> ApiError {
    ApiError::new(404, "NOT_FOUND", "No stack of this name is live: check the name.")
}

fn view(stack: Stack) -> StackView {
    let Stack { deployment, since, removal } = stack;
    StackView {
        name: deployment.name,
        url: deployment.url,
        since,
        deployment_id: deployment.id,
        state: match removal {
            None => StackState::Live,
            Some((_, State::Stuck)) => StackState::Stuck,
            Some((_, State::Active | State::Live | State::RolledBack)) => StackState::Removing,
        },
        removal_id: removal.map(|(id, _)| id),
    }
}
