//! Lists the projects of a Dokploy server, then deploys an image and waits for its job.
//!
//! `DOKPLOY_URL` and `DOKPLOY_API_TOKEN` name the server; without them a sandbox is started. The
//! first argument is the image, `sandbox/hello` by default. Everything created is removed at the
//! end.

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a program for a terminal")]

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use clock::SystemClock;
use dokploy::{
    Application, Configuration, Dokploy, DokployConfig, JobStatus, NewApplication, NewProject,
};
use dokploy_sandbox::{Sandbox, SandboxConfig, start};
use tokio_util::sync::CancellationToken;

/// The interval at which the job is polled.
const INTERVAL: Duration = Duration::from_millis(500);
/// The maximum number of polls: two minutes.
const LOOKS: usize = 240;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let stop = CancellationToken::new();
    let (config, sandbox) = server(&stop).await?;
    let client = Dokploy::new(config, Arc::new(SystemClock))?;
    println!("Dokploy {}", client.version().await?.text);
    for project in client.projects().await? {
        println!("project {} ({})", project.name, project.id);
    }
    let image = env::args().nth(1).unwrap_or_else(|| String::from("sandbox/hello"));
    deploy(&client, image).await?;
    stop.cancel();
    if let Some(sandbox) = sandbox {
        sandbox.stopped().await;
    }
    Ok(())
}

/// Returns the configuration of the server, and the sandbox if no server is named.
async fn server(
    stop: &CancellationToken,
) -> Result<(DokployConfig, Option<Sandbox>), Box<dyn Error>> {
    if let (Ok(url), Ok(key)) = (env::var("DOKPLOY_URL"), env::var("DOKPLOY_API_TOKEN")) {
        return Ok((DokployConfig::new(url, key.into()), None));
    }
    let edge = "127.0.0.1:0".parse()?;
    let config = SandboxConfig { edge, ..SandboxConfig::new("example".into(), 1) };
    let sandbox = start(config, Arc::new(SystemClock), stop.clone()).await?;
    Ok((DokployConfig::new(sandbox.url(), "example".into()), Some(sandbox)))
}

/// Creates a project with one application, deploys the image, and removes both.
async fn deploy(client: &Dokploy, image: String) -> Result<(), Box<dyn Error>> {
    let (name, marker) = (String::from("example"), String::from("made by an example"));
    let project =
        client.create_project(&NewProject { name: name.clone(), marker: marker.clone() }).await?;
    let environment = project.environment.ok_or("the server is older than v0.25")?;
    let new = NewApplication { app_name_base: name.clone(), name, marker, environment };
    let application = client.create_application(&new).await?;
    let configuration = Configuration {
        image,
        registry: None,
        environment: Vec::new(),
        labels: Vec::new(),
        cpu_nanos: None,
        memory_bytes: None,
    };
    client.configure_application(&application.id, &configuration).await?;
    client.enqueue_deploy(&application.id, "example").await?;
    println!("the job of {} ended: {:?}", application.app_name, wait(client, &application).await?);
    client.delete_application(&application.id).await?;
    client.remove_project(&project.id).await?;
    Ok(())
}

/// Waits for the application's newest job to end. `Done` means that Docker accepted the service,
/// not that its container is healthy.
async fn wait(
    client: &Dokploy,
    application: &Application,
) -> Result<Option<JobStatus>, dokploy::Error> {
    for _ in 0..LOOKS {
        let newest = client.jobs(&application.id).await?.into_iter().next();
        match newest.map(|job| job.status) {
            Some(JobStatus::Running) | None => tokio::time::sleep(INTERVAL).await,
            ended => return Ok(ended),
        }
    }
    Ok(None)
}
