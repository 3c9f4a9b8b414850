//! What the swarm says of the update of a service.

use crate::server::platform::{ServiceState, UpdateState};

/// Returns whether the swarm is replacing a container.
pub(super) fn is_moving(state: &ServiceState) -> bool {
    match state.update.as_ref().map(|update| update.state) {
        Some(UpdateState::Updating | UpdateState::RollbackStarted) => true,
        Some(
            UpdateState::Completed
            | UpdateState::Paused
            | UpdateState::RollbackCompleted
            | UpdateState::RollbackPaused
            | UpdateState::Other,
        )
        | None => false,
    }
}

/// Returns whether the swarm gave the last update up.
pub(super) fn is_taken_back(state: &ServiceState) -> bool {
    match state.update.as_ref().map(|update| update.state) {
        Some(
            UpdateState::Paused
            | UpdateState::RollbackStarted
            | UpdateState::RollbackCompleted
            | UpdateState::RollbackPaused,
        ) => true,
        Some(UpdateState::Updating | UpdateState::Completed | UpdateState::Other) | None => false,
    }
}
