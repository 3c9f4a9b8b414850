//! The permit for one mutating call: waits for a slot, and releases or keeps the slot after the
//! call.
//!
//! A response releases the slot. A call whose response was lost may still run on the platform, so
//! its slot stays taken until the platform is healthy and the call can no longer take effect.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use super::call_gate::{CallGate, Place, PlatformHealth};
use super::context::Context;
use super::failure::StepError;
use super::late_commit;
use crate::server::local_fault::LocalFault;
use crate::server::platform::PlatformError;
use crate::server::platform::call_slots::{CallKind, SlotAnswer, SlotId, SlotRequest};
use crate::server::store::{Cause, Result};
use clock::Clock;
use domain::event::FailureCode;
use domain::message::MessageCode;
use domain::platform_problem::PlatformProblem;
use domain::time::{elapsed_ms, later};

/// The interval at which a waiting operation retries without a notification: other portals release
/// slots, too, and cannot wake it.
const POLL: Duration = Duration::from_millis(250);
/// The pause between health checks of a platform that hangs.
const PAUSE: Duration = Duration::from_secs(3);
/// The wait in milliseconds after which the page says that the operation waits for its turn.
const NEWS_MS: u64 = 3_000;
/// The maximum duration of a call: the time limits of the client, and a margin.
const LONGEST_CALL: Duration = Duration::from_secs(20);
/// The maximum duration of the removal of an application, which waits for Docker.
const LONGEST_REMOVAL: Duration = Duration::from_secs(50);

/// The right to make one mutating call.
#[must_use = "a dropped permit counts as a call that may still run"]
pub(crate) struct CallPermit {
    call_gate: Arc<CallGate>,
    clock: Arc<dyn Clock>,
    id: SlotId,
    is_over: bool,
}

impl Context {
    /// Waits until the mutating call `action` may be made.
    ///
    /// # Errors
    ///
    /// Returns the errors of [`Context::wait`], with `PLATFORM_WEDGED` instead of `DEADLINE` if the
    /// platform hangs when the deadline passes.
    pub(crate) async fn call_permit(&self, action: &str) -> Result<CallPermit, StepError> {
        let place = self.call_gate.queue_up(CallKind::of(action), self.deployment.started);
        let limit = if action == "application.delete" { LONGEST_REMOVAL } else { LONGEST_CALL };
        let since = self.clock.now();
        let mut told = None;
        loop {
            let mut changed = pin!(self.call_gate.changed());
            // It is enabled before the attempt: otherwise a slot that is released in between wakes
            // nobody.
            changed.as_mut().enable();
            let fault = match self.try_permit(&place, limit).await? {
                PermitAttempt::Granted(permit) => return Ok(permit),
                PermitAttempt::Wait => None,
                PermitAttempt::LocalFault(fault) => Some(fault),
            };
            let news = match fault {
                _ if self.is_wedged() => MessageCode::WaitingForHang,
                Some(fault) => MessageCode::WaitingForPortal { fault },
                None => MessageCode::WaitingForTurn,
            };
            let is_late = elapsed_ms(since, self.clock.now()) >= NEWS_MS;
            if told.as_ref() != Some(&news) && (is_late || news != MessageCode::WaitingForTurn) {
                self.journal.set_message(news.clone()).await?;
                told = Some(news);
            }
            self.wait_or(POLL, changed).await.map_err(|error| self.explain(error))?;
        }
    }

    /// Returns whether the platform hangs, as far as is known.
    pub(crate) fn is_wedged(&self) -> bool {
        self.platform.problem() == Some(PlatformProblem::Wedged)
    }

    /// Replaces the error of a deadline that passed while the platform hung: the hang is the more
    /// exact cause.
    pub(crate) fn explain(&self, error: StepError) -> StepError {
        match error {
            StepError::Failed(Cause { code: FailureCode::Deadline, .. }) if self.is_wedged() => {
                StepError::wedged(self.journal.phase())
            }
            error => error,
        }
    }

    /// Tries to take a slot for a call that takes at most `limit`, if it is this operation's turn.
    async fn try_permit(&self, place: &Place, limit: Duration) -> Result<PermitAttempt, StepError> {
        if !place.is_first() {
            return Ok(PermitAttempt::Wait);
        }
        if self.is_wedged() {
            match self.platform_health().await? {
                PlatformHealth::Healthy => {}
                PlatformHealth::Unhealthy => return Ok(PermitAttempt::Wait),
                PlatformHealth::NotChecked(fault) => return Ok(PermitAttempt::LocalFault(fault)),
            }
        }
        let now = self.clock.now();
        let until = late_commit::until(later(now, limit));
        let mut request = place.request(now, until);
        let (mut answer, mut permit) = self.ask_for_slot(&request).await?;
        // Slots are free only if the lost calls that hold them have ended, which a healthy platform
        // shows.
        if answer == SlotAnswer::CheckHealth {
            request.is_healthy = Some(match self.platform_health().await? {
                PlatformHealth::Healthy => true,
                PlatformHealth::Unhealthy => false,
                PlatformHealth::NotChecked(fault) => return Ok(PermitAttempt::LocalFault(fault)),
            });
            if self.is_wedged() {
                return Ok(PermitAttempt::Wait);
            }
            request.now = self.clock.now();
            (answer, permit) = self.ask_for_slot(&request).await?;
        }
        Ok(match answer {
            SlotAnswer::Taken => PermitAttempt::Granted(permit),
            SlotAnswer::Wait | SlotAnswer::CheckHealth => PermitAttempt::Wait,
        })
    }

    /// Requests a slot, and returns the answer with the permit, which is over unless the slot is
    /// taken.
    async fn ask_for_slot(&self, request: &SlotRequest) -> Result<(SlotAnswer, CallPermit)> {
        // The permit exists before the slot is requested: if this future is dropped during the
        // request, the slot may be taken already, and the permit's drop reports it.
        let mut permit = CallPermit {
            call_gate: Arc::clone(&self.call_gate),
            clock: Arc::clone(&self.clock),
            id: request.id.clone(),
            is_over: false,
        };
        let answer = self.call_gate.slots.take(request).await;
        // After an error, the slot counts as not taken: if it was taken after all, it expires by
        // itself.
        permit.is_over = !matches!(answer, Ok(SlotAnswer::Taken));
        Ok((answer?, permit))
    }

    /// Checks the platform's health. Before an undo, a request to cancel ends the wait for the
    /// result.
    async fn platform_health(&self) -> Result<PlatformHealth, StepError> {
        let check = self.call_gate.platform_health(&*self.platform, &*self.clock);
        if self.is_undoing() {
            return Ok(check.await);
        }
        tokio::select! {
            biased;
            () = self.journal.cancelled().cancelled() => {
                Err(StepError::Failed(StepError::cancelled()))
            }
            health = check => Ok(health),
        }
    }

    /// Ends the call, which failed with `error` or succeeded: releases its slot, or keeps it if the
    /// call may still run.
    pub(crate) async fn end_call(&self, mut permit: CallPermit, error: Option<&PlatformError>) {
        permit.is_over = true;
        let slots = &permit.call_gate.slots;
        let ended = if error.is_some_and(PlatformError::may_still_run) {
            slots.keep(&permit.id, late_commit::until(self.clock.now())).await
        } else {
            slots.give_back(&permit.id).await
        };
        if let Err(error) = ended {
            // The slot expires by itself.
            tracing::warn!(%error, "Could not release a call slot");
        }
        permit.call_gate.wake();
    }

    /// Checks whether the platform hangs, after a call that timed out.
    pub(crate) async fn diagnose(&self) {
        self.call_gate.platform_health(&*self.platform, &*self.clock).await;
    }

    /// Waits until the platform no longer hangs.
    pub(crate) async fn wait_out_hang(&self) -> Result<(), StepError> {
        self.journal.set_message(MessageCode::WaitingForHang).await?;
        while self.is_wedged() && self.platform_health().await? != PlatformHealth::Healthy {
            self.wait(PAUSE).await.map_err(|error| self.explain(error))?;
        }
        Ok(())
    }
}

/// The result of an attempt to get a permit.
enum PermitAttempt {
    Granted(CallPermit),
    Wait,
    /// A local fault of the portal prevented the health check that the decision needs.
    LocalFault(LocalFault),
}

impl Drop for CallPermit {
    fn drop(&mut self) {
        if !self.is_over {
            self.call_gate.slots.abandon(&self.id, late_commit::until(self.clock.now()));
            self.call_gate.wake();
        }
    }
}
