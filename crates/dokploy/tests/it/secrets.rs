//! No log line, error or debug output contains a secret, even if the platform repeats it
//! (promise P17).

use std::fmt::Write as _;

use dokploy::{ApplicationId, ApplicationRow, Configuration, Registry, ServiceSettings};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use test_support::log::Log;

use super::wire_server::{Script, WireServer};
use super::{KEY, client, config};

const PASSWORD: &str = "canary-password";
const VALUE: &str = "canary-value";

fn configuration() -> Configuration {
    Configuration {
        image: "stack:1".to_owned(),
        registry: Some(Registry {
            url: None,
            user: "puller".to_owned(),
            password: SecretString::from(PASSWORD),
        }),
        environment: vec![("TOKEN".to_owned(), SecretString::from(VALUE))],
        labels: Vec::new(),
        cpu_nanos: None,
        memory_bytes: None,
    }
}

/// Answers in which a platform might repeat parts of the request.
fn repeating() -> Vec<ResponseTemplate> {
    let secrets = format!("{KEY} {PASSWORD} TOKEN={VALUE}");
    let message = format!(r#"{{"message":"Failed: {secrets}","code":"BAD_REQUEST"}}"#);
    let issues = format!(
        r#"{{"message":"{secrets}","code":"BAD_REQUEST",
            "issues":[{{"path":["env"],"code":"custom","message":"{secrets}"}}]}}"#
    );
    vec![
        ResponseTemplate::new(200).set_body_string(format!("\"{secrets}")),
        ResponseTemplate::new(200).set_body_string(format!("[{{\"projectId\":\"{secrets}\"")),
        ResponseTemplate::new(302).insert_header("location", format!("http://x/{KEY}").as_str()),
        ResponseTemplate::new(400).set_body_string(&message),
        ResponseTemplate::new(400).set_body_string(issues),
        ResponseTemplate::new(400).set_body_string(&secrets),
        ResponseTemplate::new(401).set_body_string(&message),
        ResponseTemplate::new(403).set_body_string(&secrets),
        ResponseTemplate::new(500).set_body_string(&message),
    ]
}

/// Returns a row whose variable and password are secrets.
async fn row_with_secrets() -> ApplicationRow {
    let server = MockServer::start().await;
    let body = json!({
        "dockerImage": "stack:1", "username": "puller", "password": PASSWORD, "replicas": 1,
        "env": format!("TOKEN={VALUE}\nOTHER='{VALUE} #2'"), "domains": [], "mounts": [],
    });
    Mock::given(any())
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(&server)
        .await;
    let id = ApplicationId("app".to_owned());
    let row = client(&server.uri()).application_row(&id).await.unwrap().unwrap();
    let read = row.environment.as_ref().unwrap();
    assert_eq!((read[0].1.expose_secret(), read.len()), (VALUE, 2));
    assert_eq!(row.registry.as_ref().unwrap().password.expose_secret(), PASSWORD);
    row
}

#[tokio::test]
async fn no_secret_appears_in_any_log_line_error_or_debug_output() {
    let (log, _guard, _second) = Log::listen();
    let id = ApplicationId("app".to_owned());
    let mut told = format!("{:?} {:?}", config("http://x"), configuration());
    for answer in repeating() {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&server).await;
        let client = client(&server.uri());
        let error = client.configure_application(&id, &configuration()).await.unwrap_err();
        write!(told, "{error} {error:?} {client:?}").unwrap();
        let settings = ServiceSettings::default();
        let error = client.configure_service(&id, &configuration(), &settings).await.unwrap_err();
        write!(told, "{error} {error:?}").unwrap();
        let error = client.application_row(&id).await.unwrap_err();
        write!(told, "{error} {error:?}").unwrap();
    }
    write!(told, "{:?}", row_with_secrets().await).unwrap();
    let server = WireServer::start(vec![Script::Answer(format!("{KEY}\r\n{VALUE}\r\n"))]).await;
    let client = client(&server.url);
    for _ in 0..2 {
        let error = client.configure_application(&id, &configuration()).await.unwrap_err();
        write!(told, "{error} {error:?}").unwrap();
    }

    let log = log.text();
    assert!(log.contains("platform.call=\"application.update\""), "the calls are logged: {log}");
    assert!(log.contains("http.status=400") && log.contains("duration_ms=0"), "{log}");
    for canary in [KEY, PASSWORD, VALUE, "canary"] {
        assert!(!told.contains(canary), "{canary} is told: {told}");
        let line = log.lines().find(|line| line.contains(canary));
        assert_eq!(line, None, "{canary} is logged");
    }
}
