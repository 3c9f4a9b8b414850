//! How a service goes from what it runs to something else, and back.
//!
//! How an update ends is decided when it begins (recordings day-two 310 to 332, 373, 375); time only
//! reveals it. It must not know rows or calls.

use std::mem;

use jiff::Timestamp;

use super::images::Timing;
use super::placement;
use super::service::{
    End, FailureAction, Former, Generation, Outcome, Rollout, Service, Stage, Standing,
};
use super::tasks::{Task, Vessel, after};

impl Service {
    /// Creates a service that runs `present`.
    pub(crate) fn new(id: String, app_name: String, present: Generation, replicas: u64) -> Self {
        let now = present.since;
        Self {
            id,
            app_name,
            standing: standing(&present, now),
            present,
            replicas,
            formers: Vec::new(),
            rollout: None,
            previous: None,
            version: 10,
            created_at: now,
            updated_at: now,
        }
    }

    /// Runs `next` in place of what it runs, from `next.since` on, with this number of containers.
    pub(crate) fn change(&mut self, mut next: Generation, replicas: u64, timing: &Timing) {
        let now = next.since;
        self.advance(now, timing);
        next.force_update = self.present.force_update + 1;
        let is_update = self.replicas > 0 && replicas > 0;
        let outcome = match (self.replicas, replicas) {
            (0, _) => None,
            (_, 0) => {
                self.make_formers(now, Some(now), timing, End::Removed);
                None
            }
            _ => self.begin_update(&mut next, now, timing),
        };
        self.rollout =
            is_update.then_some(Rollout { started_at: now, stage: Stage::Updating { outcome } });
        self.standing = standing(&next, now);
        self.previous = Some(Box::new(mem::replace(&mut self.present, next)));
        self.replicas = replicas;
        self.touch(now);
    }

    /// Changes the number of containers, without anything else.
    pub(crate) fn scale(&mut self, now: Timestamp, replicas: u64, timing: &Timing) {
        self.advance(now, timing);
        self.previous = Some(Box::new(self.present.clone()));
        if self.replicas > 0 && replicas == 0 {
            self.make_formers(now, Some(now), timing, End::Removed);
        }
        if self.replicas == 0 || replicas == 0 {
            self.present.since = now;
            self.present.files.clear();
            self.standing = standing(&self.present, now);
        }
        self.rollout = None;
        self.replicas = replicas;
        self.touch(now);
    }

    fn touch(&mut self, now: Timestamp) {
        self.version += 2;
        self.updated_at = now;
    }

    /// Decides how an update ends, and lets the present tasks leave accordingly.
    fn begin_update(
        &mut self,
        next: &mut Generation,
        now: Timestamp,
        timing: &Timing,
    ) -> Option<Outcome> {
        let is_stop_first = next.spec.update.is_stop_first;
        if is_stop_first {
            next.since = after(now, timing.stop);
        }
        let fits = placement::fits(&next.spec.constraints);
        let monitor = next.spec.update.monitor.unwrap_or(timing.monitor);
        let ready = next.ready_after(timing).filter(|_| fits);
        let failure = next
            .cycle(timing)
            .filter(|cycle| ready.is_none_or(|ready| cycle.lasts <= ready.saturating_add(monitor)));
        let ready = ready.filter(|ready| failure.is_none_or(|cycle| *ready <= cycle.lasts));
        let leaves_at = match (is_stop_first, ready) {
            (true, _) => Some(now),
            (false, ready) => ready.map(|ready| after(next.since, ready)),
        };
        self.replace_present(now, leaves_at, timing);
        let outcome = match (failure, ready) {
            (Some(cycle), _) => {
                Outcome { at: after(next.since, cycle.lasts), failure: Some(cycle.end) }
            }
            (None, ready) => {
                let end = ready?.saturating_add(monitor);
                Outcome { at: after(next.since, end), failure: None }
            }
        };
        fits.then_some(outcome)
    }

    /// Lets the present tasks go on until `leaves_at`, if they run, and those beside them, of an update
    /// that is under way, as well (recording day-two 621).
    fn replace_present(&mut self, now: Timestamp, leaves_at: Option<Timestamp>, timing: &Timing) {
        let is_unproven = self.rollout.as_ref().is_some_and(Rollout::is_under_way);
        self.let_others_leave(now, leaves_at, timing);
        let is_used = self.answers(now, timing);
        let leaves_at = if is_unproven && !is_used { Some(now) } else { leaves_at };
        self.make_formers(now, leaves_at, timing, End::Shutdown);
    }

    /// Lets the formers that go on leave at `leaves_at`.
    fn let_others_leave(&mut self, now: Timestamp, leaves_at: Option<Timestamp>, timing: &Timing) {
        let goes_on = |former: &&mut Former| former.leaves_at.is_none_or(|at| at > now);
        for former in self.formers.iter_mut().filter(goes_on) {
            former.leaves_at = leaves_at;
            former.stops_at = leaves_at.map(|at| after(at, timing.stop));
        }
    }

    /// Makes formers of the present tasks, of which the one that runs leaves at `leaves_at` if that is
    /// known.
    fn make_formers(
        &mut self,
        now: Timestamp,
        leaves_at: Option<Timestamp>,
        timing: &Timing,
        end: End,
    ) {
        let tasks = self.present_tasks(now, timing);
        let formers = tasks.into_iter().map(|task| match (task.end, task.vessel) {
            (Some(own), _) => self.former(&task, Some(task.since), own),
            (None, Vessel::Running) => {
                let stops_at = leaves_at.map(|at| after(at, timing.stop));
                Former { stops_at, ..self.former(&task, leaves_at, end) }
            }
            (None, Vessel::None | Vessel::Created | Vessel::Exited(_)) => {
                let end = match (end == End::Removed, task.vessel == Vessel::None) {
                    (true, _) => End::Removed,
                    (false, true) => End::NoNode,
                    (false, false) => End::Unneeded,
                };
                self.former(&task, Some(now), end)
            }
        });
        let formers: Vec<_> = formers.collect();
        self.prepend(formers);
    }

    fn former(&self, task: &Task, leaves_at: Option<Timestamp>, end: End) -> Former {
        Former {
            generation: self.present.clone(),
            number: task.number,
            created_at: task.created_at,
            leaves_at,
            stops_at: leaves_at,
            end,
        }
    }

    /// Adds formers before the others. Of those that have ended, no more are kept than a swarm keeps
    /// tasks.
    fn prepend(&mut self, mut formers: Vec<Former>) {
        formers.append(&mut self.formers);
        let mut kept = 0;
        formers.retain(|former| {
            kept += usize::from(former.leaves_at.is_some());
            former.leaves_at.is_none() || kept <= KEPT_FORMERS
        });
        self.formers = formers;
    }

    /// Brings it up to `now`: an update ends, and one that has failed is taken back.
    pub(crate) fn advance(&mut self, now: Timestamp, timing: &Timing) {
        self.formers.retain(|former| {
            let gone_at = former.stops_at.map(|at| after(at, timing.reap));
            former.end != End::Removed || gone_at.is_none_or(|at| now < at)
        });
        while let Some(stage) = self.next_stage(now, timing) {
            self.version += 4;
            if let Some(rollout) = &mut self.rollout {
                rollout.stage = stage;
            }
        }
    }

    /// Returns the next stage of the last update, if it is due.
    fn next_stage(&mut self, now: Timestamp, timing: &Timing) -> Option<Stage> {
        match self.rollout.as_ref()?.stage.clone() {
            Stage::Updating { outcome } => {
                let Outcome { at, failure } = outcome.filter(|outcome| outcome.at <= now)?;
                let action = self.present.spec.update.on_failure;
                let task = self.task_id(&self.present, 0);
                self.updated_at = at;
                Some(match (failure, action) {
                    (None, _) | (Some(_), FailureAction::Continue) => Stage::Completed { at },
                    (Some(_), FailureAction::Pause) => Stage::Paused { task },
                    (Some(end), FailureAction::Rollback) => {
                        let ends_at = after(at, timing.monitor);
                        self.take_back(at, end, timing);
                        Stage::RollbackStarted { task, ends_at }
                    }
                })
            }
            Stage::RollbackStarted { task, ends_at } if ends_at <= now => {
                self.updated_at = ends_at;
                let stays_up = self.present.behaviour.stays_up();
                Some(if stays_up {
                    Stage::RollbackCompleted { at: ends_at }
                } else {
                    Stage::RollbackPaused { task }
                })
            }
            Stage::RollbackStarted { .. }
            | Stage::Completed { .. }
            | Stage::Paused { .. }
            | Stage::RollbackCompleted { .. }
            | Stage::RollbackPaused { .. } => None,
        }
    }

    /// Goes back to what it ran before: the container of that goes on if it was not ended yet, else
    /// a new one starts (recordings day-two 34, 375).
    fn take_back(&mut self, at: Timestamp, end: End, timing: &Timing) {
        let Some(previous) = self.previous.take() else { return };
        let is_it = |former: &&Former| former.generation.force_update == previous.force_update;
        let goes_on = self.formers.iter().position(|former| {
            is_it(&former) && former.leaves_at.is_none_or(|leaves_at| leaves_at > at)
        });
        let mut restored = *previous;
        let mut rows = Vec::new();
        if let Some(index) = goes_on {
            restored = self.formers.remove(index).generation;
            // The swarm makes a task for it, and needs none.
            let generation = Generation { since: at, ..restored.clone() };
            let leaves_at = Some(at);
            let (stops_at, created_at) = (leaves_at, after(at, INSTANT));
            let end = End::Unneeded;
            rows.push(Former { generation, number: 0, created_at, leaves_at, stops_at, end });
        } else {
            restored.since = at;
            restored.files.clear();
            let leaves_at = restored.ready_after(timing).map(|ready| after(at, ready));
            self.let_others_leave(at, leaves_at, timing);
        }
        self.standing = standing(&restored, at);
        let failed = mem::replace(&mut self.present, restored);
        let (created_at, number) = (failed.since, 0);
        let (leaves_at, stops_at) = (Some(at), Some(at));
        rows.push(Former { generation: failed, number, created_at, leaves_at, stops_at, end });
        self.prepend(rows);
    }
}

/// The number of former tasks that are kept.
const KEPT_FORMERS: usize = 5;
/// What makes one of two tasks of the same time the newer one.
const INSTANT: std::time::Duration = std::time::Duration::from_nanos(1);

fn standing(generation: &Generation, now: Timestamp) -> Standing {
    if placement::fits(&generation.spec.constraints) {
        Standing::Placed
    } else {
        Standing::Waiting(now)
    }
}

impl Rollout {
    /// Returns whether the update is under way, or being taken back.
    pub(crate) fn is_under_way(&self) -> bool {
        match self.stage {
            Stage::Updating { .. } | Stage::RollbackStarted { .. } => true,
            Stage::Completed { .. }
            | Stage::Paused { .. }
            | Stage::RollbackCompleted { .. }
            | Stage::RollbackPaused { .. } => false,
        }
    }
}
