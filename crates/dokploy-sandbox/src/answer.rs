//! The answer to a request: what is due by then happens first, and a fault that waits for the call
//! takes the place of its answer.

use std::time::Duration;

use jiff::Timestamp;
use secrecy::ExposeSecret;

use super::calls;
use super::core::Core;
use super::faults::{FaultKind, Outage, Postponed};
use super::refusal::{Code, Refusal, unauthorized, unauthorized_within};
use super::request::{Answer, Body, Disposition, Request};

impl Core {
    /// Answers one request that arrives at `now`.
    pub fn handle(&mut self, now: Timestamp, request: &Request) -> Answer {
        self.tick(now);
        if request.path().starts_with("/sandbox/") {
            return self.control(now, request);
        }
        match self.faults.take(request.call(), &mut self.rng) {
            Some(kind) => self.answer_with_fault(now, request, kind),
            None => self.answer(now, request),
        }
    }

    /// Answers one request without faults.
    pub(super) fn answer(&mut self, now: Timestamp, request: &Request) -> Answer {
        if let Some(answer) = self.answer_to_anybody(now, request) {
            return answer;
        }
        let is_refused = self.outages.database.lasts(now) || self.outages.key.lasts(now);
        if is_refused || !self.admits(request) {
            return unauthorized();
        }
        let limit = self.key_limit.as_mut();
        if let Some(refusal) = limit.and_then(|limit| limit.refusal(now, request.call())) {
            return refusal;
        }
        if request.method == "HEAD" {
            return Answer::new(204, Body::Empty);
        }
        calls::dispatch(self, now, request)
    }

    /// Brings the state up to `now`: late requests are executed, jobs end and start, and updates end.
    pub fn tick(&mut self, now: Timestamp) {
        self.commit_postponed(now);
        self.run_queue(now);
        for service in &mut self.state.services {
            service.advance(now, &self.timing);
        }
    }

    pub(super) fn admits(&self, request: &Request) -> bool {
        request.api_key.as_deref() == Some(self.api_key.expose_secret())
    }

    /// Answers a request with the fault `kind`.
    pub(super) fn answer_with_fault(
        &mut self,
        now: Timestamp,
        request: &Request,
        kind: FaultKind,
    ) -> Answer {
        let call = request.call();
        match kind {
            FaultKind::ErrorBefore => broken(call),
            FaultKind::ErrorAfter => self.answer_but(now, request, broken(call)),
            FaultKind::RefusedAfter => self.answer_but(now, request, refused(call)),
            FaultKind::TimeoutBefore => broken(call).with(Disposition::Hang),
            FaultKind::Timeout => self.answer(now, request).with(Disposition::Hang),
            FaultKind::Late(delay) => {
                self.postponed.push(Postponed { due: later(now, delay), request: request.clone() });
                broken(call).with(Disposition::Hang)
            }
            FaultKind::ResetBefore => broken(call).with(Disposition::Reset),
            FaultKind::Ignored => Answer::json(serde_json::Value::Bool(true)),
            FaultKind::Reset => self.answer(now, request).with(Disposition::Reset),
            FaultKind::Unauthorized => unauthorized(),
            FaultKind::UnauthorizedWithin => unauthorized_within(call),
            FaultKind::Throttled(after) => throttled(after),
            FaultKind::Latency(delay) => Answer { delay, ..self.answer(now, request) },
            FaultKind::Restart => {
                let answer = self.answer(now, request);
                self.restart(now);
                answer
            }
            FaultKind::DockerDown(duration) => {
                self.outages.docker = Outage::Until(later(now, duration));
                self.answer(now, request)
            }
            FaultKind::DatabaseDown(duration) => {
                self.outages.database = Outage::Until(later(now, duration));
                self.answer(now, request)
            }
            FaultKind::DatabaseLost(duration) => {
                self.outages.database = Outage::Until(later(now, duration));
                unauthorized_within(call)
            }
            FaultKind::KeyLimited(duration) => {
                self.outages.key = Outage::Until(later(now, duration));
                unauthorized_within(call)
            }
        }
    }

    /// Executes the request, and returns another answer.
    fn answer_but(&mut self, now: Timestamp, request: &Request, instead: Answer) -> Answer {
        drop(self.answer(now, request));
        instead
    }

    /// Executes the late requests that are due.
    pub(super) fn commit_postponed(&mut self, now: Timestamp) {
        let (due, waiting): (Vec<_>, Vec<_>) =
            std::mem::take(&mut self.postponed).into_iter().partition(|one| one.due <= now);
        self.postponed = waiting;
        for one in due {
            drop(self.answer(one.due, &one.request));
        }
    }
}

fn later(now: Timestamp, delay: Duration) -> Timestamp {
    now.checked_add(delay).unwrap_or(Timestamp::MAX)
}

fn broken(call: &str) -> Answer {
    Refusal::new(Code::InternalServerError, call, "Internal server error").into_answer()
}

fn refused(call: &str) -> Answer {
    Refusal::new(Code::BadRequest, call, "Error after the fact").into_answer()
}

fn throttled(after: Duration) -> Answer {
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    Answer { retry_after: Some(seconds), ..Answer::new(429, Body::Text("Too Many Requests")) }
}
