//! The components of the deployment island, and the signals that they follow.
//!
//! They must not know where events come from: `live` writes the signals, and they read them.

pub mod ended;
pub mod forms;
pub mod log;
pub mod panels;
pub mod receipt;
pub mod status;
pub mod steps;

use jiff::Timestamp;
use leptos::prelude::*;

use super::kind;
use super::page_state::{PageState, PageStateInputs};
use crate::wire::{DeploymentView, Downtime};
use domain::deployment::{DeploymentId, DeploymentMetadata};
use domain::kind::Kind;
use domain::progress::Progress;
use domain::receipt::Receipt;

/// The signals that the components of the page follow.
#[derive(Clone, Copy)]
pub struct DeploymentSignals {
    /// The result of folding the events.
    pub(super) progress: RwSignal<Progress>,
    /// The server's time, estimated from the browser's clock.
    pub(super) now: RwSignal<Timestamp>,
    /// The state of the event stream.
    pub(super) connection: RwSignal<Connection>,
    /// True if somebody asked to cancel it.
    pub(super) is_cancelling: RwSignal<bool>,
    /// Its state after the end.
    pub(super) after_end: RwSignal<AfterEnd>,
    /// True if the viewer may cancel or retry it, or remove its stack.
    pub(super) may_change: bool,
    /// The number of hours for which the stack's name stays reserved for its owner after the
    /// removal.
    pub(super) kept_hours: Option<u64>,
    /// The downtime of the live stack, if one was known when the page was rendered.
    pub(super) not_running: Option<Downtime>,
    /// True if the stack that was live is stopped, as it was when the page was rendered.
    pub(super) is_stopped: bool,
    /// The revision to which a change leads.
    pub(super) revision: Option<u32>,
    /// The kind of the operation.
    pub(super) kind: &'static Kind,
}

/// The state of the event stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Open, or not yet needed.
    Fine,
    /// Broken, and being reopened.
    Lost,
    /// No stream gets through, so the page asks for events at intervals.
    Polling,
    /// Closed: the viewer must sign in again.
    SignedOut,
}

/// The state of an operation after its end, besides its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AfterEnd {
    /// The result of clean-up since the end.
    pub(super) receipt: Option<Receipt>,
    /// The time of the next clean-up, while something is left.
    pub(super) next_try: Option<Timestamp>,
    /// The deployment that retries this one.
    pub(super) retried_by: Option<DeploymentId>,
}

impl DeploymentSignals {
    /// Creates the signals from the view that the server rendered.
    pub(super) fn new(view: DeploymentView) -> Self {
        let DeploymentMetadata { receipt, links, .. } = view.metadata;
        let after_end = AfterEnd { receipt, next_try: view.next_try, retried_by: links.retried_by };
        Self {
            kind: kind(view.deployment.kind),
            may_change: view.may_change,
            kept_hours: view.kept_hours,
            not_running: view.not_running,
            is_stopped: view.is_stopped,
            revision: view.revision,
            progress: RwSignal::new(view.progress),
            now: RwSignal::new(view.now),
            connection: RwSignal::new(Connection::Fine),
            is_cancelling: RwSignal::new(view.is_cancelling),
            after_end: RwSignal::new(after_end),
        }
    }

    /// Returns a memo of the state that the page shows.
    pub(super) fn page_state(self) -> Memo<PageState> {
        let receipt = self.receipt();
        Memo::new(move |_| {
            let (is_clean, is_cancelling) = (receipt.read().clean, self.is_cancelling.get());
            let is_down = self.not_running.is_some();
            let inputs = PageStateInputs {
                kind: self.kind,
                is_cancelling,
                is_clean,
                is_down,
                is_stopped: self.is_stopped,
            };
            PageState::of(&self.progress.read(), inputs)
        })
    }

    /// Returns a memo of the newest receipt, which is empty before the end.
    pub(super) fn receipt(self) -> Memo<Receipt> {
        Memo::new(move |_| {
            let (progress, after_end) = (self.progress.read(), self.after_end.read());
            progress.receipt_by_now(after_end.receipt.as_ref()).cloned().unwrap_or_default()
        })
    }
}
