//! The state of the name field.

use std::time::Duration;

use leptos::prelude::*;
use leptos::task::spawn_local;

use super::hint::{Hint, Typing, hint};
use crate::api::names::check_name;
use crate::wire::{AddressPattern, NameVerdict};
use domain::stack_name::StackName;

/// The pause in typing after which the server checks the name.
const PAUSE: Duration = Duration::from_millis(300);

/// The state of the name field.
#[derive(Clone, Copy)]
pub(super) struct Field {
    /// The problem that prevented a start, if not the name.
    pub(super) problem: RwSignal<Option<String>>,
    text: RwSignal<String>,
    typing: RwSignal<Typing>,
    verdict: RwSignal<Option<NameVerdict>>,
    pause: StoredValue<Option<TimeoutHandle>>,
}

impl Field {
    /// Creates the state from what the server rendered. A text with a verdict was submitted.
    pub(super) fn new(text: String, verdict: Option<NameVerdict>, problem: Option<String>) -> Self {
        let typing = if verdict.is_some() { Typing::Submitted } else { Typing::Ongoing };
        Self {
            problem: RwSignal::new(problem),
            text: RwSignal::new(text),
            typing: RwSignal::new(typing),
            verdict: RwSignal::new(verdict),
            pause: StoredValue::new(None),
        }
    }

    /// Returns the text of the field, without tracking it.
    pub(super) fn text(self) -> String {
        self.text.get_untracked()
    }

    /// Returns the hint about the text, and tracks its inputs.
    pub(super) fn hint(self, pattern: &AddressPattern) -> Hint {
        hint(&self.text.read(), self.typing.get(), self.verdict.read().as_ref(), pattern)
    }

    /// Sets the text of the field, and lets the server check it after a pause.
    pub(super) fn type_in(self, text: String) {
        self.problem.set(None);
        self.typing.set(Typing::Ongoing);
        self.text.set(text);
        self.forget();
        self.pause.set_value(set_timeout_with_handle(move || self.ask(), PAUSE).ok());
    }

    /// Forgets the check that is about to be made, so that the same is not asked twice.
    fn forget(self) {
        if let Some(earlier) = self.pause.try_update_value(Option::take).flatten() {
            earlier.clear();
        }
    }

    /// Handles that the person left the field.
    pub(super) fn leave(self) {
        if self.typing.get_untracked() == Typing::Ongoing {
            self.typing.set(Typing::Left);
        }
    }

    /// Handles that the person pressed the button.
    pub(super) fn submit(self) {
        self.problem.set(None);
        self.typing.set(Typing::Submitted);
    }

    /// Shows why the server refused to start, and checks the name again, which may be the reason.
    pub(super) fn refuse(self, why: String) {
        self.problem.set(Some(why));
        self.ask();
    }

    /// Lets the server check the text of the field, also if it is about to. A late answer is about
    /// another name, and is therefore ignored by [`hint`].
    pub(super) fn ask(self) {
        self.forget();
        let text = self.text();
        if StackName::for_new_stack(&text).is_err() {
            return;
        }
        spawn_local(async move {
            // Without an answer there is no verdict, which does no harm: the start checks the name
            // anyway.
            if let Ok(verdict) = check_name(text).await {
                self.verdict.set(Some(verdict));
            }
        });
    }
}
