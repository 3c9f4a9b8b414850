//! The tasks of a service, as the swarm lists them.
//!
//! It must not know rows or calls: what the swarm shows of a service depends only on the image, the
//! time of its start and the present time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::environment::NODE_NAME;
use super::health_check::Verdict;
use super::ids;
use super::images::{Behaviour, Timing};
use super::placement::NO_NODE;
use super::state::{Service, Standing};

/// A task of a service, as the swarm lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) id: String,
    pub(crate) state: &'static str,
    pub(crate) current_state: String,
    /// The name of its node; empty while it waits for one.
    pub(crate) node: &'static str,
    pub(crate) error: &'static str,
}

/// The number of past tasks that a swarm keeps in addition to the present one.
const KEPT_FAILURES: u64 = 4;

/// How the swarm shows tasks that fail one after the other.
struct Failure {
    word: &'static str,
    error: &'static str,
    /// The state of the present task, and its word.
    present: (&'static str, &'static str),
}

const CRASH: Failure =
    Failure { word: "Failed", error: "\"task: non-zero exit (1)\"", present: ("ready", "Ready") };
/// The word is recorded for a missing folder of the host (recording 233), the error is not.
const REJECTION: Failure =
    Failure { word: "Rejected", error: "\"container cannot be created\"", ..CRASH };
/// Recorded within an update (recording 122).
const UNHEALTHY: Failure = Failure {
    word: "Failed",
    error: "\"task: non-zero exit (137): dockerexec: unhealthy container\"",
    present: ("running", "Starting"),
};

impl Service {
    /// Returns whether the container accepts connections at `now`.
    pub(crate) fn answers(&self, now: Timestamp, timing: &Timing) -> bool {
        let age = age(self.since, now);
        let is_up = match self.verdict(timing) {
            None => age >= timing.of_start(self.behaviour),
            Some(Verdict::HealthyAfter(start)) => age >= start,
            Some(Verdict::KilledAfter(_)) => false,
        };
        self.replicas > 0 && is_up && self.behaviour.stays_up() && self.standing.has_container()
    }

    fn verdict(&self, timing: &Timing) -> Option<Verdict> {
        let check = self.spec.health_check.as_ref()?;
        Some(check.verdict(timing.of_start(self.behaviour)))
    }

    /// Lists the service's tasks at `now`, the newest first (recordings 122, 213, 231, day-two 413).
    pub(crate) fn tasks(&self, now: Timestamp, timing: &Timing) -> Vec<Task> {
        let newest = self.unplaced_task(now).filter(|_| self.replicas > 0);
        newest.into_iter().chain(self.placed_tasks(now, timing)).collect()
    }

    /// Returns the newest task if it does not run beside a former one, or at all.
    fn unplaced_task(&self, now: Timestamp) -> Option<Task> {
        let (since, current, state, error, node) = match self.standing {
            Standing::Placed => return None,
            Standing::Waiting(since) | Standing::WaitingBeside(since) => {
                (since, "Pending", "running", NO_NODE, "")
            }
            Standing::TakenBack { since, failed_after } if age(since, now) < failed_after => {
                (since, "Starting", "running", "", NODE_NAME)
            }
            Standing::TakenBack { since, .. } => {
                (since, UNHEALTHY.word, "shutdown", UNHEALTHY.error, NODE_NAME)
            }
        };
        Some(Task {
            id: ids::task_id(&format!("{}{since}/newest", self.id), 0),
            state,
            current_state: format!("{current} {} ago", human(age(since, now))),
            node,
            error,
        })
    }

    /// Lists the tasks that have a container.
    pub(crate) fn placed_tasks(&self, now: Timestamp, timing: &Timing) -> Vec<Task> {
        if !self.standing.has_container() {
            return Vec::new();
        }
        let age = age(self.since, now);
        if self.replicas == 0 {
            // The task is still listed while its container stops (recordings day-two 343, 344).
            let is_leaving = age < timing.stop;
            return is_leaving
                .then(|| self.task(0, "remove", "Running", age, ""))
                .into_iter()
                .collect();
        }
        match (self.behaviour, self.verdict(timing)) {
            (Behaviour::Crashloop, _) => return self.failures(age, timing.crash, &CRASH),
            (Behaviour::Rejected, _) => return self.failures(age, timing.crash, &REJECTION),
            (_, Some(Verdict::KilledAfter(every))) => return self.failures(age, every, &UNHEALTHY),
            (Behaviour::Hello | Behaviour::Slow | Behaviour::Unhealthy, _) => {}
        }
        let current = if self.answers(now, timing) { "Running" } else { "Starting" };
        vec![self.task(0, "running", current, age, "Error:")]
    }

    fn failures(&self, age: Duration, every: Duration, failure: &Failure) -> Vec<Task> {
        let count = match every.as_millis() {
            0 => KEPT_FAILURES,
            every => u64::try_from(age.as_millis() / every).unwrap_or(u64::MAX),
        };
        if count == 0 {
            return vec![self.task(0, "running", "Starting", age, "Error:")];
        }
        let (state, current) = failure.present;
        let mut tasks = vec![self.task(count, state, current, Duration::ZERO, "")];
        for number in (count.saturating_sub(KEPT_FAILURES)..count).rev() {
            let turns = u32::try_from(number + 1).unwrap_or(u32::MAX);
            let since = age.saturating_sub(every.saturating_mul(turns));
            tasks.push(self.task(number, "shutdown", failure.word, since, failure.error));
        }
        tasks
    }

    fn task(
        &self,
        number: u64,
        state: &'static str,
        current: &str,
        since: Duration,
        error: &'static str,
    ) -> Task {
        Task {
            id: ids::task_id(&format!("{}{}", self.id, self.since), number),
            state,
            current_state: format!("{current} {} ago", human(since)),
            node: NODE_NAME,
            error,
        }
    }
}

fn age(since: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(now.duration_since(since).max(SignedDuration::ZERO)).unwrap_or_default()
}

/// Formats a duration like Docker's "... ago".
fn human(age: Duration) -> String {
    let seconds = age.as_secs();
    match seconds {
        0 => "less than a second".to_owned(),
        1 => "1 second".to_owned(),
        2..60 => format!("{seconds} seconds"),
        60..120 => "about a minute".to_owned(),
        120..3_600 => format!("{} minutes", seconds / 60),
        3_600..7_200 => "about an hour".to_owned(),
        7_200..172_800 => format!("{} hours", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_told_in_the_words_of_docker() {
        for (seconds, words) in [
            (0, "less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "about a minute"),
            (150, "2 minutes"),
            (3_600, "about an hour"),
            (7_200, "2 hours"),
            (200_000, "2 days"),
        ] {
            assert_eq!(human(Duration::from_secs(seconds)), words);
        }
    }
}
