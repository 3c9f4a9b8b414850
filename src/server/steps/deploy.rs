//! Has the platform start the application, and follows the deploy job to its end.
//!
//! The call only enqueues a job and returns nothing. The job's title is the deployment's id, which
//! is the only way to find the job. The queue is in the platform's memory and is lost in a restart,
//! so a job that is neither queued nor listed is enqueued again (recordings 175 and 183). A running
//! job is in the queue and in the list (recording 133). If the platform could not record the end of
//! a job, the list shows it as running forever; the queue is authoritative.

use std::time::Duration;

use jiff::Timestamp;

use crate::server::platform::{
    Application, ApplicationId, ApplicationSummary, Job, JobId, JobStatus, QueuedJob,
};
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::polls::ReadCursor;
use crate::server::saga::step::Step;
use crate::server::settings::Deadlines;
use crate::server::store::StepId;
use domain::event::FailureCode;
use domain::message::MessageCode;
use domain::receipt::Line;
use domain::time::elapsed_ms;

mod cause;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The number of times that the job is enqueued in total, if the platform loses it.
const ENQUEUE_LIMIT: u32 = 5;
/// The time after which a job that the list shows as running, but that is not in the queue, counts
/// as ended. It must be shorter than the minimum time of an undo (`Deadlines::LEAST_DRAIN`).
const STRANDED_LIMIT: Duration = Duration::from_secs(20);

/// Has the platform start the application.
pub(crate) struct Deploy {
    pub(crate) application: Application,
}

/// The state of the deploy job.
#[derive(Debug, PartialEq)]
enum JobProgress {
    /// It succeeded: the platform created or updated the service.
    Done(JobId),
    /// It failed: the platform could not start the service.
    Failed(JobId),
    /// It runs.
    Running,
    /// The list shows it as running, but it is not in the queue.
    Stranded,
    /// It waits behind this many jobs.
    Queued(usize),
    /// The platform does not have it, or cancelled it in a restart.
    Lost,
}

impl Step for Deploy {
    const ID: StepId = StepId::DEPLOY;
    type Output = JobId;

    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.deploy
    }

    async fn run(&self, cx: &Context) -> Result<JobId, StepError> {
        self.follow(cx, Self::ID).await
    }

    /// Removes the job from the queue, and waits for a running one: if the application were deleted
    /// meanwhile, its service would be left behind (recording 178).
    async fn undo(&self, cx: &Context, _made: Option<&JobId>) -> Result<Vec<Line>, StepError> {
        // A lost call could otherwise enqueue the job after the drain.
        cx.wait_out_late_commit(Self::ID).await?;
        for ApplicationSummary { id, .. } in cx.marked_applications().await? {
            stop_jobs(cx, &id).await?;
        }
        // An application that has lost our marker, or is gone, must not be changed. But its running
        // job is waited for.
        drain(cx, &self.application.id).await?;
        Ok(Vec::new())
    }
}

impl Deploy {
    /// Lets the platform start the application for `step`, and follows the job to its end.
    pub(crate) async fn follow(&self, cx: &Context, step: StepId) -> Result<JobId, StepError> {
        let since = cx.clock.now();
        let _following = cx.polls.follow();
        self.enqueue(cx, step).await?;
        let mut cursor = cx.polls.queue_cursor();
        let mut enqueued = 1;
        let mut pause = FIRST_PAUSE;
        let mut stranded = Debounce::default();
        loop {
            let progress = self.check_job(cx, &mut cursor).await?;
            let is_stranded = stranded.has_expired(progress == JobProgress::Stranded, cx.now());
            match if is_stranded { JobProgress::Lost } else { progress } {
                JobProgress::Done(job) => {
                    cx.info("container.start", "The container is started", since);
                    return Ok(job);
                }
                JobProgress::Failed(job) => return Err(cause::explain(cx, &job).await),
                JobProgress::Lost if enqueued < ENQUEUE_LIMIT => {
                    cx.warn("application.deploy", "The platform lost the job: queueing it again");
                    self.enqueue(cx, step).await?;
                    cursor = cx.polls.queue_cursor();
                    enqueued += 1;
                    stranded = Debounce::default();
                }
                JobProgress::Lost => {
                    return Err(StepError::failed(FailureCode::DeployFailed, MessageCode::JobLost));
                }
                JobProgress::Running => cx.journal.reset_message().await?,
                JobProgress::Stranded => {
                    cx.journal.set_message(MessageCode::WaitingForJob).await?;
                    pause = pause.max(cx.paced_delay(1));
                }
                JobProgress::Queued(before) => {
                    cx.journal.set_message(MessageCode::JobQueued { before }).await?;
                }
            }
            cx.wait(pause).await?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Enqueues the job for `step`, unless an earlier attempt did.
    async fn enqueue(&self, cx: &Context, step: StepId) -> Result<(), StepError> {
        let find = || async {
            let progress = self.check_job(cx, &mut cx.polls.queue_cursor()).await?;
            let there = !matches!(progress, JobProgress::Lost | JobProgress::Stranded);
            Ok(there.then_some(()))
        };
        let enqueue =
            || cx.platform.enqueue_deploy(&self.application.id, cx.deployment.id.as_str());
        let done = "Asked the platform to start the container";
        cx.create_or_adopt(step, "application.deploy", done, enqueue, find).await
    }

    /// Looks for the job in a reading of the queue after `cursor`, then in the list. If few
    /// operations poll, the list is read first as well, which shows the end slightly earlier.
    async fn check_job(
        &self,
        cx: &Context,
        cursor: &mut ReadCursor,
    ) -> Result<JobProgress, StepError> {
        let id = &self.application.id;
        if cx.polls.has_few_followers() {
            let jobs = cx.query("deployment.all", || cx.platform.jobs(id)).await?;
            let progress = job_progress(&jobs, cx.deployment.id.as_str());
            if let Some(ended @ (JobProgress::Done(_) | JobProgress::Failed(_))) = progress {
                return Ok(ended);
            }
        }
        let queue = cx.queue(cursor).await?;
        let mut waiting = queue.iter().enumerate();
        if let Some((before, job)) = waiting.find(|(_, job)| job.application == *id) {
            return Ok(if job.active { JobProgress::Running } else { JobProgress::Queued(before) });
        }
        let jobs = cx.query("deployment.all", || cx.platform.jobs(id)).await?;
        Ok(match job_progress(&jobs, cx.deployment.id.as_str()) {
            Some(JobProgress::Running) => JobProgress::Stranded,
            progress => progress.unwrap_or(JobProgress::Lost),
        })
    }
}

/// Debounces a condition: remembers the time since which it has held without interruption.
#[derive(Default)]
struct Debounce(Option<Timestamp>);

impl Debounce {
    /// Records whether the condition holds at `now`, and returns whether it has held for
    /// [`STRANDED_LIMIT`].
    fn has_expired(&mut self, is_so: bool, now: Timestamp) -> bool {
        if !is_so {
            self.0 = None;
            return false;
        }
        let since = *self.0.get_or_insert(now);
        Duration::from_millis(elapsed_ms(since, now)) >= STRANDED_LIMIT
    }
}

/// Returns the state of the newest job titled `title`; `None` if there is none, or a restart of the
/// platform cancelled it.
fn job_progress(jobs: &[Job], title: &str) -> Option<JobProgress> {
    let job = jobs.iter().find(|job| job.title == title)?;
    match job.status {
        JobStatus::Running => Some(JobProgress::Running),
        JobStatus::Done => Some(JobProgress::Done(job.id.clone())),
        JobStatus::Failed => Some(JobProgress::Failed(job.id.clone())),
        JobStatus::Cancelled => None,
    }
}

/// Removes the application's jobs from the queue, and waits for a running one.
pub(crate) async fn stop_jobs(cx: &Context, id: &ApplicationId) -> Result<(), StepError> {
    let done = "Removed the waiting job from the platform's queue";
    cx.mutate("application.cleanQueues", done, || cx.platform.clear_queue(id)).await?;
    drain(cx, id).await
}

/// Waits until the platform has no job of the application. Once the queue has had none for
/// [`STRANDED_LIMIT`], no job can create a service any more, even if the list shows one as running.
async fn drain(cx: &Context, id: &ApplicationId) -> Result<(), StepError> {
    let mut pause = FIRST_PAUSE;
    let mut stranded = Debounce(cx.journal.message_since(&MessageCode::WaitingForJob));
    let is_theirs = |job: &QueuedJob| job.application == *id;
    let is_stranded = |code: &MessageCode| *code == MessageCode::WaitingForJob;
    let mut cursor = cx.polls.queue_cursor();
    loop {
        let is_queued = cx.queue(&mut cursor).await?.iter().any(is_theirs);
        if is_queued {
            stranded = Debounce::default();
            cx.journal.clear_message(is_stranded).await?;
        } else {
            let jobs = cx.query("deployment.all", || cx.platform.jobs(id)).await?;
            if !jobs.iter().any(|job| job.status == JobStatus::Running) {
                return Ok(cx.journal.clear_message(is_stranded).await?);
            }
            if stranded.has_expired(true, cx.now()) {
                cx.warn("deployment.all", "The platform lists a job that it no longer runs");
                return Ok(cx.journal.clear_message(is_stranded).await?);
            }
            cx.journal.set_message(MessageCode::WaitingForJob).await?;
            pause = pause.max(cx.paced_delay(1));
        }
        cx.wait(pause).await?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use crate::server::steps::deploy::*;

    fn job(title: &str, status: JobStatus) -> Job {
        Job { id: JobId(format!("{title} {status:?}")), title: title.to_owned(), status }
    }

    #[test]
    fn a_job_is_known_by_its_title_and_a_cancelled_one_is_lost() {
        let jobs = [job("other", JobStatus::Done), job("ours", JobStatus::Running)];
        assert_eq!(job_progress(&jobs, "ours"), Some(JobProgress::Running));
        assert_eq!(job_progress(&jobs, "nobody's"), None);
        assert_eq!(job_progress(&[job("ours", JobStatus::Cancelled)], "ours"), None);
    }
}
