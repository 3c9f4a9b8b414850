//! The baseline of orchestration: the same calls, made by a bare client in a straight line.

use anyhow::Context;
use reqwest::{Client, RequestBuilder, header::HOST};
use serde_json::{Value, json};

use super::{
    deployment::CONFIRM_PAUSE,
    world::{KEY, World},
};

/// Brings the stack `name` up without a journal, and gives up at the first trouble.
pub(crate) async fn straight(client: &Client, world: &World, name: &str) -> anyhow::Result<()> {
    let api = Api { client, root: format!("{}/api", world.sandbox.url()) };
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
    let application = text(&application, "/applicationId")?;
    for (call, body) in the_rest(application, name) {
        api.post(call, &body).await?;
    }
    api.get("deployment.all", &[("applicationId", application)]).await?;
    ask_stack(client, world, name).await?;
    tokio::time::sleep(CONFIRM_PAUSE).await;
    ask_stack(client, world, name).await
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

async fn ask_stack(client: &Client, world: &World, name: &str) -> anyhow::Result<()> {
    let url = format!("http://{}/health", world.sandbox.edge());
    let request = client.get(url).header(HOST, world.host(name));
    request.send().await?.error_for_status()?.bytes().await?;
    Ok(())
}

/// The platform's API, without anything around it.
struct Api<'a> {
    client: &'a Client,
    root: String,
}

impl Api<'_> {
    async fn get(&self, call: &str, parameters: &[(&str, &str)]) -> anyhow::Result<Value> {
        answer(self.client.get(format!("{}/{call}", self.root)).query(parameters)).await
    }

    async fn post(&self, call: &str, body: &Value) -> anyhow::Result<Value> {
        answer(self.client.post(format!("{}/{call}", self.root)).json(body)).await
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
