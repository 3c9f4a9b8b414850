//! The messages that watchers were shown in the current phase. They are recorded events, so limits
//! that count only parts of a phase are computed from them and survive a restart.

use jiff::Timestamp;

use super::Journal;
use crate::server::saga::outages::Span;
use crate::server::store::{Fact, Result, StepId};
use domain::event::{EventBody, ProgressUpdate};
use domain::kind::Kind;
use domain::message::MessageCode;
use domain::phase::Phase;

/// The messages of the current phase, each with the time of its announcement. `None` is the phase's
/// default message.
#[derive(Debug, Default)]
pub(crate) struct MessageHistory {
    phase: Option<Phase>,
    messages: Vec<(Timestamp, Option<MessageCode>)>,
}

impl MessageHistory {
    /// Applies an event. A new phase discards the messages of the one before.
    pub(crate) fn take(&mut self, event: &EventBody) {
        let EventBody::Progress(update) = event else { return };
        if self.phase != Some(update.phase) {
            *self = Self { phase: Some(update.phase), messages: Vec::new() };
        }
        self.messages.push((update.at, update.message_code()));
    }

    /// Returns when the current phase began, if it was announced.
    pub(super) fn since(&self) -> Option<Timestamp> {
        self.messages.first().map(|(at, _)| *at)
    }

    /// Returns the spans up to `now` in which a message was shown that `is_meant` accepts.
    fn spans(&self, is_meant: impl Fn(&MessageCode) -> bool, now: Timestamp) -> Vec<Span> {
        let ends = self.messages.iter().skip(1).map(|(at, _)| *at).chain([now]);
        let spans = self.messages.iter().zip(ends);
        let meant = spans.filter(|((_, code), _)| code.as_ref().is_some_and(&is_meant));
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
        self.state.lock().progress.phase
    }

    /// Announces a more exact message for the current phase, unless it is already shown.
    pub(crate) async fn set_message(&self, code: MessageCode) -> Result<()> {
        if self.mode.is_after_end() || self.state.lock().progress.code.as_ref() == Some(&code) {
            return Ok(());
        }
        let events = self.announce(self.phase(), Some(code));
        self.record(Fact { events, ..Fact::default() }).await
    }

    /// Announces the phase's default message, if `is_meant` accepts the one shown.
    pub(crate) async fn clear_message(
        &self,
        is_meant: impl Fn(&MessageCode) -> bool + Send,
    ) -> Result<()> {
        if !self.message().is_some_and(|code| is_meant(&code)) {
            return Ok(());
        }
        self.reset_message().await
    }

    /// Announces the phase's default message, unless it is already shown.
    pub(crate) async fn reset_message(&self) -> Result<()> {
        let events = self.announce(self.phase(), None);
        if events.is_empty() {
            return Ok(());
        }
        self.record(Fact { events, ..Fact::default() }).await
    }

    /// Returns when `step` was announced, if it is the current step.
    pub(crate) fn running_since(&self, step: StepId) -> Option<Timestamp> {
        self.state.lock().progress.running_since(self.kind.phase_of(step))
    }

    /// Returns the spans of the current phase in which a message was shown that `is_meant` accepts.
    pub(crate) fn spans(&self, is_meant: impl Fn(&MessageCode) -> bool) -> Vec<Span> {
        self.state.lock().messages.spans(is_meant, self.clock.now())
    }

    /// Returns the message that is shown, unless it is the phase's default one.
    pub(crate) fn message(&self) -> Option<MessageCode> {
        self.state.lock().progress.code.clone()
    }

    /// Returns the time since which the message `code` has been shown without interruption, if it
    /// is shown.
    pub(crate) fn message_since(&self, code: &MessageCode) -> Option<Timestamp> {
        let state = self.state.lock();
        let shown = state.messages.messages.iter().rev();
        let since = shown.take_while(|(_, shown)| shown.as_ref() == Some(code));
        since.last().map(|(at, _)| *at)
    }

    /// Returns the event that announces `phase` with the message `code`, or with its default
    /// message. Returns none if the same is already shown, after the end, or if the kind does not
    /// allow the transition.
    pub(crate) fn announce(&self, phase: Phase, code: Option<MessageCode>) -> Vec<EventBody> {
        if self.mode.is_after_end() {
            return Vec::new();
        }
        let state = self.state.lock();
        let progress = &state.progress;
        let (resources, now) = (progress.resources.clone(), self.clock.now());
        let update = ProgressUpdate::new(self.kind, phase, progress.percent, resources, now);
        let update = match code {
            Some(code) => update.with_message(code),
            None => update,
        };
        // A message that an older version recorded may have no code, so the text is compared as
        // well.
        let is_shown = progress.code == update.code && progress.message == update.message;
        if progress.phase == phase && is_shown {
            return Vec::new();
        }
        if !self.kind.may_become(progress.phase, phase) {
            tracing::error!(from = ?progress.phase, to = ?phase, "Rejected an illegal phase transition");
            return Vec::new();
        }
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

    fn shown(phase: Phase, code: MessageCode, second: i64) -> EventBody {
        let update = ProgressUpdate::new(&DEPLOY, phase, 0, Resources::default(), at(second));
        EventBody::Progress(update.with_message(code))
    }

    #[test]
    fn the_times_of_a_message_are_those_within_its_phase_alone() {
        use MessageCode::{WaitingForCertificate as Check, WaitingForTurn as Wait};
        let mut messages = MessageHistory::default();
        for event in [
            shown(Phase::DEPLOYING, Wait, 0),
            shown(Phase::VERIFYING_HEALTH, Check, 100),
            shown(Phase::VERIFYING_HEALTH, Wait, 101),
            shown(Phase::VERIFYING_HEALTH, Check, 104),
            shown(Phase::VERIFYING_HEALTH, Wait, 110),
        ] {
            messages.take(&event);
        }
        let is_wait = |code: &MessageCode| *code == Wait;
        let waits = [(at(101), at(104)), (at(110), at(120))];
        assert_eq!(messages.spans(is_wait, at(120)), waits);
        assert_eq!(messages.spans(|_| true, at(120)).len(), 4);
    }
}
