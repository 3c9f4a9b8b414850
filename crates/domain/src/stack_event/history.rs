//! Folds the events of a stack into what the stack is after them.

use jiff::Timestamp;

use super::{Outcome, StackEvent, StackEventBody, Why};
use crate::deployment::DeploymentId;
use crate::event::Seq;
use crate::kind::{KindName, Kinds, StackState, StackStatus};

/// What a stack is after the events that were applied.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackHistory {
    /// The number of the last event.
    pub seq: Seq,
    /// The operation that is under way, or has left something to be done.
    pub held: Option<Held>,
    /// What the last operations made of it; `None` before the first one has ended.
    pub state: Option<StackState>,
    /// The number of its revision; `None` if it has not come up.
    pub revision: Option<u32>,
    /// Since when it has not worked, and why.
    pub unhealthy: Option<(Timestamp, Why)>,
    /// When it expires.
    pub expires: Option<Timestamp>,
}

/// The operation that holds a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its id.
    pub operation: DeploymentId,
    /// Its kind.
    pub kind: KindName,
    /// True if it has ended, and has left something to be done.
    pub is_stuck: bool,
}

impl StackHistory {
    /// Returns what a stack is after these events.
    pub fn of(events: impl IntoIterator<Item = StackEvent>) -> Self {
        let mut history = Self::default();
        events.into_iter().for_each(|event| history.apply(event));
        history
    }

    /// Applies the next event.
    pub fn apply(&mut self, event: StackEvent) {
        let StackEvent { seq, at, body } = event;
        self.seq = seq;
        match body {
            StackEventBody::OperationBegun { operation, kind, .. } => {
                self.held = Some(Held { operation, kind, is_stuck: false });
            }
            StackEventBody::OperationEnded { operation, kind, outcome, leaves } => {
                match leaves {
                    Some(leaves) => self.leave(leaves),
                    None => self.held = Some(Held { operation, kind, is_stuck: true }),
                }
                // What was asked for was verified.
                if outcome == Outcome::Done {
                    self.unhealthy = None;
                }
            }
            StackEventBody::CleanedUp { leaves, .. } => self.leave(leaves),
            StackEventBody::RevisionLive { revision } => self.revision = Some(revision),
            StackEventBody::Unhealthy { why } => self.unhealthy = Some((at, why)),
            StackEventBody::Recovered => self.unhealthy = None,
            StackEventBody::ExpiryChanged { expires_at } => self.expires = expires_at,
            StackEventBody::StoppedByItself { .. } | StackEventBody::Unknown => {}
        }
    }

    /// Returns what people see of the stack.
    pub fn status(&self, kinds: Kinds) -> StackStatus {
        let held = self.held.as_ref().map(|held| (held.kind, held.is_stuck));
        let state = self.state.unwrap_or(StackState::Live);
        StackStatus::of(kinds, state, held, self.unhealthy.is_some())
    }

    fn leave(&mut self, leaves: StackState) {
        self.held = None;
        self.state = Some(leaves);
    }
}

impl StackStatus {
    /// Returns what people see of a stack: by the operation that holds it, of which this is the kind
    /// and whether it has ended, by what the stack should be, and by whether it works.
    pub fn of(
        kinds: Kinds,
        state: StackState,
        held: Option<(KindName, bool)>,
        is_unhealthy: bool,
    ) -> Self {
        match (held, state) {
            (Some((_, true)), _) => Self::Stuck,
            (Some((kind, false)), _) => kinds.of(kind).status,
            (None, StackState::Gone) => Self::Gone,
            (None, StackState::Stopped) => Self::Stopped,
            (None, StackState::Live) if is_unhealthy => Self::Unhealthy,
            (None, StackState::Live) => Self::Running,
        }
    }
}
