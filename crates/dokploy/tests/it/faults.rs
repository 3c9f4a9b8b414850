//! The client against a platform that fails, is slow, limits the rate, or cannot be reached.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use dokploy::{
    ApplicationId, BreakerState, BuildDokployError, Dokploy, DokployConfig, Error, LocalFault,
    ProjectId, Removal, VolumeName, VolumeRemoval,
};
use reqwest::Method;
use serde_json::json;
use transport::{Outbound, ProxyAddress};
use wiremock::matchers::{any, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::wire_server::{Script, WireServer};
use super::{KEY, ManualClock, client, config};

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn project() -> ProjectId {
    ProjectId("project".to_owned())
}

#[tokio::test]
async fn an_answer_that_does_not_come_in_time_is_lost() {
    let server = WireServer::start(vec![Script::Hang]).await;
    let mut config = config(&server.url);
    config.timeout = Duration::from_millis(50);
    let client = Dokploy::new(config, ManualClock::new()).unwrap();
    let error = client.projects().await.unwrap_err();
    assert_eq!(error, Error::TimedOut { call: "project.all", limit: Duration::from_millis(50) });
    assert!(error.may_have_committed());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_lost() {
    let cut = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n[{\"projectId\":".to_owned();
    let none = String::new();
    let server = WireServer::start(vec![Script::Answer(cut), Script::Answer(none)]).await;
    let client = client(&server.url);
    for _ in 0..2 {
        let error = client.projects().await.unwrap_err();
        assert!(matches!(error, Error::Lost { call: "project.all", .. }), "{error:?}");
    }
}

#[tokio::test]
async fn a_200_that_cannot_be_read_is_lost_without_its_content() {
    for body in ["<html>sign in</html>", "[{\"projectId\":7}]", ""] {
        let server = answering(ResponseTemplate::new(200).set_body_string(body)).await;
        let error = client(&server.uri()).projects().await.unwrap_err();
        let Error::Lost { reason, .. } = error else { panic!("{body:?}: {error:?}") };
        assert!(reason.starts_with("it cannot be read"), "{reason}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_lost() {
    let server = answering(ResponseTemplate::new(200).set_body_bytes(vec![b' '; 17 << 20])).await;
    let error = client(&server.uri()).projects().await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unreachable_and_surely_did_nothing() {
    let server = WireServer::start(Vec::new()).await;
    let url = server.url.replace("http://", "https://");
    for url in ["http://127.0.0.1:1".to_owned(), url] {
        let error = client(&url).projects().await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{url}: {error:?}");
        assert!(!error.may_have_committed());
    }
}

/// Only the proxy knows the name.
#[tokio::test]
async fn a_proxy_to_which_no_way_leads_is_a_local_fault_whatever_the_servers_name() {
    let proxy = ProxyAddress::parse("http://255.255.255.255:3128");
    let outbound = Outbound::default().through(proxy);
    let config = DokployConfig { outbound, ..config("http://dokploy.invalid") };
    let client = Dokploy::new(config, ManualClock::new()).unwrap();
    let error = client.projects().await.unwrap_err();
    assert!(matches!(error, Error::Local { fault: LocalFault::Network, .. }), "{error:?}");
}

#[tokio::test]
async fn a_proxys_pages_are_an_outage_and_never_an_absence() {
    for status in [404, 408, 500, 502, 503, 504] {
        let page = ResponseTemplate::new(status).set_body_string("<html>Bad Gateway</html>");
        let server = answering(page).await;
        let error = client(&server.uri()).remove_project(&project()).await.unwrap_err();
        let call = "project.remove";
        assert_eq!(error, Error::Unavailable { call, status, retry_after: None });
    }
}

#[tokio::test]
async fn what_is_refused_by_status_is_refused_whatever_the_body() {
    for status in [302, 403, 405, 409, 413, 415] {
        let answer = ResponseTemplate::new(status).set_body_string("Body exceeded 1mb limit");
        let server = answering(answer.insert_header("location", "http://127.0.0.1:1/")).await;
        let error = client(&server.uri()).projects().await.unwrap_err();
        let Error::Refused { status: told, detail, .. } = error else {
            panic!("{status}: {error:?}")
        };
        assert_eq!(told, status);
        assert_eq!(detail, "redirected to http://127.0.0.1:1/");
    }
}

#[tokio::test]
async fn the_pause_that_is_asked_for_is_told_and_bounded() {
    for (header, pause) in [
        ("7", Some(7)),
        ("Mon, 23 Nov 2026 10:00:30 GMT", Some(30)),
        ("Mon, 23 Nov 2026 09:00:00 GMT", Some(0)),
        ("86400", Some(300)),
        ("soon", None),
    ] {
        let answer = ResponseTemplate::new(429).insert_header("retry-after", header);
        let server = answering(answer).await;
        let error = client(&server.uri()).projects().await.unwrap_err();
        let retry_after = pause.map(Duration::from_secs);
        let call = "project.all";
        assert_eq!(error, Error::Unavailable { call, status: 429, retry_after });
    }
}

#[tokio::test]
async fn a_401_of_either_form_is_a_refused_key_only_while_the_platform_is_well() {
    let bare = r#"{"message":"Unauthorized"}"#;
    let within = r#"{"message":"UNAUTHORIZED","code":"UNAUTHORIZED","data":{"code":"UNAUTHORIZED",
        "httpStatus":401,"path":"project.all","zodError":null}}"#;
    for body in [bare, within, "<html>Unauthorized</html>", ""] {
        is_explained_by_health(&ResponseTemplate::new(401).set_body_string(body)).await;
    }
}

async fn is_explained_by_health(unauthorized: &ResponseTemplate) {
    let unauthorized = || unauthorized.clone();
    let call = "project.all";
    for (health, expected) in [
        (
            ResponseTemplate::new(200)
                .set_body_string(r#"{"result":{"data":{"json":{"status":"ok"}}}}"#),
            Error::KeyRefused { call },
        ),
        (ResponseTemplate::new(500), Error::Unavailable { call, status: 401, retry_after: None }),
        (unauthorized(), Error::Unavailable { call, status: 401, retry_after: None }),
        (
            ResponseTemplate::new(200).set_body_string("<html>Welcome</html>"),
            Error::Unavailable { call, status: 401, retry_after: None },
        ),
    ] {
        let server = answering(unauthorized()).await;
        let asked = Mock::given(path("/api/trpc/settings.health")).and(method(Method::GET));
        asked.respond_with(health).with_priority(1).mount(&server).await;
        let error = client(&server.uri()).projects().await.unwrap_err();
        assert_eq!(error, expected);
        assert!(error.may_have_committed(), "the key is verified again in the middle of a call");
        let requests = server.received_requests().await.unwrap();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[0].headers["x-api-key"], KEY);
        assert!(!requests[1].headers.contains_key("x-api-key"), "health is asked without the key");
    }
}

#[tokio::test]
async fn a_connection_is_used_again_while_it_is_fresh_and_never_after() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n[]";
    let scripts = vec![Script::KeepAnswering(answer.to_owned()); 4];
    for (idle_timeout, connections) in [(Duration::from_secs(3), 1), (Duration::from_nanos(1), 2)] {
        let server = WireServer::start(scripts.clone()).await;
        let mut config = config(&server.url);
        assert!(config.idle_timeout < Duration::from_secs(5), "the server's keep-alive");
        config.idle_timeout = idle_timeout;
        let client = Dokploy::new(config, ManualClock::new()).unwrap();
        for _ in 0..2 {
            assert_eq!(client.projects().await, Ok(Vec::new()));
        }
        assert_eq!(server.connections.load(Ordering::SeqCst), connections);
    }
}

#[tokio::test]
async fn removing_twice_is_removing_once() {
    let server = MockServer::start().await;
    let gone = r#"{"message":"Application not found","code":"NOT_FOUND",
        "data":{"code":"NOT_FOUND","httpStatus":404,"path":"application.delete"}}"#;
    let removed = Mock::given(any()).respond_with(ResponseTemplate::new(200).set_body_string("{}"));
    removed.up_to_n_times(1).mount(&server).await;
    let again = ResponseTemplate::new(404).set_body_string(gone);
    Mock::given(any()).respond_with(again).mount(&server).await;
    let client = client(&server.uri());
    let id = ApplicationId("app".to_owned());
    assert_eq!(client.delete_application(&id).await, Ok(Removal::Removed));
    assert_eq!(client.delete_application(&id).await, Ok(Removal::AlreadyGone));
}

#[tokio::test]
async fn five_failures_pause_all_calls_but_the_health_check_for_a_minute() {
    let bad = || Script::closing("502 Bad Gateway", "", "");
    let good = || Script::closing("200 OK", "", "[]");
    let well = Script::closing("200 OK", "", r#"{"result":{"data":{"json":{"status":"ok"}}}}"#);
    let scripts = vec![bad(), bad(), bad(), bad(), bad(), well, bad(), good(), good()];
    let server = WireServer::start(scripts).await;
    let clock = ManualClock::new();
    let client = Dokploy::new(config(&server.url), Arc::clone(&clock) as _).unwrap();
    for _ in 0..5 {
        assert_eq!(client.breaker().state, BreakerState::Closed);
        client.projects().await.unwrap_err();
    }
    let retry_after = Duration::from_mins(1);
    assert_eq!(client.projects().await, Err(Error::Paused { retry_after }));
    assert_eq!(client.breaker().retry_after, Some(retry_after));
    assert_eq!(client.check_health().await, Ok(()));
    assert_eq!(server.connections.load(Ordering::SeqCst), 6, "a paused call is not made");

    clock.advance(retry_after);
    assert_eq!(client.breaker().state, BreakerState::HalfOpen);
    client.projects().await.unwrap_err();
    assert_eq!(client.breaker().state, BreakerState::Open, "the probe failed");

    clock.advance(retry_after);
    assert_eq!(client.projects().await, Ok(Vec::new()));
    assert_eq!(client.breaker().state, BreakerState::Closed);
    assert_eq!(client.projects().await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_probe_that_is_given_up_does_not_keep_the_breaker_half_open() {
    let bad = Script::closing("502 Bad Gateway", "", "");
    let mut scripts = vec![bad; 5];
    scripts.extend([Script::Hang, Script::closing("200 OK", "", "[]")]);
    let server = WireServer::start(scripts).await;
    let clock = ManualClock::new();
    let client = Dokploy::new(config(&server.url), Arc::clone(&clock) as _).unwrap();
    for _ in 0..5 {
        client.projects().await.unwrap_err();
        server.asked.notified().await;
    }
    clock.advance(Duration::from_mins(1));
    tokio::select! {
        answer = client.projects() => panic!("it hangs, but answered {answer:?}"),
        () = server.asked.notified() => {}
    }
    assert_eq!(client.projects().await, Ok(Vec::new()));
    assert_eq!(client.breaker().state, BreakerState::Closed);
}

#[tokio::test]
async fn refusals_and_throttling_say_that_the_platform_is_well() {
    let refusal = r#"{"message":"Input validation failed","code":"BAD_REQUEST","issues":[]}"#;
    for answer in [
        ResponseTemplate::new(429),
        ResponseTemplate::new(403),
        ResponseTemplate::new(400).set_body_string(refusal),
        ResponseTemplate::new(400).set_body_string("Invalid JSON"),
    ] {
        let server = answering(answer).await;
        let client = client(&server.uri());
        for _ in 0..6 {
            client.projects().await.unwrap_err();
        }
        assert_eq!(client.breaker().state, BreakerState::Closed);
    }
}

/// Docker's message within the platform's 500 of this call.
fn failed_command(call: &str, message: &str) -> ResponseTemplate {
    let data = json!({ "code": "INTERNAL_SERVER_ERROR", "httpStatus": 500, "path": call });
    let message = format!("Command execution failed: {message}");
    let body = json!({ "message": message, "code": "INTERNAL_SERVER_ERROR", "data": data });
    ResponseTemplate::new(500).set_body_json(body)
}

#[tokio::test]
async fn a_volume_in_use_or_unknown_is_a_result_and_opens_no_breaker() {
    let call = "dockerVolume.removeVolume";
    let volume = VolumeName("asd-portal-stk_1-data".to_owned());
    for (message, expected) in [
        ("remove asd-portal-stk_1-data: volume is in use - [0a5e]", VolumeRemoval::InUse),
        ("get asd-portal-stk_1-data: no such volume", VolumeRemoval::Unknown),
    ] {
        let server = answering(failed_command(call, message)).await;
        let client = client(&server.uri());
        for _ in 0..6 {
            assert_eq!(client.remove_volume(&volume).await, Ok(expected));
        }
        assert_eq!(client.breaker().state, BreakerState::Closed);
    }
}

#[tokio::test]
async fn another_500_about_a_volume_is_an_outage() {
    let volume = VolumeName("asd-portal-stk_1-data".to_owned());
    let call = "dockerVolume.removeVolume";
    let outage = Error::Unavailable { call, status: 500, retry_after: None };
    for answer in [
        failed_command(call, "Cannot connect to the Docker daemon"),
        failed_command("another.call", "volume is in use"),
        ResponseTemplate::new(500).set_body_string("volume is in use"),
        ResponseTemplate::new(500),
    ] {
        let server = answering(answer).await;
        let error = client(&server.uri()).remove_volume(&volume).await.unwrap_err();
        assert_eq!(error, outage);
    }
    let call = "dockerVolume.getVolumeConfig";
    let server = answering(failed_command(call, "volume is in use")).await;
    let error = client(&server.uri()).volume(&volume).await.unwrap_err();
    assert_eq!(error, Error::Unavailable { call, status: 500, retry_after: None });
}

#[tokio::test]
async fn a_platform_without_docker_lists_no_volume_and_no_node() {
    let server = answering(ResponseTemplate::new(200)).await;
    let client = client(&server.uri());
    assert_eq!(client.volumes().await, Ok(Vec::new()));
    assert_eq!(client.own_node().await, Ok(None));
}

#[tokio::test]
async fn what_the_portal_itself_lacks_opens_no_breaker_and_was_surely_not_done() {
    // No machine has a route to this address (RFC 6890): the system reports that without sending a
    // packet.
    let client = client("http://255.255.255.255:9");
    for _ in 0..10 {
        let error = client.projects().await.unwrap_err();
        assert_eq!(error.local_fault(), Some(LocalFault::Network), "{error:?}");
        assert!(!error.may_have_committed() && !error.may_still_run(), "{error:?}");
        client.diagnose().await.unwrap_err();
    }
    let breaker = client.breaker();
    assert_eq!((breaker.state, breaker.consecutive_failures), (BreakerState::Closed, 0));
    assert_eq!(client.problem(), None, "it does not hang");
}

#[tokio::test]
async fn nobody_who_listens_is_the_platforms_fault_and_opens_the_breaker() {
    // Nothing listens on port 1.
    let client = client("http://127.0.0.1:1");
    for _ in 0..5 {
        let error = client.projects().await.unwrap_err();
        assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    }
    assert_eq!(client.breaker().state, BreakerState::Open);
}

#[test]
fn an_address_or_a_key_that_cannot_work_stops_the_start() {
    for url in ["", "dokploy.example.org", "ftp://x", "https://user:pw@x", "https://x/?a=b"] {
        let error = Dokploy::new(config(url), ManualClock::new()).unwrap_err();
        assert!(matches!(error, BuildDokployError::BaseUrl), "{url:?}: {error:?}");
    }
    let mut config = config("https://dokploy.example.org");
    config.api_key = "two\nlines".into();
    let error = Dokploy::new(config, ManualClock::new()).unwrap_err();
    assert!(matches!(error, BuildDokployError::ApiKey), "{error:?}");
    assert!(!format!("{error:?} {error}").contains("lines"));
}
