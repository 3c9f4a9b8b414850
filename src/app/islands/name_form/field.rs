//! The state of the name field.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use crate::{
    api::{
        names::check_name,
        wire::{AddressPattern, NameVerdict},
    },
    app::words::hint::{Hint, Typing, hint},
};
use domain::stack_name::StackName;

/// The time for which a person must have stopped typing before the server is asked.
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
    /// Takes over what the server rendered. What comes with a verdict was submitted.
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

    /// Returns what is in the field, without following it.
    pub(super) fn text(self) -> String {
        self.text.get_untracked()
    }

    /// Says what is known, and follows it.
    pub(super) fn hint(self, pattern: &AddressPattern) -> Hint {
        hint(&self.text.read(), self.typing.get(), self.verdict.read().as_ref(), pattern)
    }

    /// Takes in what is now in the field, and asks the server once typing pauses.
    pub(super) fn type_in(self, text: String) {
        self.problem.set(None);
        self.typing.set(Typing::Ongoing);
        self.text.set(text);
        let ask = set_timeout_with_handle(move || self.ask(), PAUSE).ok();
        if let Some(earlier) =
            self.pause.try_update_value(|pause| std::mem::replace(pause, ask)).flatten()
        {
            earlier.clear();
        }
    }

    /// The person has left the field.
    pub(super) fn leave(self) {
        if self.typing.get_untracked() == Typing::Ongoing {
            self.typing.set(Typing::Left);
        }
    }

    /// The person has pressed the button.
    pub(super) fn submit(self) {
        self.problem.set(None);
        self.typing.set(Typing::Submitted);
    }

    /// The server has refused to start, and may know by now whether the name is the reason.
    pub(super) fn refuse(self, why: String) {
        self.problem.set(Some(why));
        self.ask();
    }

    /// Asks the server about what is in the field. An answer that comes too late is on
    /// another name than the field's, and so is ignored.
    pub(super) fn ask(self) {
        let text = self.text();
        if StackName::parse(&text).is_err() {
            return;
        }
        spawn_local(async move {
            // Without an answer there is no verdict: the start itself decides anyway.
            if let Ok(verdict) = check_name(text).await {
                self.verdict.set(Some(verdict));
            }
        });
    }
}
