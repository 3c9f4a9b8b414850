//! The messages that watchers were shown: the phase under way and its text. Limits that count a
//! part of a phase only are counted from it, across restarts.

use jiff::Timestamp;

use super::Journal;
use crate::server::{
    saga::outages::Span,
    store::{Fact, StepId, StoreError},
};
use domain::{
    event::{EventBody, ProgressUpdate},
    kind::Kind,
    phase::Phase,
};

/// The sentences of the phase under way, each with when it was announced.
#[derive(Debug, Default)]
pub(crate) struct MessageHistory {
    phase: Option<Phase>,
    sentences: Vec<(Timestamp, String)>,
}

impl MessageHistory {
    /// Takes an event in.
    pub(crate) fn take(&mut self, event: &EventBody) {
        let EventBody::Progress(update) = event else { return };
        if self.phase != Some(update.phase) {
            *self = Self { phase: Some(update.phase), sentences: Vec::new() };
        }
        self.sentences.push((update.at, update.message.clone()));
    }

    /// Returns when sentences were shown that `is_meant`, until `now`.
    fn spans(&self, is_meant: impl Fn(&str) -> bool, now: Timestamp) -> Vec<Span> {
        let ends = self.sentences.iter().skip(1).map(|(at, _)| *at).chain([now]);
        let spans = self.sentences.iter().zip(ends);
        let meant = spans.filter(|((_, sentence), _)| is_meant(sentence));
        meant.map(|((since, _), until)| (*since, until)).collect()
    }
}

impl Journal {
    /// Returns the kind of the operation.
    pub(crate) fn kind(&self) -> &'static Kind {
        self.kind
    }

    /// Returns the phase that was last announced.
    pub(crate) fn phase(&self) -> Phase {
        self.state().progress.phase
    }

    /// Announces a more exact sentence for the phase under way, unless it is the one shown.
    pub(crate) async fn set_message(&self, message: &str) -> Result<(), StoreError> {
        if self.mode.is_after_end() || self.state().progress.message == message {
            return Ok(());
        }
        let events = self.announce(self.phase(), Some(message));
        self.record(Fact { events, ..Fact::default() }).await
    }

    /// Goes back to the phase's own sentence, if `message` is the one shown.
    pub(crate) async fn clear_message(&self, message: &str) -> Result<(), StoreError> {
        if self.state().progress.message != message {
            return Ok(());
        }
        let events = self.announce(self.phase(), None);
        self.record(Fact { events, ..Fact::default() }).await
    }

    /// Returns when `step` was announced, while it is the one under way.
    pub(crate) fn running_since(&self, step: StepId) -> Option<Timestamp> {
        self.state().progress.running_since(self.kind.phase_of(step))
    }

    /// Returns when sentences were shown that `is_meant`, while the phase under way lasted.
    pub(crate) fn spans(&self, is_meant: impl Fn(&str) -> bool) -> Vec<Span> {
        self.state().messages.spans(is_meant, self.clock.now())
    }

    /// Returns the sentence that is shown.
    pub(crate) fn sentence(&self) -> String {
        self.state().progress.message.clone()
    }

    /// Returns since when `sentence` is shown, if it is.
    pub(crate) fn message_since(&self, sentence: &str) -> Option<Timestamp> {
        let state = self.state();
        let since = state.messages.sentences.iter().rev().take_while(|(_, text)| text == sentence);
        since.last().map(|(at, _)| *at)
    }

    /// Announces `phase`, unless it is the one shown, with `message` in place of its own sentence.
    pub(crate) fn announce(&self, phase: Phase, message: Option<&str>) -> Vec<EventBody> {
        if self.mode.is_after_end() {
            return Vec::new();
        }
        let state = self.state();
        let progress = &state.progress;
        if progress.phase == phase
            && progress.message == message.unwrap_or(self.kind.sentence(phase))
        {
            return Vec::new();
        }
        if !self.kind.may_become(progress.phase, phase) {
            tracing::error!(from = ?progress.phase, to = ?phase, "Rejected an illegal phase transition");
            return Vec::new();
        }
        let resources = progress.resources.clone();
        let now = self.clock.now();
        let update = ProgressUpdate::new(self.kind, phase, progress.percent, resources, now);
        let update = match message {
            Some(message) => update.with_message(message),
            None => update,
        };
        vec![EventBody::Progress(update)]
    }
}

#[cfg(test)]
mod tests {
    use crate::server::saga::journal::messages::*;
    use domain::{event::Resources, kind::DEPLOY};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn said(phase: Phase, sentence: &str, second: i64) -> EventBody {
        let update = ProgressUpdate::new(&DEPLOY, phase, 0, Resources::default(), at(second));
        EventBody::Progress(update.with_message(sentence))
    }

    #[test]
    fn the_times_of_a_sentence_are_those_within_its_phase_alone() {
        let mut messages = MessageHistory::default();
        for event in [
            said(Phase::DEPLOYING, "wait", 0),
            said(Phase::VERIFYING_HEALTH, "check", 100),
            said(Phase::VERIFYING_HEALTH, "wait", 101),
            said(Phase::VERIFYING_HEALTH, "check", 104),
            said(Phase::VERIFYING_HEALTH, "wait", 110),
        ] {
            messages.take(&event);
        }
        let is_wait = |sentence: &str| sentence == "wait";
        let waits = [(at(101), at(104)), (at(110), at(120))];
        assert_eq!(messages.spans(is_wait, at(120)), waits);
        assert_eq!(messages.spans(|_| true, at(120)).len(), 4);
    }
}
