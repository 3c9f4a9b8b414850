//! Lets the platform start the application, and follows the job from queue to end.
//!
//! The call only enqueues and returns nothing; the deployment's id is the job's title, its
//! only correlation. The queue is in the platform's memory: a restart forgets it, so a job
//! that is neither queued nor listed is enqueued again (recordings 175 and 183). A job that runs
//! is in the queue and in the list (recording 133); where the platform could not write down how
//! it ended, the list says for ever that it runs, and only the queue tells the truth.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    domain::{event::FailureCode, progress::elapsed_ms, receipt::Line},
    server::{
        orchestrator::{context::Context, failure::StepError, polls::Seen, step::Step},
        ports::{
            platform::{
                Application, ApplicationId, ApplicationSummary, Job, JobId, JobStatus, QueuedJob,
            },
            store::StepId,
        },
    },
};

mod reason;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);
/// How often a job that the platform forgot is enqueued again.
const ENQUEUE_LIMIT: u32 = 5;
/// How long the list is believed that a job runs which is not in the queue. Less than an undo
/// gets at least.
const STRANDED_LIMIT: Duration = Duration::from_secs(20);

/// What a person reads while the list says that a job runs which is not in the queue.
const STRANDED: &str = "Waiting for the platform to say how the start went";

/// Lets the platform start the application.
pub(in crate::server::orchestrator) struct Deploy {
    pub(in crate::server::orchestrator) application: Application,
}

/// What became of the job so far.
#[derive(Debug, PartialEq)]
enum Sight {
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
    const ID: StepId = StepId::Deploy;
    type Output = JobId;

    async fn run(&self, cx: &Context) -> Result<JobId, StepError> {
        let since = cx.clock.now();
        let _following = cx.polls.follow();
        self.enqueue(cx).await?;
        let mut seen = cx.polls.queue_so_far();
        let mut enqueued = 1;
        let mut pause = FIRST_PAUSE;
        let mut stranded = Lasting::default();
        loop {
            let sight = self.look(cx, &mut seen).await?;
            let is_stranded = stranded.too_long(sight == Sight::Stranded, cx.now());
            match if is_stranded { Sight::Lost } else { sight } {
                Sight::Done(job) => {
                    cx.info("container.start", "The container is started", since);
                    return Ok(job);
                }
                Sight::Failed(job) => return Err(reason::explain(cx, &job).await),
                Sight::Lost if enqueued < ENQUEUE_LIMIT => {
                    cx.warn("application.deploy", "The platform forgot the job: asking again");
                    self.enqueue(cx).await?;
                    seen = cx.polls.queue_so_far();
                    enqueued += 1;
                    stranded = Lasting::default();
                }
                Sight::Lost => {
                    let message = "The platform keeps forgetting to start the container.";
                    return Err(StepError::failed(FailureCode::DeployFailed, message));
                }
                Sight::Running => cx.journal.say("Starting the container").await?,
                Sight::Stranded => {
                    cx.journal.say(STRANDED).await?;
                    pause = pause.max(cx.fair_pause(1));
                }
                Sight::Queued(before) => cx.journal.say(&place(before)).await?,
            }
            cx.wait(pause).await?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
        }
    }

    /// Takes the job out of the queue, and waits for one under way: deleting the application
    /// meanwhile would leave its service behind for ever (recording 178).
    async fn undo(&self, cx: &Context, _made: Option<&JobId>) -> Result<Vec<Line>, StepError> {
        // A lost call that enqueues the job late would start it after the drain.
        cx.outwait(Self::ID).await?;
        for ApplicationSummary { id, .. } in cx.our_applications().await? {
            stop_jobs(cx, &id).await?;
        }
        // Gone already, or no longer marked as ours: not to be touched, but to be waited for.
        drain(cx, &self.application.id).await?;
        Ok(Vec::new())
    }
}

impl Deploy {
    async fn put(&self, cx: &Context) -> Result<(), crate::server::ports::platform::PlatformError> {
        cx.platform.enqueue_deploy(&self.application.id, cx.deployment.id.as_str()).await
    }

    /// Enqueues the job, unless an earlier attempt did.
    async fn enqueue(&self, cx: &Context) -> Result<(), StepError> {
        let find = || async {
            let sight = self.look(cx, &mut cx.polls.queue_so_far()).await?;
            let there = !matches!(sight, Sight::Lost | Sight::Stranded);
            Ok(there.then_some(()))
        };
        let done = "Asked the platform to start the container";
        cx.create(Self::ID, "application.deploy", done, || self.put(cx), find).await
    }

    /// Looks for the job in the queue as it was after `seen`, and in the list where it is not
    /// there. With few about, the list comes first, too: it tells the end a moment earlier.
    async fn look(&self, cx: &Context, seen: &mut Seen) -> Result<Sight, StepError> {
        let id = &self.application.id;
        if cx.polls.are_few() {
            let jobs = cx.ask("deployment.all", || cx.platform.jobs(id)).await?;
            let sight = sight_of(&jobs, cx.deployment.id.as_str());
            if let Some(ended @ (Sight::Done(_) | Sight::Failed(_))) = sight {
                return Ok(ended);
            }
        }
        let queue = cx.queue(seen).await?;
        let mut waiting = queue.iter().enumerate();
        if let Some((before, job)) = waiting.find(|(_, job)| job.application == *id) {
            return Ok(if job.active { Sight::Running } else { Sight::Queued(before) });
        }
        let jobs = cx.ask("deployment.all", || cx.platform.jobs(id)).await?;
        Ok(match sight_of(&jobs, cx.deployment.id.as_str()) {
            Some(Sight::Running) => Sight::Stranded,
            sight => sight.unwrap_or(Sight::Lost),
        })
    }
}

/// Since when something is so without a break.
#[derive(Default)]
struct Lasting(Option<Timestamp>);

impl Lasting {
    /// Takes in whether it `is_so` at `now`, and tells whether it has been for too long.
    fn too_long(&mut self, is_so: bool, now: Timestamp) -> bool {
        if !is_so {
            self.0 = None;
            return false;
        }
        let since = *self.0.get_or_insert(now);
        Duration::from_millis(elapsed_ms(since, now)) >= STRANDED_LIMIT
    }
}

/// Judges by the newest of the jobs titled `title`; one that a restart cut off is no sight.
fn sight_of(jobs: &[Job], title: &str) -> Option<Sight> {
    let job = jobs.iter().find(|job| job.title == title)?;
    match job.status {
        JobStatus::Running => Some(Sight::Running),
        JobStatus::Done => Some(Sight::Done(job.id.clone())),
        JobStatus::Failed => Some(Sight::Failed(job.id.clone())),
        JobStatus::Cancelled => None,
    }
}

/// Says where in the queue a job with `before` others before it is.
fn place(before: usize) -> String {
    match before {
        0 => String::from("Starting the container: next in the platform's queue"),
        1 => String::from("Starting the container: 2nd in the platform's queue"),
        2 => String::from("Starting the container: 3rd in the platform's queue"),
        _ => format!("Starting the container: {}th in the platform's queue", before + 1),
    }
}

/// Takes the application's jobs out of the queue, and waits for one that is under way.
pub(in crate::server::orchestrator) async fn stop_jobs(
    cx: &Context,
    id: &ApplicationId,
) -> Result<(), StepError> {
    let done = "Took what was waiting out of the platform's queue";
    cx.call("application.cleanQueues", done, || cx.platform.clear_queue(id)).await?;
    drain(cx, id).await
}

/// Waits until the platform holds no job of the application any more. Once the queue has held
/// none for a while, whatever the list says, none can make a service any more.
async fn drain(cx: &Context, id: &ApplicationId) -> Result<(), StepError> {
    let mut pause = FIRST_PAUSE;
    let mut stranded = Lasting(cx.journal.shown_since(STRANDED));
    let is_theirs = |job: &QueuedJob| job.application == *id;
    let mut seen = cx.polls.queue_so_far();
    loop {
        let is_queued = cx.queue(&mut seen).await?.iter().any(is_theirs);
        if is_queued {
            stranded = Lasting::default();
            cx.journal.unsay(STRANDED).await?;
        } else {
            let jobs = cx.ask("deployment.all", || cx.platform.jobs(id)).await?;
            if !jobs.iter().any(|job| job.status == JobStatus::Running) {
                return cx.journal.unsay(STRANDED).await.map_err(Into::into);
            }
            if stranded.too_long(true, cx.now()) {
                cx.warn("deployment.all", "The platform lists a job that it no longer runs");
                return cx.journal.unsay(STRANDED).await.map_err(Into::into);
            }
            cx.journal.say(STRANDED).await?;
            pause = pause.max(cx.fair_pause(1));
        }
        cx.wait(pause).await?;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(title: &str, status: JobStatus) -> Job {
        Job { id: JobId(format!("{title} {status:?}")), title: title.to_owned(), status }
    }

    #[test]
    fn a_job_is_known_by_its_title_and_a_cancelled_one_is_lost() {
        let jobs = [job("other", JobStatus::Done), job("ours", JobStatus::Running)];
        assert_eq!(sight_of(&jobs, "ours"), Some(Sight::Running));
        assert_eq!(sight_of(&jobs, "nobody's"), None);
        assert_eq!(sight_of(&[job("ours", JobStatus::Cancelled)], "ours"), None);
    }

    #[test]
    fn a_place_in_the_queue_is_an_ordinal() {
        assert!(place(1).contains("2nd") && place(2).contains("3rd") && place(3).contains("4th"));
    }
}
