//! The parts of the deployment island, and what they follow.
//!
//! They must not know where events come from: `live` writes the signals, they read them.

pub mod attempts;
pub mod cancel;
pub mod copy;
pub mod down;
pub mod ended;
pub mod headline;
pub mod log;
pub mod open;
pub mod post_form;
pub mod receipt;
pub mod remove;
pub mod sign_in_again;
pub mod status;
pub mod steps;

use jiff::Timestamp;
use leptos::prelude::*;

use super::words::stage::{Besides, Stage};
use crate::{
    api::wire::{DeploymentView, Downtime},
    domain::{
        deployment::{DeploymentId, Kind, Standing},
        progress::Progress,
        receipt::Receipt,
    },
};

/// What the parts follow.
#[derive(Clone, Copy)]
pub struct Watched {
    /// What the events add up to.
    pub(super) progress: RwSignal<Progress>,
    /// The server's time, as well as the browser can tell.
    pub(super) now: RwSignal<Timestamp>,
    /// How the stream is.
    pub(super) connection: RwSignal<Connection>,
    /// Whether somebody wished to cancel it.
    pub(super) is_cancelling: RwSignal<bool>,
    /// What has become of it since its end.
    pub(super) aftermath: RwSignal<Aftermath>,
    /// Whether whoever watches may cancel it, try it again or remove its stack.
    pub(super) may_change: bool,
    /// How many hours its name is kept for its owner, once its stack is removed.
    pub(super) kept_hours: Option<u64>,
    /// For how long no container of the live stack runs, as far as was known.
    pub(super) not_running: Option<Downtime>,
    kind: Kind,
}

/// How the stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connection {
    /// Open, or not yet needed.
    Fine,
    /// Broken, and being reopened.
    Lost,
    /// Closed: whoever watches has to sign in again.
    SignedOut,
}

/// What becomes of an operation after its end, besides its events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Aftermath {
    /// What clean-up has found since.
    pub(super) receipt: Option<Receipt>,
    /// When clean-up goes on, while something is left.
    pub(super) next_try: Option<Timestamp>,
    /// The deployment that tries this one again.
    pub(super) retried_by: Option<DeploymentId>,
}

impl Watched {
    /// Starts from what the server knew.
    pub(super) fn new(view: DeploymentView) -> Self {
        let Standing { receipt, links, .. } = view.standing;
        let aftermath =
            Aftermath { receipt, next_try: view.next_try, retried_by: links.retried_by };
        Self {
            kind: view.deployment.id.kind(),
            may_change: view.may_change,
            kept_hours: view.kept_hours,
            not_running: view.not_running,
            progress: RwSignal::new(view.progress),
            now: RwSignal::new(view.now),
            connection: RwSignal::new(Connection::Fine),
            is_cancelling: RwSignal::new(view.is_cancelling),
            aftermath: RwSignal::new(aftermath),
        }
    }

    /// Follows which face the page shows.
    pub(super) fn stage(self) -> Memo<Stage> {
        let receipt = self.receipt();
        Memo::new(move |_| {
            let (is_clean, is_cancelling) = (receipt.read().clean, self.is_cancelling.get());
            let is_down = self.not_running.is_some();
            let besides = Besides { kind: self.kind, is_cancelling, is_clean, is_down };
            Stage::of(&self.progress.read(), besides)
        })
    }

    /// Follows what has become of everything by now; empty before the end.
    pub(super) fn receipt(self) -> Memo<Receipt> {
        Memo::new(move |_| {
            let (progress, aftermath) = (self.progress.read(), self.aftermath.read());
            progress.receipt_by_now(aftermath.receipt.as_ref()).cloned().unwrap_or_default()
        })
    }
}
