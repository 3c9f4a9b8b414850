//! Lets the platform start the application, and follows the job from queue to end.
//!
//! The call only enqueues and returns nothing; the deployment's id is the job's title, its
//! only correlation. The queue is in the platform's memory: a restart forgets it, so a job
//! that is neither queued nor listed is enqueued again (recordings 175 and 183). A job that runs
//! is in the queue and in the list (recording 133); where the platform could not write down how
//! it ended, the list says for ever that it runs, and only the queue tells the truth.

use std::time::Duration;

use jiff::Timestamp;

use crate::server::{
    platform::{Application, ApplicationId, ApplicationSummary, Job, JobId, JobStatus, QueuedJob},
    saga::{context::Context, failure::StepError, polls::ReadCursor, step::Step},
    store::StepId,
};
use domain::{event::FailureCode, progress::elapsed_ms, receipt::Line};

mod cause;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// The number of times that a job that the platform forgot is enqueued again.
const ENQUEUE_LIMIT: u32 = 5;
/// The time for which the list is believed that a job runs which is not in the queue. Less than an
/// undo gets at least.
const STRANDED_LIMIT: Duration = Duration::from_secs(20);

/// The message shown while the list says that a job runs which is not in the queue.
const STRANDED: &str = "Waiting for the platform to say how the start went";

/// Lets the platform start the application.
pub(crate) struct Deploy {
    pub(crate) application: Application,
}

/// The outcome of the job so far.
#[derive(Debug, PartialEq)]
enum JobProgress {
    /// It ended: the platform accepted the service.
    Done(JobId),
    /// It ended: the platform could not start the service.
    Failed(JobId),
    /// It is under way.
    Running,
    /// The list says that it is under way, and it is not in the queue.
    Stranded,
    /// This many jobs come before it.
    Queued(usize),
    /// The platform knows nothing of it, or gave it up when it restarted.
    Lost,
}

impl Step for Deploy {
    const ID: StepId = StepId::DEPLOY;
    type Output = JobId;

    async fn run(&self, cx: &Context) -> Result<JobId, StepError> {
        let since = cx.clock.now();
        let _following = cx.polls.follow();
        self.enqueue(cx).await?;
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
                    self.enqueue(cx).await?;
                    cursor = cx.polls.queue_cursor();
                    enqueued += 1;
                    stranded = Debounce::default();
                }
                JobProgress::Lost => {
                    let message = "The platform repeatedly lost the job that starts the container.";
                    return Err(StepError::failed(FailureCode::DeployFailed, message));
                }
                JobProgress::Running => cx.journal.set_message("Starting the container").await?,
                JobProgress::Stranded => {
                    cx.journal.set_message(STRANDED).await?;
                    pause = pause.max(cx.paced_delay(1));
                }
                JobProgress::Queued(before) => {
                    cx.journal.set_message(&queue_position(before)).await?;
                }
            }
            cx.wait(pause).await?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Takes the job out of the queue, and waits for one under way: deleting the application
    /// meanwhile would leave its service behind for ever (recording 178).
    async fn undo(&self, cx: &Context, _made: Option<&JobId>) -> Result<Vec<Line>, StepError> {
        // A lost call that enqueues the job late would start it after the drain.
        cx.wait_out_late_commit(Self::ID).await?;
        for ApplicationSummary { id, .. } in cx.marked_applications().await? {
            stop_jobs(cx, &id).await?;
        }
        // Gone already, or no longer marked as ours: not to be touched, but to be waited for.
        drain(cx, &self.application.id).await?;
        Ok(Vec::new())
    }
}

impl Deploy {
    async fn enqueue_job(
        &self,
        cx: &Context,
    ) -> Result<(), crate::server::platform::PlatformError> {
        cx.platform.enqueue_deploy(&self.application.id, cx.deployment.id.as_str()).await
    }

    /// Enqueues the job, unless an earlier attempt did.
    async fn enqueue(&self, cx: &Context) -> Result<(), StepError> {
        let find = || async {
            let progress = self.check_job(cx, &mut cx.polls.queue_cursor()).await?;
            let there = !matches!(progress, JobProgress::Lost | JobProgress::Stranded);
            Ok(there.then_some(()))
        };
        let done = "Asked the platform to start the container";
        cx.create_or_adopt(Self::ID, "application.deploy", done, || self.enqueue_job(cx), find)
            .await
    }

    /// Looks for the job in the queue as it was after `cursor`, and in the list where it is not
    /// there. With few about, the list comes first, too: it tells the end a moment earlier.
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

/// Debounces a condition: remembers the time since which it has held without a break.
#[derive(Default)]
struct Debounce(Option<Timestamp>);

impl Debounce {
    /// Takes in whether it `is_so` at `now`, and tells whether it has been for too long.
    fn has_expired(&mut self, is_so: bool, now: Timestamp) -> bool {
        if !is_so {
            self.0 = None;
            return false;
        }
        let since = *self.0.get_or_insert(now);
        Duration::from_millis(elapsed_ms(since, now)) >= STRANDED_LIMIT
    }
}

/// Judges by the newest of the jobs titled `title`; one that a restart cut off is no sight.
fn job_progress(jobs: &[Job], title: &str) -> Option<JobProgress> {
    let job = jobs.iter().find(|job| job.title == title)?;
    match job.status {
        JobStatus::Running => Some(JobProgress::Running),
        JobStatus::Done => Some(JobProgress::Done(job.id.clone())),
        JobStatus::Failed => Some(JobProgress::Failed(job.id.clone())),
        JobStatus::Cancelled => None,
    }
}

/// Says where in the queue a job with `before` others before it is.
fn queue_position(before: usize) -> String {
    match before {
        0 => String::from("Starting the container: next in the platform's queue"),
        1 => String::from("Starting the container: 2nd in the platform's queue"),
        2 => String::from("Starting the container: 3rd in the platform's queue"),
        _ => format!("Starting the container: {}th in the platform's queue", before + 1),
    }
}

/// Takes the application's jobs out of the queue, and waits for one that is under way.
pub(crate) async fn stop_jobs(cx: &Context, id: &ApplicationId) -> Result<(), StepError> {
    let done = "Removed the waiting job from the platform's queue";
    cx.mutate("application.cleanQueues", done, || cx.platform.clear_queue(id)).await?;
    drain(cx, id).await
}

/// Waits until the platform holds no job of the application any more. Once the queue has held
/// none for a while, whatever the list says, none can make a service any more.
async fn drain(cx: &Context, id: &ApplicationId) -> Result<(), StepError> {
    let mut pause = FIRST_PAUSE;
    let mut stranded = Debounce(cx.journal.message_since(STRANDED));
    let is_theirs = |job: &QueuedJob| job.application == *id;
    let mut cursor = cx.polls.queue_cursor();
    loop {
        let is_queued = cx.queue(&mut cursor).await?.iter().any(is_theirs);
        if is_queued {
            stranded = Debounce::default();
            cx.journal.clear_message(STRANDED).await?;
        } else {
            let jobs = cx.query("deployment.all", || cx.platform.jobs(id)).await?;
            if !jobs.iter().any(|job| job.status == JobStatus::Running) {
                return cx.journal.clear_message(STRANDED).await.map_err(Into::into);
            }
            if stranded.has_expired(true, cx.now()) {
                cx.warn("deployment.all", "The platform lists a job that it no longer runs");
                return cx.journal.clear_message(STRANDED).await.map_err(Into::into);
            }
            cx.journal.set_message(STRANDED).await?;
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

    #[test]
    fn a_place_in_the_queue_is_an_ordinal() {
        assert!(
            queue_position(1).contains("2nd")
                && queue_position(2).contains("3rd")
                && queue_position(3).contains("4th")
        );
    }
}
