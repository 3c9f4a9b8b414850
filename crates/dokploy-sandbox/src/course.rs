//! The course of a generation: when its container is used, and when and how it fails.
//!
//! Everything follows from the image, the health check and the time; it must not know services.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::health_check::Verdict;
use super::images::{Behaviour, Timing};
use super::service::{End, Generation};

/// A container that fails again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cycle {
    /// For how long each container runs.
    pub(crate) lasts: Duration,
    /// From the start of one to the start of the next.
    pub(crate) every: Duration,
    pub(crate) end: End,
}

/// How the reverse proxy finds a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The swarm does not offer it.
    Absent,
    /// The swarm offers it, but it does not accept connections yet.
    Refusing,
    /// It accepts connections.
    Answering,
}

impl Cycle {
    /// Returns how many containers have failed by this age of the generation.
    pub(crate) fn failures(&self, age: Duration) -> u64 {
        let Some(beyond) = age.checked_sub(self.lasts) else { return 0 };
        let turns = beyond.as_millis().checked_div(self.every.as_millis());
        // Without a pause in between, there are as many as are kept.
        turns.map_or(u64::MAX / 2, |turns| u64::try_from(turns).unwrap_or(u64::MAX / 2) + 1)
    }

    /// Returns the age at which a container starts.
    pub(crate) fn start_of(&self, number: u64) -> Duration {
        self.every.saturating_mul(u32::try_from(number).unwrap_or(u32::MAX))
    }
}

impl Generation {
    /// Returns its age at `now`; zero before its first container starts.
    pub(crate) fn age(&self, now: Timestamp) -> Duration {
        let age = now.duration_since(self.since).max(SignedDuration::ZERO);
        Duration::try_from(age).unwrap_or_default()
    }

    fn verdict(&self, timing: &Timing) -> Option<Verdict> {
        let check = self.spec.health_check.as_ref()?;
        Some(check.verdict(timing.of_start(self.behaviour)))
    }

    /// Returns the cycle of its failures, if it fails.
    pub(crate) fn cycle(&self, timing: &Timing) -> Option<Cycle> {
        let each = |lasts, end| Some(Cycle { lasts, every: lasts, end });
        match (self.behaviour, self.verdict(timing)) {
            (Behaviour::Crashloop, _) => each(timing.crash, End::Crash),
            (Behaviour::OutOfMemory, _) => each(timing.crash, End::OutOfMemory),
            (Behaviour::Rejected, _) => each(timing.crash, End::Rejected),
            (_, Some(Verdict::KilledAfter(lasts))) => each(lasts, End::Unhealthy),
            (Behaviour::Dying, Some(Verdict::HealthyAfter(_)) | None) => {
                let lasts = timing.lifetime;
                Some(Cycle { lasts, every: lasts.saturating_add(timing.crash), end: End::Crash })
            }
            (
                Behaviour::Hello
                | Behaviour::Slow
                | Behaviour::Unhealthy
                | Behaviour::Silent
                | Behaviour::Sluggish,
                Some(Verdict::HealthyAfter(_)) | None,
            ) => None,
        }
    }

    /// Returns whether its container ends right after it starts.
    pub(crate) fn ends_at_once(&self) -> bool {
        match self.behaviour {
            Behaviour::Crashloop | Behaviour::OutOfMemory | Behaviour::Rejected => true,
            Behaviour::Hello
            | Behaviour::Slow
            | Behaviour::Unhealthy
            | Behaviour::Silent
            | Behaviour::Dying
            | Behaviour::Sluggish => false,
        }
    }

    /// Returns the time after its start at which the swarm takes it for running, and ends the one
    /// before it: with a health check, once that has succeeded; else at once, even if the program
    /// does not listen yet (recordings day-two 319, 330). `None` if it fails before.
    pub(crate) fn ready_after(&self, timing: &Timing) -> Option<Duration> {
        match (self.behaviour, self.verdict(timing)) {
            (Behaviour::Rejected, _) | (_, Some(Verdict::KilledAfter(_))) => None,
            (Behaviour::Crashloop | Behaviour::OutOfMemory, verdict) => {
                verdict.is_none().then_some(Duration::ZERO)
            }
            (_, Some(Verdict::HealthyAfter(ready))) => Some(ready),
            (_, None) => Some(Duration::ZERO),
        }
    }

    /// Returns how the reverse proxy finds its container at `now`.
    pub(crate) fn reach(&self, now: Timestamp, timing: &Timing) -> Reach {
        let Some(ready) = self.ready_after(timing).filter(|_| now >= self.since) else {
            return Reach::Absent;
        };
        let age = self.age(now);
        let age = match self.cycle(timing) {
            None => age,
            Some(cycle) => {
                let failures = cycle.failures(age);
                match age.checked_sub(cycle.start_of(failures)) {
                    Some(age) if age < cycle.lasts => age,
                    _ => return Reach::Absent,
                }
            }
        };
        let answers =
            self.behaviour.stays_up() && age >= timing.of_start(self.behaviour).max(ready);
        match (answers, age >= ready) {
            (true, _) => Reach::Answering,
            (false, true) => Reach::Refusing,
            (false, false) => Reach::Absent,
        }
    }
}
