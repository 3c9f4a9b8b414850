//! The parts of the deployment island, and what they follow.
//!
//! They must not know where events come from: `live` writes the signals, they read them.

pub mod copy;
pub mod failure;
pub mod headline;
pub mod log;
pub mod open;
pub mod receipt;
pub mod status;
pub mod steps;

use jiff::Timestamp;
use leptos::prelude::*;

use crate::domain::progress::{End, Progress};

/// What the parts follow.
#[derive(Clone, Copy)]
pub struct Watched {
    /// What the events add up to.
    pub(super) progress: RwSignal<Progress>,
    /// The server's time, as well as the browser can tell.
    pub(super) now: RwSignal<Timestamp>,
    /// How the stream is.
    pub(super) connection: RwSignal<Connection>,
}

/// How the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Open, or not yet needed.
    Fine,
    /// Broken, and being reopened.
    Lost,
}

/// Which of its three faces the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Steps are being done or undone.
    UnderWay,
    /// The stack is up.
    Live,
    /// It is not.
    Failed,
    /// It is taken down.
    Removed,
}

impl Watched {
    /// Starts from what the server knew at `now`.
    pub(super) fn new(progress: Progress, now: Timestamp) -> Self {
        Self {
            progress: RwSignal::new(progress),
            now: RwSignal::new(now),
            connection: RwSignal::new(Connection::Fine),
        }
    }

    /// Follows which face the page shows.
    pub(super) fn stage(self) -> Memo<Stage> {
        Memo::new(move |_| match self.progress.read().end {
            None => Stage::UnderWay,
            Some(End::Live(_)) => Stage::Live,
            Some(End::Failed(_)) => Stage::Failed,
            Some(End::Removed(_)) => Stage::Removed,
        })
    }
}

impl Stage {
    /// Returns the word that styles select the stage by.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::UnderWay => "under-way",
            Self::Live => "live",
            Self::Failed => "failed",
            Self::Removed => "removed",
        }
    }
}
