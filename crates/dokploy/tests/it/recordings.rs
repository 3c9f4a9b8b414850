//! Every recording is either replayed to the client or listed with a reason.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use dokploy::{
    AppName, Application, ApplicationId, Certificate, Configuration, Domain, DomainId,
    EnvironmentId, FailureAction, HealthCheck, MountId, NewApplication, NewDomain, NewMount,
    NewProject, ProjectId, Registry, ServiceSettings, UpdateOrder, UpdateSettings, VolumeName,
    VolumeRemoval,
};
use reqwest::Url;
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::Value;
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{KEY, client};

mod played;

use played::{play, played_as, reason_not_to_play};

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

    /// Returns the texts of the list `key` in the body; none if it was not sent.
    fn texts(&self, key: &str) -> Vec<String> {
        let listed = self.body.get(key).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
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

fn service_settings() -> ServiceSettings {
    ServiceSettings {
        args: vec!["serve".to_owned(), "--port=8080".to_owned()],
        health_check: Some(HealthCheck {
            test: vec!["CMD-SHELL".to_owned(), "curl -fs http://127.0.0.1:8080/health".to_owned()],
            interval: Duration::from_secs(5),
            timeout: Duration::from_secs(5),
            start_period: Duration::from_mins(2),
            retries: 3,
        }),
        constraints: vec!["node.hostname==vm".to_owned()],
        update: Some(UpdateSettings {
            order: UpdateOrder::StopFirst,
            monitor: Duration::from_secs(15),
            on_failure: FailureAction::Rollback,
        }),
    }
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
    client.configure_service(&application, &bare, &service_settings()).await.unwrap();
    client.configure_service(&application, &bare, &ServiceSettings::default()).await.unwrap();
    client.set_replicas(&application, 0).await.unwrap();
    let app_name = AppName("stack-alice-wpltkk".to_owned());
    let live = Application { id: application.clone(), app_name };
    client.reload_application(&live).await.unwrap();
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
        let middlewares = if https { vec!["portal-retry@file".to_owned()] } else { Vec::new() };
        let new = NewDomain { application, host, port: 8080, https, certificate, middlewares };
        client.create_domain(&new).await.unwrap_err();
    }
    let domain = Domain {
        id: DomainId("dom".to_owned()),
        host: "alice.ai.example.org".to_owned(),
        port: None,
        created_at: String::new(),
        middlewares: Vec::new(),
    };
    client.set_middlewares(&domain, &["portal-retry@file".to_owned()]).await.unwrap();
    client.set_port(&domain, 3000).await.unwrap();
    client.clear_queue(&application).await.unwrap();
    let volume = VolumeName("asd-portal-stk_1-data".to_owned());
    let path = "/data".to_owned();
    let new = NewMount { application: application.clone(), volume: volume.clone(), path };
    client.create_mount(&new).await.unwrap_err();
    client.remove_mount(&MountId("mount".to_owned())).await.unwrap();
    assert_eq!(client.remove_volume(&volume).await.unwrap(), VolumeRemoval::Removed);
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
