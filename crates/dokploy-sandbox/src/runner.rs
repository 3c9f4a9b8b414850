//! Runs the deploy queue.
//!
//! A waiting job has no row. A row is done before its application shows it. A running job is never
//! stopped, even if its application is deleted (recordings 175, 178). While the database is down,
//! the end of a job cannot be recorded: the job is gone, but its row shows it as running until the
//! platform restarts.

use jiff::Timestamp;

use super::core::Core;
use super::programs::Files;
use super::queue::{Active, Job, Stage};
use super::service::Generation;
use super::state::{ApplicationStatus, Deployment, DeploymentStatus};
use super::{ids, job, swarm};

/// The number of deployments that the platform keeps for an application.
const KEPT_DEPLOYMENTS: usize = 10;

impl Core {
    /// Runs the queue up to `now`.
    pub(super) fn run_queue(&mut self, now: Timestamp) {
        loop {
            let going = match self.queue.active.take() {
                Some(active) => self.advance(active, now),
                None => match self.queue.waiting.pop_front() {
                    Some(job) => self.begin(job),
                    None => return,
                },
            };
            if let Some(active) = going {
                let is_due = active.due(&self.timing) <= now;
                self.queue.active = Some(active);
                if !is_due {
                    return;
                }
            }
        }
    }

    /// Starts a job; `None` if its application is gone or cannot be looked up: then the job just
    /// ends.
    fn begin(&mut self, job: Job) -> Option<Active> {
        let started_at = job.enqueued_at.max(self.queue.free_since);
        if self.outages.database.lasts(started_at) {
            return None;
        }
        let application = self.state.application_mut(&job.application_id)?;
        application.status = ApplicationStatus::Running;
        let app_name = application.app_name.clone();
        let image = application.text("dockerImage").to_owned();
        let application = application.clone();
        let plan = job::plan(&self.state, &application);
        let ends_at = started_at.checked_add(self.timing.of_job(&image)).unwrap_or(started_at);
        let deployment_id = ids::row_id(&mut self.rng);
        self.add_row(&job, &deployment_id, &app_name, &plan.first_lines, started_at);
        let stage = Stage::Working;
        Some(Active { job, deployment_id, app_name, image, plan, started_at, ends_at, stage })
    }

    fn add_row(&mut self, job: &Job, id: &str, app_name: &str, log: &str, at: Timestamp) {
        let second = at.strftime("%Y-%m-%d:%H:%M:%S");
        self.state.deployments.push(Deployment {
            id: id.to_owned(),
            application_id: job.application_id.clone(),
            title: job.title.clone(),
            description: job.description.clone(),
            status: DeploymentStatus::Running,
            log_path: format!("/etc/dokploy/logs/{app_name}/{app_name}-{second}.log"),
            log: log.to_owned(),
            created_at: at,
            finished_at: None,
        });
        let surplus: Vec<_> = {
            let newest_first = self.state.deployments_of(&job.application_id).rev();
            newest_first.skip(KEPT_DEPLOYMENTS).map(|old| old.id.clone()).collect()
        };
        self.state.deployments.retain(|one| !surplus.contains(&one.id));
    }

    /// Advances the running job by one stage if it is due.
    fn advance(&mut self, active: Active, now: Timestamp) -> Option<Active> {
        if active.due(&self.timing) > now {
            return Some(active);
        }
        match active.stage {
            Stage::Working => self.finish(active),
            Stage::Settling => {
                let due = active.due(&self.timing);
                if !self.outages.database.lasts(due) {
                    self.settle(&active);
                }
                self.queue.free_since = due;
                None
            }
        }
    }

    /// Ends the row, and creates or updates the service, even if the row is gone.
    fn finish(&mut self, mut active: Active) -> Option<Active> {
        if self.outages.docker.lasts(active.ends_at) {
            active.plan.fail_without_docker();
        }
        let row = self.state.application(&active.job.application_id);
        // A deployment of an application with 0 replicas succeeds and runs nothing (recording
        // day-two 346).
        let replicas = row.map_or(1, swarm::replicas);
        if let Some(behaviour) = active.plan.behaviour {
            let next = Generation {
                image: active.image.clone(),
                behaviour,
                spec: active.plan.spec.clone(),
                since: active.ends_at,
                files: Files::new(),
                force_update: 0,
            };
            self.run_service(&active.app_name, next, replicas);
        }
        if self.outages.database.lasts(active.ends_at) {
            self.queue.free_since = active.ends_at;
            return None;
        }
        if let Some(row) = self.state.deployment_mut(&active.deployment_id) {
            row.status = match active.plan.behaviour {
                Some(_) => DeploymentStatus::Done,
                None => DeploymentStatus::Error,
            };
            row.finished_at = Some(active.ends_at);
            row.log.push_str(&active.plan.last_lines);
        }
        active.stage = Stage::Settling;
        Some(active)
    }

    fn settle(&mut self, active: &Active) {
        let status = match active.plan.behaviour {
            Some(_) => ApplicationStatus::Done,
            None => ApplicationStatus::Error,
        };
        self.state.set_status(&active.job.application_id, status);
    }
}
