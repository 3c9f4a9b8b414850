//! The tasks of a service, as the swarm lists them.
//!
//! It must not know rows or calls: what the swarm shows of a service depends only on what it runs and
//! ran, and on the present time.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;

use super::course::{Cycle, Reach};
use super::environment::NODE_NAME;
use super::ids;
use super::images::{Image, Timing};
use super::placement::NO_NODE;
use super::service::{End, Exit, Former, Generation, Service, Standing};

/// A task of a service, as the swarm lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Task {
    pub(crate) id: String,
    /// Its number among the tasks of its generation.
    pub(crate) number: u64,
    pub(crate) created_at: Timestamp,
    /// The state that the swarm wants.
    pub(crate) desired: &'static str,
    /// The word for its own state.
    pub(crate) word: &'static str,
    /// The time of that state.
    pub(crate) since: Timestamp,
    /// The name of its node; empty while it waits for one.
    pub(crate) node: &'static str,
    pub(crate) error: Cow<'static, str>,
    pub(crate) vessel: Vessel,
    /// How it has ended.
    pub(crate) end: Option<End>,
}

/// The container of a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Vessel {
    /// It has none.
    None,
    /// It was made and not started.
    Created,
    Running,
    Exited(Exit),
}

/// The number of tasks that a swarm keeps.
const KEPT_TASKS: usize = 5;

impl Generation {
    /// Returns Docker's error of a task of it that has ended so. That of a missing image is what
    /// Docker says in general; it was not recorded here.
    fn error(&self, end: End) -> Cow<'static, str> {
        if end == End::Rejected && Image::of(&self.image).is_none() {
            return format!("No such image: {}", self.image).into();
        }
        end.error().into()
    }
}

impl Service {
    /// Returns whether the present container accepts connections at `now`.
    pub(crate) fn answers(&self, now: Timestamp, timing: &Timing) -> bool {
        self.replicas > 0
            && self.standing.has_container()
            && self.present.reach(now, timing) == Reach::Answering
    }

    /// Lists the service's tasks at `now`, the newest first, each with what it runs (recordings 122,
    /// 213, 231, day-two 44, 375, 413).
    pub(crate) fn tasks(&self, now: Timestamp, timing: &Timing) -> Vec<(Task, &Generation)> {
        let present = self.present_tasks(now, timing).into_iter().map(|task| (task, &self.present));
        let formers = self
            .formers
            .iter()
            .filter_map(|former| Some((self.former_task(former, now)?, &former.generation)));
        let mut tasks: Vec<_> = present.chain(formers).collect();
        // The sort is stable: of the same time, the present ones come first.
        tasks.sort_by_key(|(task, _)| std::cmp::Reverse(task.created_at));
        let mut kept = 0;
        tasks.retain(|(task, _)| {
            kept += 1;
            task.end.is_none() || kept <= KEPT_TASKS
        });
        tasks
    }

    /// Lists the tasks that the swarm has removed, whose containers exist for some more seconds.
    pub(crate) fn removed_tasks<'a>(
        &'a self,
        now: Timestamp,
        timing: &'a Timing,
    ) -> impl Iterator<Item = (Task, &'a Generation)> {
        let is_left = move |former: &&Former| {
            let stops_at = former.stops_at.filter(|at| former.end == End::Removed && *at <= now);
            stops_at.is_some_and(|at| now < after(at, timing.reap))
        };
        self.formers.iter().filter(is_left).map(move |former| {
            let Former { generation, number, created_at, .. } = former;
            let at = former.stops_at.unwrap_or(now);
            (self.ended_task(generation, *number, *created_at, at, former.end), generation)
        })
    }

    /// Lists the tasks of what it runs.
    pub(crate) fn present_tasks(&self, now: Timestamp, timing: &Timing) -> Vec<Task> {
        if self.replicas == 0 {
            return Vec::new();
        }
        let generation = &self.present;
        if let Standing::Waiting(since) = self.standing {
            let waiting = self.task(generation, 0, since, "running", "Pending", since);
            return vec![Task { node: "", error: NO_NODE.into(), vessel: Vessel::None, ..waiting }];
        }
        match generation.cycle(timing) {
            Some(cycle) => self.failing_tasks(&cycle, now, timing),
            None => vec![self.running_task(0, generation.since, now, timing)],
        }
    }

    fn running_task(&self, number: u64, start: Timestamp, now: Timestamp, timing: &Timing) -> Task {
        let word = match self.present.reach(now, timing) {
            Reach::Answering => "Running",
            Reach::Absent | Reach::Refusing => "Starting",
        };
        let task = self.task(&self.present, number, start, "running", word, start);
        let vessel = if now < start { Vessel::None } else { Vessel::Running };
        Task { vessel, ..task }
    }

    /// Lists the task that runs or is about to, and those that have failed before it.
    fn failing_tasks(&self, cycle: &Cycle, now: Timestamp, timing: &Timing) -> Vec<Task> {
        let generation = &self.present;
        let failures = match cycle.failures(generation.age(now)) {
            count if cycle.every.is_zero() => count.min(4),
            count => count,
        };
        let starts = |number| after(generation.since, cycle.start_of(number));
        let mut tasks = vec![match cycle.end {
            // It fails as soon as it runs, and waits most of the time.
            End::Crash | End::OutOfMemory | End::Rejected
                if failures > 0 && (generation.ends_at_once() || now < starts(failures)) =>
            {
                let task = self.task(generation, failures, starts(failures), "ready", "Ready", now);
                let is_made = cycle.end != End::Rejected;
                Task { vessel: if is_made { Vessel::Created } else { Vessel::None }, ..task }
            }
            // It stops right after starting, so nobody sees its container run.
            End::Crash | End::OutOfMemory if generation.ends_at_once() => {
                let task = self.running_task(failures, starts(failures), now, timing);
                Task { vessel: Vessel::Created, ..task }
            }
            End::Rejected => {
                let task = self.running_task(failures, starts(failures), now, timing);
                Task { vessel: Vessel::None, ..task }
            }
            End::Crash
            | End::OutOfMemory
            | End::Unhealthy
            | End::Shutdown
            | End::Unneeded
            | End::NoNode
            | End::Removed => self.running_task(failures, starts(failures), now, timing),
        }];
        let kept = u64::try_from(KEPT_TASKS).unwrap_or_default() - 1;
        for number in (failures.saturating_sub(kept)..failures).rev() {
            let at = after(starts(number), cycle.lasts);
            tasks.push(self.ended_task(generation, number, starts(number), at, cycle.end));
        }
        tasks
    }

    /// Returns a task that has been replaced; `None` if the swarm has removed it.
    fn former_task(&self, former: &Former, now: Timestamp) -> Option<Task> {
        let Former { generation, number, created_at, leaves_at, stops_at, end } = former;
        let by = |time: &Option<Timestamp>| time.is_some_and(|time| time <= now);
        let is_removed = *end == End::Removed;
        Some(match (by(leaves_at), by(stops_at)) {
            (_, true) if is_removed => return None,
            (_, true) => {
                let at = stops_at.unwrap_or(now);
                self.ended_task(generation, *number, *created_at, at, *end)
            }
            (is_leaving, false) => {
                let desired = match (is_leaving, is_removed) {
                    (true, true) => "remove",
                    (true, false) => "shutdown",
                    (false, _) => "running",
                };
                let task =
                    self.task(generation, *number, *created_at, desired, "Running", *created_at);
                Task { vessel: Vessel::Running, ..task }
            }
        })
    }

    fn ended_task(
        &self,
        generation: &Generation,
        number: u64,
        created_at: Timestamp,
        at: Timestamp,
        end: End,
    ) -> Task {
        let task = self.task(generation, number, created_at, "shutdown", end.word(), at);
        let exit = Exit { at, code: end.exit_code(), is_out_of_memory: end == End::OutOfMemory };
        let vessel = match end {
            End::Rejected | End::NoNode => Vessel::None,
            End::Unneeded => Vessel::Created,
            End::Shutdown | End::Crash | End::OutOfMemory | End::Unhealthy | End::Removed => {
                Vessel::Exited(exit)
            }
        };
        let node = if end == End::NoNode { "" } else { NODE_NAME };
        Task { error: generation.error(end), end: Some(end), vessel, node, ..task }
    }

    fn task(
        &self,
        generation: &Generation,
        number: u64,
        created_at: Timestamp,
        desired: &'static str,
        word: &'static str,
        since: Timestamp,
    ) -> Task {
        Task {
            id: self.task_id(generation, number),
            number,
            created_at,
            desired,
            word,
            since,
            node: NODE_NAME,
            error: Cow::Borrowed(""),
            vessel: Vessel::None,
            end: None,
        }
    }

    /// Returns the id of a task of a generation, which never changes.
    pub(crate) fn task_id(&self, generation: &Generation, number: u64) -> String {
        let Generation { since, force_update, .. } = generation;
        ids::task_id(&format!("{}{since}/{force_update}", self.id), number)
    }
}

/// Returns the time that is `pause` after `time`.
pub(crate) fn after(time: Timestamp, pause: Duration) -> Timestamp {
    time.checked_add(pause).unwrap_or(time)
}

/// Formats a duration like Docker's "... ago".
pub(crate) fn human(since: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_since(since).as_secs().max(0);
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
            let now = Timestamp::from_second(seconds).unwrap();
            assert_eq!(human(Timestamp::UNIX_EPOCH, now), words);
        }
    }
}
