//! The client's call for each recorded one, or the reason why there is none.

use std::time::Duration;

use dokploy::{
    AppName, Application, ApplicationId, Certificate, Configuration, ContainerId, Dokploy, Domain,
    DomainId, EnvironmentId, Error, FailureAction, HealthCheck, JobId, MountId, NewApplication,
    NewDomain, NewMount, NewProject, ProjectId, ServiceSettings, UpdateOrder, UpdateSettings,
    VolumeName,
};
use serde_json::Value;

use super::RecordedRequest;

/// Returns the client's call that gets this answer.
pub(super) fn played_as(number: u32, recorded: &str) -> &str {
    match number {
        // The answers to a call that the server does not have, or not in that form.
        94 | 97 | 98 => "application.deploy",
        96 => "overview.domains",
        // The answer to a member's key for an id that it may not see.
        161 => "project.one",
        _ => recorded,
    }
}

/// Returns why the client does not make a recorded call.
pub(super) fn reason_not_to_play(call: &str) -> Option<&'static str> {
    let reason = match call {
        "health" => "checks nothing: it answers well with the database down",
        "settings.health" => "needs a key; the one under trpc does not",
        "auth/sign-up/email"
        | "auth/sign-in/email"
        | "organization.all"
        | "user.get"
        | "user.createApiKey"
        | "user.deleteApiKey"
        | "user.createUserWithCredentials" => "users and keys are the operator's",
        "project.search" | "trpc/project.all" => "project.all tells the same and more",
        "environment.byProjectId" | "environment.one" => "project.one tells the same",
        "application.search" => "loses applications",
        "application.saveDockerProvider" | "application.saveEnvironment" => {
            "application.update does both at once"
        }
        "domain.one" => "domain.byApplicationId tells the same",
        "overview.services" => "swarm.getNodeApps tells what runs, rows or no rows",
        "deployment.allByType" => "deployment.all tells the same",
        "application.readLogs" | "application.readTraefikConfig" => "not needed",
        "docker.getContainersByAppLabel" => "stacks are services of the swarm, never standalone",
        "application.stop" => "leaves the row as it is, so the next reload starts it again",
        "application.start" => "starts one container whatever the row says",
        "application.redeploy" => "is application.deploy without a pull",
        "application.cancelDeployment" | "deployment.killProcess" => "not to be had self-hosted",
        "port.create" => "stacks have no ports of their own",
        "dockerVolume.getVolumesSize" => "takes long, and nothing needs it",
        "dockerVolume.listVolumeFiles" => "needs an image of Docker Hub on the server",
        "environment.remove" => "environments go with their project",
        "settings.updateBuildsConcurrency" => "the server's settings are the operator's",
        _ => return None,
    };
    Some(reason)
}

/// Makes the client's call with the recorded arguments; `None` if the client has no such call.
pub(super) async fn play(
    client: &Dokploy,
    call: &str,
    request: &RecordedRequest,
) -> Option<Result<String, Error>> {
    fn show<T: std::fmt::Debug>(value: T) -> String {
        format!("{value:?}")
    }
    let id = || ApplicationId(request.text("applicationId"));
    Some(match call {
        "trpc/settings.health" => client.check_health().await.map(show),
        "settings.getDokployVersion" => client.version().await.map(show),
        "project.create" => client.create_project(&new_project(request)).await.map(show),
        "project.all" => client.projects().await.map(show),
        "project.one" => client.project(&ProjectId(request.text("projectId"))).await.map(show),
        "project.remove" => {
            client.remove_project(&ProjectId(request.text("projectId"))).await.map(show)
        }
        "application.create" => {
            client.create_application(&new_application(request)).await.map(show)
        }
        "application.one" => client.application_row(&id()).await.map(show),
        "application.update" if request.body.get("healthCheckSwarm").is_some_and(is_complete) => {
            let (configuration, settings) = (configuration(request), settings(request));
            client.configure_service(&id(), &configuration, &settings).await.map(show)
        }
        "application.reload" => client.reload_application(&application(request)).await.map(show),
        "application.update" if request.body.get("replicas").is_some_and(|_| is_alone(request)) => {
            let replicas =
                request.body["replicas"].as_u64().and_then(|number| number.try_into().ok());
            client.set_replicas(&id(), replicas.unwrap()).await.map(show)
        }
        "application.update" => {
            client.configure_application(&id(), &configuration(request)).await.map(show)
        }
        "application.delete" => client.delete_application(&id()).await.map(show),
        "domain.create" => client.create_domain(&new_domain(request)).await.map(show),
        "domain.update" => {
            let domain = Domain {
                id: DomainId(request.text("domainId")),
                host: request.text("host"),
                port: None,
                created_at: String::new(),
                middlewares: Vec::new(),
            };
            client.set_middlewares(&domain, &request.texts("middlewares")).await.map(show)
        }
        "domain.byApplicationId" => client.domains_of(&id()).await.map(show),
        "overview.domains" => client.hosts().await.map(show),
        "domain.delete" => {
            client.delete_domain(&DomainId(request.text("domainId"))).await.map(show)
        }
        "application.deploy" => {
            client.enqueue_deploy(&id(), &request.text("title")).await.map(show)
        }
        "deployment.all" => client.jobs(&id()).await.map(show),
        "deployment.queueList" => client.queue().await.map(show),
        "deployment.readLogs" => {
            client.job_log(&JobId(request.text("deploymentId"))).await.map(show)
        }
        "application.cleanQueues" => client.clear_queue(&id()).await.map(show),
        "docker.getServiceContainersByAppName" => {
            client.tasks(&AppName(request.text("appName"))).await.map(show)
        }
        "docker.getContainersByAppLabel" if request.text("type") == "standalone" => return None,
        "docker.getContainersByAppLabel" => {
            client.running_containers(&AppName(request.text("appName"))).await.map(show)
        }
        "docker.getContainersByAppNameMatch" => {
            client.containers(&AppName(request.text("appName"))).await.map(show)
        }
        "docker.getContainers" => client.node_containers().await.map(show),
        "docker.getConfig" if is_service(&request.text("containerId")) => {
            let name = AppName(request.text("containerId"));
            client.service(&name, &["STACK_REVISION"]).await.map(show)
        }
        "docker.getConfig" => client
            .inspect_container(&ContainerId(request.text("containerId")), &["STACK_OPERATION"])
            .await
            .map(show),
        "settings.readTraefikFile" => {
            client.read_traefik_file(&request.text("path")).await.map(show)
        }
        "settings.updateTraefikFile" => {
            let (path, text) = (request.text("path"), request.text("traefikConfig"));
            client.update_traefik_file(&path, &text).await.map(show)
        }
        "swarm.getContainerStats" => client.usage().await.map(show),
        "swarm.getNodeApps" => client.services().await.map(show),
        "swarm.getNodes" => match (client.node_count().await, client.own_node().await) {
            (Ok(count), Ok(own)) => Ok(format!("{count}, own {own:?}")),
            (Err(error), _) | (_, Err(error)) => Err(error),
        },
        "mounts.create" => client.create_mount(&new_mount(request)).await.map(show),
        "mounts.listByServiceId" => {
            client.mounts_of(&ApplicationId(request.text("serviceId"))).await.map(show)
        }
        "mounts.remove" => client.remove_mount(&MountId(request.text("mountId"))).await.map(show),
        "dockerVolume.getVolumes" => client.volumes().await.map(show),
        "dockerVolume.getVolumeConfig" => client.volume(&volume(request)).await.map(show),
        "dockerVolume.removeVolume" => client.remove_volume(&volume(request)).await.map(show),
        _ => return None,
    })
}

fn new_project(request: &RecordedRequest) -> NewProject {
    NewProject { name: request.text("name"), marker: request.text("description") }
}

fn new_application(request: &RecordedRequest) -> NewApplication {
    NewApplication {
        name: request.text("name"),
        app_name_base: request.text("appName"),
        marker: request.text("description"),
        environment: EnvironmentId(request.text("environmentId")),
    }
}

fn new_domain(request: &RecordedRequest) -> NewDomain {
    NewDomain {
        application: ApplicationId(request.text("applicationId")),
        host: request.text("host"),
        port: 8080,
        https: request.body["https"] == true,
        certificate: match request.text("certificateType").as_str() {
            "none" => Certificate::None,
            "custom" => Certificate::Custom,
            _ => Certificate::LetsEncrypt,
        },
        middlewares: request.texts("middlewares"),
    }
}

fn application(request: &RecordedRequest) -> Application {
    let id = ApplicationId(request.text("applicationId"));
    Application { id, app_name: AppName(request.text("appName")) }
}

/// Returns whether the request changes one column only.
fn is_alone(request: &RecordedRequest) -> bool {
    request.body.as_object().is_some_and(|fields| fields.len() == 2)
}

/// Returns whether this is the name of a service, and not the id of a container.
fn is_service(id: &str) -> bool {
    id.contains('-')
}

fn configuration(request: &RecordedRequest) -> Configuration {
    let environment = request.text("env");
    let pairs = environment.lines().filter_map(|line| line.split_once('='));
    Configuration {
        image: request.text("dockerImage"),
        registry: None,
        environment: pairs.map(|(name, value)| (name.to_owned(), value.into())).collect(),
        labels: Vec::new(),
        cpu_nanos: request.text("cpuLimit").parse().ok(),
        memory_bytes: request.text("memoryLimit").parse().ok(),
    }
}

/// The settings of a health check, if the request has all of them.
fn is_complete(check: &Value) -> bool {
    check.get("Test").is_some() && check.get("Retries").is_some()
}

fn settings(request: &RecordedRequest) -> ServiceSettings {
    let check = &request.body["healthCheckSwarm"];
    let time = |key: &str| Duration::from_nanos(check[key].as_u64().unwrap());
    let health_check = HealthCheck {
        test: serde_json::from_value(check["Test"].clone()).unwrap(),
        interval: time("Interval"),
        timeout: time("Timeout"),
        start_period: time("StartPeriod"),
        retries: u32::try_from(check["Retries"].as_u64().unwrap()).unwrap(),
    };
    let update = request.body["updateConfigSwarm"]["Monitor"].as_u64().map(|monitor| {
        let (order, on_failure) = (UpdateOrder::StartFirst, FailureAction::Rollback);
        UpdateSettings { order, monitor: Duration::from_nanos(monitor), on_failure }
    });
    let health_check = Some(health_check);
    ServiceSettings { health_check, update, ..ServiceSettings::default() }
}

fn volume(request: &RecordedRequest) -> VolumeName {
    VolumeName(request.text("volumeName"))
}

fn new_mount(request: &RecordedRequest) -> NewMount {
    NewMount {
        application: ApplicationId(request.text("serviceId")),
        volume: volume(request),
        path: request.text("mountPath"),
    }
}
