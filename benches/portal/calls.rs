//! The baseline of orchestration: the same calls, made by a bare client in a straight line.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use reqwest::header::HOST;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use super::deployment::CONFIRM_PAUSE;
use super::platform::{KEY, Platform};

/// The pauses of the portal between its looks at a job, each half as long again as the one before.
const JOB_PAUSES: [Duration; 2] = [Duration::from_millis(50), Duration::from_secs(2)];
/// The pause of the portal between its questions to a stack.
const HEALTH_PAUSE: Duration = Duration::from_millis(250);
/// The interval at which it asks the platform meanwhile how the container fares.
const TASKS_PAUSE: Duration = Duration::from_secs(1);
/// The time that a stack may take.
const TIMEOUT: Duration = Duration::from_mins(10);

/// Brings the stack `name` up without a journal, and gives up at the first trouble.
pub(crate) async fn straight(
    client: &Client,
    platform: &Platform,
    name: &str,
) -> anyhow::Result<()> {
    let api = Api { client, root: format!("{}/api", platform.sandbox.url()) };
    tokio::try_join!(api.get("overview.domains", &[]), api.get("project.all", &[]))?;
    let body = json!({ "name": format!("ai-stack-{name}"), "description": "bare" });
    let project = api.post("project.create", &body).await?;
    let body = json!({
        "name": name,
        "appName": format!("stack-{name}"),
        "description": "bare",
        "environmentId": text(&project, "/environment/environmentId")?,
        "sourceType": "docker",
    });
    let application = api.post("application.create", &body).await?;
    let id = text(&application, "/applicationId")?;
    for (call, body) in the_rest(id, name) {
        api.post(call, &body).await?;
    }
    api.until_started(id).await?;
    until_confirmed(&api, platform, name, text(&application, "/appName")?).await
}

/// Lists the calls that follow once the application is there.
fn the_rest(application: &str, name: &str) -> [(&'static str, Value); 3] {
    let configuration = json!({
        "applicationId": application,
        "sourceType": "docker",
        "dockerImage": "sandbox/hello",
        "env": "",
        "createEnvFile": false,
        "replicas": 1,
        "autoDeploy": false,
    });
    let domain = json!({
        "host": format!("{name}.localhost"),
        "path": "/",
        "port": 8080,
        "https": false,
        "certificateType": "none",
        "applicationId": application,
        "domainType": "application",
    });
    let job = json!({ "applicationId": application, "title": "bare" });
    [("application.update", configuration), ("domain.create", domain), ("application.deploy", job)]
}

/// Asks the stack until it has answered twice in a row and the platform shows its container, and
/// then once more; and now and then how the container fares.
async fn until_confirmed(
    api: &Api<'_>,
    platform: &Platform,
    name: &str,
    app_name: &str,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let mut tasks_asked = begun;
    let mut seen = None;
    loop {
        if answers(api.client, platform, name).await? {
            tokio::time::sleep(CONFIRM_PAUSE).await;
            if answers(api.client, platform, name).await? {
                let container = api.container(app_name).await?;
                if container.is_some() && container == seen {
                    return Ok(());
                }
                seen = container;
                tokio::time::sleep(CONFIRM_PAUSE).await;
                continue;
            }
        }
        ensure!(begun.elapsed() < TIMEOUT, "{name} does not answer");
        if tasks_asked.elapsed() >= TASKS_PAUSE {
            tasks_asked = Instant::now();
            api.get("docker.getServiceContainersByAppName", &[("appName", app_name)]).await?;
        }
        tokio::time::sleep(HEALTH_PAUSE).await;
    }
}

async fn answers(client: &Client, platform: &Platform, name: &str) -> anyhow::Result<bool> {
    let url = format!("http://{}/health", platform.sandbox.edge());
    let response = client.get(url).header(HOST, platform.host(name)).send().await?;
    let is_success = response.status().is_success();
    response.bytes().await?;
    Ok(is_success)
}

/// The platform's API, without anything around it.
struct Api<'a> {
    client: &'a Client,
    root: String,
}

impl Api<'_> {
    /// Looks for the application's job until it is done.
    async fn until_started(&self, application: &str) -> anyhow::Result<()> {
        let begun = Instant::now();
        let [mut pause, longest] = JOB_PAUSES;
        while !self.is_started(application).await? {
            ensure!(begun.elapsed() < TIMEOUT, "the job does not end");
            tokio::time::sleep(pause).await;
            pause = (pause * 3 / 2).min(longest);
        }
        Ok(())
    }

    /// Looks for the job in the list, in the queue, and in the list again.
    async fn is_started(&self, application: &str) -> anyhow::Result<bool> {
        let parameters = [("applicationId", application)];
        if let Some(done) = is_done(&self.get("deployment.all", &parameters).await?)? {
            return Ok(done);
        }
        let queue = self.get("deployment.queueList", &[]).await?;
        let theirs = |job: &Value| job.pointer("/data/applicationId") == Some(&application.into());
        if queue.as_array().is_some_and(|queue| queue.iter().any(theirs)) {
            return Ok(false);
        }
        let done = is_done(&self.get("deployment.all", &parameters).await?)?;
        done.context("the platform forgot the job")
    }

    /// Returns the id of the one container that runs of a service, once it runs.
    async fn container(&self, app_name: &str) -> anyhow::Result<Option<String>> {
        let parameters = [("appName", app_name), ("type", "swarm")];
        let found = self.get("docker.getContainersByAppLabel", &parameters).await?;
        let Some(id) = found.pointer("/0/containerId").and_then(Value::as_str) else {
            return Ok(None);
        };
        let config = self.get("docker.getConfig", &[("containerId", id)]).await?;
        let is_running = config.pointer("/State/Running").and_then(Value::as_bool) == Some(true);
        Ok(is_running.then(|| id.to_owned()))
    }

    async fn get(&self, call: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
        answer(self.client.get(format!("{}/{call}", self.root)).query(parameters)).await
    }

    async fn post(&self, call: &str, body: &Value) -> anyhow::Result<Value> {
        answer(self.client.post(format!("{}/{call}", self.root)).json(body)).await
    }
}

/// Returns whether the one job in `jobs` is done, if there is one.
fn is_done(jobs: &Value) -> anyhow::Result<Option<bool>> {
    match jobs.pointer("/0/status").and_then(Value::as_str) {
        None => Ok(None),
        Some("running") => Ok(Some(false)),
        Some("done") => Ok(Some(true)),
        Some(other) => bail!("the job is {other}"),
    }
}

async fn answer(request: RequestBuilder) -> anyhow::Result<Value> {
    let response = request.header("x-api-key", KEY).send().await?.error_for_status()?;
    let body = response.bytes().await?;
    // Some calls answer with nothing.
    Ok(serde_json::from_slice(&body).unwrap_or_default())
}

fn text<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).context("an answer without an id")
}
