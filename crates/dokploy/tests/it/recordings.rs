//! Every recording is either replayed to the client or listed with a reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dokploy::{
    AppName, ApplicationId, Certificate, Configuration, ContainerId, Dokploy, DomainId,
    EnvironmentId, Error, JobId, NewApplication, NewDomain, NewProject, ProjectId, Registry,
};
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{KEY, client};

#[derive(Deserialize)]
struct Recording {
    request: RecordedRequest,
    response: RecordedResponse,
}

#[derive(Deserialize)]
struct RecordedRequest {
    method: String,
    url: String,
    body: Value,
}

#[derive(Deserialize)]
struct RecordedResponse {
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    body: Value,
}

impl RecordedRequest {
    fn call(&self) -> &str {
        self.url.trim_start_matches("/api/").split('?').next().unwrap()
    }

    fn query(&self) -> BTreeMap<String, String> {
        let url = Url::parse("http://recorded").unwrap().join(&self.url).unwrap();
        url.query_pairs().into_owned().collect()
    }

    /// Returns the value of `key` in the query or body; empty if it was not sent.
    fn text(&self, key: &str) -> String {
        let body = self.body.get(key).and_then(Value::as_str).map(ToOwned::to_owned);
        body.or_else(|| self.query().remove(key)).unwrap_or_default()
    }
}

impl RecordedResponse {
    fn template(&self) -> ResponseTemplate {
        let template = ResponseTemplate::new(self.status);
        let content_type = self.headers.get("content-type");
        match (&self.body, content_type) {
            (Value::String(text), _) if text.is_empty() => template,
            // The only body that is not JSON (recording 97) had no content type.
            (Value::String(text), None) => template.set_body_bytes(text.as_bytes()),
            (body, _) => template.set_body_raw(body.to_string(), "application/json"),
        }
    }
}

/// Reads all recordings, by number.
fn recordings() -> BTreeMap<u32, (String, Recording)> {
    let read = |(number, (name, text)): (u32, (String, String))| {
        (number, (name, serde_json::from_str(&text).unwrap()))
    };
    test_support::recordings::all().into_iter().map(read).collect()
}

/// Returns the client's call that gets this answer.
fn played_as(number: u32, recorded: &str) -> &str {
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
fn reason_not_to_play(call: &str) -> Option<&'static str> {
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
        "environment.byProjectId" | "environment.one" | "application.one" => {
            "project.one tells the same"
        }
        "application.search" => "loses applications",
        "application.saveDockerProvider" | "application.saveEnvironment" => {
            "application.update does both at once"
        }
        "domain.one" => "domain.byApplicationId tells the same",
        "overview.services" => "swarm.getNodeApps tells what runs, rows or no rows",
        "deployment.allByType" => "deployment.all tells the same",
        "application.readLogs" | "application.readTraefikConfig" => "not needed",
        "docker.getContainersByAppLabel" => "stacks are services of the swarm, never standalone",
        "application.stop"
        | "application.start"
        | "application.reload"
        | "application.redeploy" => "stacks are never paused",
        "application.cancelDeployment" | "deployment.killProcess" => "not to be had self-hosted",
        "port.create" | "mounts.create" => "stacks have neither ports nor mounts",
        "environment.remove" => "environments go with their project",
        "settings.updateBuildsConcurrency" => "the server's settings are the operator's",
        _ => return None,
    };
    Some(reason)
}

/// Makes the client's call with the recorded arguments; `None` if the client has no such call.
async fn play(
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
        "application.update" => {
            client.configure_application(&id(), &configuration(request)).await.map(show)
        }
        "application.delete" => client.delete_application(&id()).await.map(show),
        "domain.create" => client.create_domain(&new_domain(request)).await.map(show),
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
        "swarm.getNodeApps" => client.services().await.map(show),
        "swarm.getNodes" => client.node_count().await.map(show),
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
        https: true,
        certificate: Certificate::LetsEncrypt,
    }
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

/// Asserts that the request equals the recorded one in all fields that both have.
fn assert_as_recorded(name: &str, recorded: &RecordedRequest, sent: &Request) {
    assert_eq!(sent.method.as_str(), recorded.method, "{name}");
    assert_eq!(sent.url.path(), format!("/api/{}", recorded.call()), "{name}");
    let mut query: BTreeMap<_, _> = sent.url.query_pairs().into_owned().collect();
    if !recorded.query().contains_key("tail") {
        query.remove("tail");
    }
    assert_eq!(query, recorded.query(), "{name}");
    let Some(recorded_body) = recorded.body.as_object() else { return };
    assert_eq!(sent.headers["content-type"], "application/json", "{name}");
    let body: Value = sent.body_json().unwrap();
    for (key, value) in body.as_object().unwrap() {
        if let Some(recorded) = recorded_body.get(key) {
            assert_eq!(value, recorded, "{name}: {key}");
        }
    }
}

#[tokio::test]
async fn every_recording_is_understood_or_listed_with_a_reason() {
    let recordings = recordings();
    let mut story = String::new();
    for (number, (name, recording)) in &recordings {
        let call = played_as(*number, recording.request.call());
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(recording.response.template()).mount(&server).await;
        if recording.response.status == 401 {
            let health = if (227..=230).contains(number) { 228 } else { 2 };
            let health = recordings[&health].1.response.template();
            let asked = Mock::given(path("/api/trpc/settings.health")).respond_with(health);
            asked.with_priority(1).mount(&server).await;
        }
        let outcome = match play(&client(&server.uri()), call, &recording.request).await {
            Some(Ok(value)) => value,
            Some(Err(error)) => format!("{error:?}"),
            None => {
                let reason = reason_not_to_play(call);
                format!("not played: {}", reason.unwrap_or_else(|| panic!("{name} is new")))
            }
        };
        if let (200, Some(sent)) =
            (recording.response.status, server.received_requests().await.unwrap().first())
        {
            assert_as_recorded(name, &recording.request, sent);
        }
        writeln!(story, "{name} = {outcome}").unwrap();
    }
    insta::assert_snapshot!(story);
}

#[tokio::test]
async fn each_change_sends_exactly_this() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let client = client(&server.uri());
    let application = ApplicationId("app".to_owned());
    let private = Configuration {
        image: "registry.example.org/stack:1".to_owned(),
        registry: Some(Registry {
            url: Some("registry.example.org".to_owned()),
            user: "puller".to_owned(),
            password: SecretString::from("password"),
        }),
        environment: vec![("GREETING".to_owned(), SecretString::from("it's #1"))],
        labels: vec![("STACK_REVISION".to_owned(), "1".to_owned())],
        cpu_nanos: Some(500_000_000),
        memory_bytes: Some(268_435_456),
    };
    let bare = Configuration {
        image: "stack:1".to_owned(),
        registry: None,
        environment: Vec::new(),
        labels: Vec::new(),
        cpu_nanos: None,
        memory_bytes: None,
    };
    client.configure_application(&application, &private).await.unwrap();
    client.configure_application(&application, &bare).await.unwrap();
    client.enqueue_deploy(&application, "dep_1").await.unwrap();
    // The empty answer cannot be decoded; only the request matters here.
    client
        .create_application(&NewApplication {
            name: "alice".to_owned(),
            app_name_base: "stack-alice".to_owned(),
            marker: "ai-stack-deployer/default/dep_1".to_owned(),
            environment: EnvironmentId("env".to_owned()),
        })
        .await
        .unwrap_err();
    client
        .create_project(&NewProject {
            name: "ai-stack-alice".to_owned(),
            marker: "ai-stack-deployer/default/dep_1".to_owned(),
        })
        .await
        .unwrap_err();
    for (https, certificate) in [(true, Certificate::LetsEncrypt), (false, Certificate::None)] {
        let (application, host) = (application.clone(), "alice.ai.example.org".to_owned());
        let new = NewDomain { application, host, port: 8080, https, certificate };
        client.create_domain(&new).await.unwrap_err();
    }
    client.clear_queue(&application).await.unwrap();
    client.delete_domain(&DomainId("domain".to_owned())).await.unwrap();
    client.delete_application(&application).await.unwrap();
    client.remove_project(&ProjectId("project".to_owned())).await.unwrap();

    let mut sent = String::new();
    for request in server.received_requests().await.unwrap() {
        assert_eq!(request.headers["x-api-key"], KEY);
        assert_eq!(request.headers["content-type"], "application/json");
        assert!(request.headers.get("authorization").is_none());
        let body: Value = request.body_json().unwrap();
        writeln!(sent, "{} {}\n{body:#}", request.method, request.url.path()).unwrap();
    }
    insta::assert_snapshot!(sent);
}

#[tokio::test]
async fn an_address_with_or_without_slash_path_or_api_reaches_the_same_calls() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_raw("\"v0.30.2\"", "application/json");
    Mock::given(any()).respond_with(answer).mount(&server).await;
    for (tail, expected) in [
        ("", "/api/settings.getDokployVersion"),
        ("/", "/api/settings.getDokployVersion"),
        ("/api", "/api/settings.getDokployVersion"),
        ("/api/", "/api/settings.getDokployVersion"),
        ("/panel/", "/panel/api/settings.getDokployVersion"),
    ] {
        let client = client(&format!("{}{tail}", server.uri()));
        assert_eq!(client.version().await.unwrap().text, "v0.30.2");
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests.last().unwrap().url.path(), expected, "{tail:?}");
    }
}
