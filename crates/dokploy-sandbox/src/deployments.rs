//! The calls on deployments: enqueue a job; list the queue and the rows; read a log.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::applications;
use super::core::Core;
use super::input::Input;
use super::queue::Job;
use super::refusal::{Outcome, Refusal};
use super::request::Body;
use super::rows::{self, merged};

/// `application.deploy`: only enqueues a job, and answers with an empty body (recording 74).
pub(super) fn deploy(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    enqueue(core, now, input, "deploy", "Manual deployment")
}

/// `application.redeploy`: enqueues a job as well (recording 87).
pub(super) fn redeploy(core: &mut Core, now: Timestamp, input: &mut Input) -> Outcome {
    enqueue(core, now, input, "redeploy", "Rebuild deployment")
}

fn enqueue(
    core: &mut Core,
    now: Timestamp,
    input: &mut Input,
    kind: &'static str,
    title: &str,
) -> Outcome {
    let title = input.optional("title").unwrap_or_else(|| title.to_owned());
    let description = input.optional("description").unwrap_or_default();
    let application_id = applications::find(core, input)?.id;
    let job = Job { id: 0, application_id, title, description, kind, enqueued_at: now };
    core.queue.push(job);
    Ok(Body::Empty)
}

/// `application.cleanQueues`: removes waiting jobs only (recording 176).
pub(super) fn clean_queues(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let application = applications::find(core, input)?;
    core.queue.remove_waiting(&application.id);
    Ok(Body::Empty)
}

/// `deployment.all`: newest first; an empty list for an unknown application (recording 80).
pub(super) fn all(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.required("applicationId")?;
    Ok(Body::Json(core.state.deployments_of(&id).rev().map(rows::deployment).collect()))
}

/// `deployment.readLogs`: the last lines of a log, as one string.
pub(super) fn read_logs(core: &mut Core, _: Timestamp, input: &mut Input) -> Outcome {
    let id = input.string("deploymentId");
    let tail = usize::try_from(input.number("tail", 100)).unwrap_or(usize::MAX);
    input.check()?;
    let Some(deployment) = core.state.deployment_mut(&id) else {
        return Err(Refusal::not_found(input.call(), "Deployment"));
    };
    let lines: Vec<_> = deployment.log.split_inclusive('\n').collect();
    let last = lines.iter().skip(lines.len().saturating_sub(tail)).copied();
    Ok(Body::Json(json!(last.collect::<String>())))
}

/// `deployment.queueList`: the only call that shows a waiting job (recording 175).
pub(super) fn queue(core: &Core, _: Timestamp) -> Body {
    let jobs = core.queue.list();
    Body::Json(jobs.map(|(job, begun)| queued(core, job, begun)).collect())
}

fn queued(core: &Core, job: &Job, begun: Option<Timestamp>) -> Value {
    let row = json!({
        "id": format!("job-{}", job.id),
        "name": "deployments",
        "data": {
            "applicationId": job.application_id,
            "titleLog": job.title,
            "descriptionLog": job.description,
            "type": job.kind,
            "applicationType": "application",
            "server": false,
        },
        "timestamp": job.enqueued_at.as_millisecond(),
        "servicePath": service_path(core, &job.application_id),
    });
    match begun {
        Some(at) => merged(row, json!({ "state": "active", "processedOn": at.as_millisecond() })),
        None => merged(row, json!({ "state": "waiting" })),
    }
}

/// Returns the path of the application in the platform's web interface; null once it is deleted
/// (recording 133).
fn service_path(core: &Core, application_id: &str) -> Value {
    let place = core.state.application(application_id).and_then(|application| {
        let environment = core.state.environment(&application.environment_id)?;
        Some((environment.project_id.as_str(), environment.id.as_str()))
    });
    match place {
        Some((project, environment)) => json!({
            "href": format!(
                "/dashboard/project/{project}/environment/{environment}/services/application/\
                 {application_id}"
            ),
            "label": "Application",
        }),
        None => json!({ "href": null, "label": "—" }),
    }
}
