//! The deploy queue: in memory, first in first out, one job at a time for all applications.

use std::collections::VecDeque;

use jiff::Timestamp;

use super::images::Timing;
use super::job::Plan;

/// The waiting jobs and the running one.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    pub(super) waiting: VecDeque<Job>,
    pub(super) active: Option<Active>,
    last_id: u64,
    pub(super) free_since: Timestamp,
}

/// A deploy job.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: u64,
    pub(crate) application_id: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) kind: &'static str,
    pub(crate) enqueued_at: Timestamp,
}

/// The job that runs.
#[derive(Debug)]
pub(super) struct Active {
    pub(super) job: Job,
    pub(super) deployment_id: String,
    pub(super) app_name: String,
    pub(super) image: String,
    pub(super) plan: Plan,
    pub(super) started_at: Timestamp,
    pub(super) ends_at: Timestamp,
    pub(super) stage: Stage,
}

/// The progress of the running job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// It pulls the image and creates the service; its row is running.
    Working,
    /// Its row has ended, but the application's row does not show it yet.
    Settling,
}

impl Queue {
    /// Adds a job to the end.
    pub(crate) fn push(&mut self, mut job: Job) {
        self.last_id += 1;
        job.id = self.last_id;
        self.waiting.push_back(job);
    }

    /// Removes an application's waiting jobs.
    pub(crate) fn remove_waiting(&mut self, application_id: &str) {
        self.waiting.retain(|job| job.application_id != application_id);
    }

    /// Removes all jobs.
    pub(crate) fn clear(&mut self) {
        self.waiting.clear();
        self.active = None;
    }

    /// Lists the jobs, newest first, each with the time of its start.
    pub(crate) fn list(&self) -> impl Iterator<Item = (&Job, Option<Timestamp>)> {
        let waiting = self.waiting.iter().rev().map(|job| (job, None));
        waiting.chain(self.active.iter().map(|active| (&active.job, Some(active.started_at))))
    }
}

impl Active {
    /// Returns the time at which the present stage ends.
    pub(super) fn due(&self, timing: &Timing) -> Timestamp {
        match self.stage {
            Stage::Working => self.ends_at,
            Stage::Settling => self.ends_at.checked_add(timing.settle).unwrap_or(self.ends_at),
        }
    }
}
