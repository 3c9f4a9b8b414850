//! The parts of the deployment island, and what they follow.
//!
//! They must not know where events come from: `live` writes the signals, they read them.

pub mod ended;
pub mod forms;
pub mod log;
pub mod panels;
pub mod receipt;
pub mod status;
pub mod steps;

use jiff::Timestamp;
use leptos::prelude::*;

use super::{
    kind,
    words::page_state::{PageState, PageStateInputs},
};
use crate::api::wire::{DeploymentView, Downtime};
use domain::{
    deployment::{DeploymentId, DeploymentMetadata},
    kind::Kind,
    progress::Progress,
    receipt::Receipt,
};

/// The signals that the parts of the page follow.
#[derive(Clone, Copy)]
pub struct DeploymentSignals {
    /// The fold of the events.
    pub(super) progress: RwSignal<Progress>,
    /// The server's time, as well as the browser can tell.
    pub(super) now: RwSignal<Timestamp>,
    /// Describes how the stream is.
    pub(super) connection: RwSignal<Connection>,
    /// True if somebody asked to cancel it.
    pub(super) is_cancelling: RwSignal<bool>,
    /// Its state after the end.
    pub(super) after_end: RwSignal<AfterEnd>,
    /// True if whoever watches may cancel it, try it again or remove its stack.
    pub(super) may_change: bool,
    /// The number of hours its name that is kept for its owner, once its stack is removed.
    pub(super) kept_hours: Option<u64>,
    /// The time for which no container of the live stack runs, as far as was known.
    pub(super) not_running: Option<Downtime>,
    /// The kind of the operation.
    pub(super) kind: &'static Kind,
}

/// Describes how the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Open, or not yet needed.
    Fine,
    /// Broken, and being reopened.
    Lost,
    /// Closed: whoever watches has to sign in again.
    SignedOut,
}

/// The state of an operation after its end, besides its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterEnd {
    /// The result of the clean-up since.
    pub(super) receipt: Option<Receipt>,
    /// The time at which clean-up continues, while something is left.
    pub(super) next_try: Option<Timestamp>,
    /// The deployment that tries this one again.
    pub(super) retried_by: Option<DeploymentId>,
}

impl DeploymentSignals {
    /// Starts from what the server knew.
    pub(super) fn new(view: DeploymentView) -> Self {
        let DeploymentMetadata { receipt, links, .. } = view.metadata;
        let after_end = AfterEnd { receipt, next_try: view.next_try, retried_by: links.retried_by };
        Self {
            kind: kind(view.deployment.kind),
            may_change: view.may_change,
            kept_hours: view.kept_hours,
            not_running: view.not_running,
            progress: RwSignal::new(view.progress),
            now: RwSignal::new(view.now),
            connection: RwSignal::new(Connection::Fine),
            is_cancelling: RwSignal::new(view.is_cancelling),
            after_end: RwSignal::new(after_end),
        }
    }

    /// Follows the state that the page shows.
    pub(super) fn page_state(self) -> Memo<PageState> {
        let receipt = self.receipt();
        Memo::new(move |_| {
            let (is_clean, is_cancelling) = (receipt.read().clean, self.is_cancelling.get());
            let is_down = self.not_running.is_some();
            let inputs = PageStateInputs { kind: self.kind, is_cancelling, is_clean, is_down };
            PageState::of(&self.progress.read(), inputs)
        })
    }

    /// Follows what has become of everything by now; empty before the end.
    pub(super) fn receipt(self) -> Memo<Receipt> {
        Memo::new(move |_| {
            let (progress, after_end) = (self.progress.read(), self.after_end.read());
            progress.receipt_by_now(after_end.receipt.as_ref()).cloned().unwrap_or_default()
        })
    }
}
