//! The levels of log lines say what an operator must do, and no anonymous caller can choose them.

use std::time::Duration;

use ai_stack_deployer::http::routes;
use axum::http::StatusCode;
use serde_json::json;
use wiremock::ResponseTemplate;

use super::world::World;
use crate::support::browser::Browser;
use crate::support::fake_provider::{FakeProvider, TOKENS};
use test_support::log::Log;

/// Returns the lines that ask for an operator.
fn alarms(log: &Log) -> Vec<String> {
    let text = log.text();
    let lines = text.lines().filter(|line| line.contains(" WARN ") || line.contains("ERROR "));
    lines.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn no_callback_of_an_anonymous_caller_is_an_alarm() {
    let (log, _guard, _second) = Log::listen();
    let world = World::new().await;
    for error in ["x", "invalid_client", "unauthorized_client", "server_error", "access_denied", ""]
    {
        world.app.clock.advance(Duration::from_secs(1));
        let mut browser = Browser::new(&world.app);
        let tab = world.begin(&mut browser).await;
        for answer in [
            format!("error={error}"),
            format!("error={error}&state=s"),
            format!("error={error}&state={}&code=c", tab.state),
        ] {
            world.redirect_back(&mut browser, &answer).await;
        }
    }
    // A code that the provider does not know: not every provider answers it well.
    let named = ["invalid_grant", "invalid_request", "invalid_scope", "anything"];
    let named = named.map(|error| json!({ "error": error }));
    let mut answers: Vec<_> = [200, 400, 403]
        .into_iter()
        .flat_map(|status| named.iter().map(move |error| (status, error)))
        .map(|(status, error)| ResponseTemplate::new(status).set_body_json(error))
        .collect();
    for status in [302, 400, 404, 413, 414, 422, 429, 500, 502, 503] {
        answers.push(ResponseTemplate::new(status));
        answers.push(ResponseTemplate::new(status).set_body_string("<html>"));
        let other = json!({ "message": "bad code", "status": status });
        answers.push(ResponseTemplate::new(status).set_body_json(other));
    }
    let codes = [String::from("x"), String::from("%00%0A%ff"), "x".repeat(6_000)];
    for (answer, code) in answers.into_iter().zip(codes.iter().cycle()) {
        world.app.clock.advance(Duration::from_secs(1));
        let mut browser = Browser::new(&world.app);
        let tab = world.begin(&mut browser).await;
        world.fake.answer(TOKENS, answer);
        let reply =
            world.redirect_back(&mut browser, &format!("code={code}&state={}", tab.state)).await;
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{reply:?}");
    }
    // The same in the forms of other providers.
    for (status, body) in [
        (400, ""),
        (400, "<html>Bad Request"),
        (401, "{}"),
        (403, "forbidden"),
        (400, "{\"error\": {\"code\": 400}}"),
        (200, "{\"error\": \"bad_verification_code\"}"),
    ] {
        world.app.clock.advance(Duration::from_secs(1));
        let mut browser = Browser::new(&world.app);
        let tab = world.begin(&mut browser).await;
        world.fake.answer(TOKENS, ResponseTemplate::new(status).set_body_string(body));
        world.redirect_back(&mut browser, &format!("code=x&state={}", tab.state)).await;
    }
    assert_eq!(alarms(&log), Vec::<String>::new());
}

#[tokio::test]
async fn only_a_provider_that_rejects_the_portal_is_an_error() {
    let (log, _guard, _second) = Log::listen();
    let world = World::new().await;
    for error in ["invalid_client", "unauthorized_client"] {
        let mut browser = Browser::new(&world.app);
        let tab = world.begin(&mut browser).await;
        let refusal = ResponseTemplate::new(401).set_body_json(json!({ "error": error }));
        world.fake.answer(TOKENS, refusal);
        world.redirect_back(&mut browser, &format!("code=x&state={}", tab.state)).await;
    }
    let alarms = alarms(&log);
    assert!(alarms.len() == 2 && alarms.iter().all(|line| line.contains("ERROR")), "{alarms:?}");
}

#[tokio::test]
async fn no_address_and_no_header_of_an_anonymous_caller_is_an_alarm() {
    let (log, _guard, _second) = Log::listen();
    let world = World::new().await;
    let long = "a".repeat(300);
    let headers: [&[(&str, &str)]; 4] = [
        &[],
        &[("accept", "text/html")],
        &[("accept-encoding", "br, gzip"), ("range", "bytes=9-1")],
        &[("authorization", "Bearer asd_x"), ("content-length", "5")],
    ];
    for path in [
        format!("/pkg/{long}"),
        format!("/pkg/{long}.js.br"),
        format!("/pkg/{}", "a/".repeat(600)),
        format!("/{long}"),
        String::from("/pkg/%00"),
        String::from("/pkg/%ff"),
        String::from("/pkg/..%2f..%2fetc/passwd"),
        String::from("/pkg/"),
        String::from("/api/fn/nothing"),
        String::from("/deployments/%00"),
        format!("/api/check/{long}"),
        String::from("/admin"),
        String::from("/?name=%ff&refused=%00"),
        String::from("/sign-in?return_to=%ff"),
        String::from("/api/fn/start_deployment?x=%ff"),
        String::from("/auth/sign-in?return_to=%ff"),
        String::from("/admin/audit?at=%ff"),
    ] {
        for method in ["GET", "HEAD", "POST", "PUT", "OPTIONS"] {
            for headers in headers {
                let reply = world.app.ask(method, &path, headers, "").await;
                assert!(reply.status.as_u16() < 500, "{method} {path}: {reply:?}");
            }
        }
    }
    let reply = world.app.get(&format!("/pkg/{long}")).await;
    assert_eq!(reply.status, StatusCode::NOT_FOUND);
    assert_eq!(alarms(&log), Vec::<String>::new());
}

/// Whatever somebody sends to an open portal, and to one where they have not signed in.
#[tokio::test]
async fn no_request_without_a_sign_in_is_an_alarm() {
    let long = "a".repeat(3_000);
    let bodies = [
        String::new(),
        String::from("{"),
        String::from("{\"name\":\"a\\u0000\\u202e\"}"),
        String::from("name=%00%ff&id=%00"),
        format!("name={long}&id={long}&scope={long}&return_to={long}"),
    ];
    let headers: [&[(&str, &str)]; 5] = [
        &[("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")],
        &[("origin", "null"), ("cookie", "browser=%00; __Host-session=\"")],
        &[("idempotency-key", "\"\""), ("last-event-id", "-1")],
        &[("authorization", "Bearer asd_"), ("x-forwarded-for", "::, ,999.1.1.1")],
        &[("content-type", "multipart/form-data"), ("content-encoding", "br")],
    ];
    let provider = FakeProvider::start().await;
    for variables in [vec![], provider.variables()] {
        let (log, _guard, _second) = Log::listen();
        let (app, _site) = super::portal(&variables);
        for (method, route, _) in routes() {
            for value in ["x", "%00", "%ff", "dep_00000000000000000000000000000000", &long] {
                let path = route.replace("{id}", value).replace("{name}", value);
                let path = path.replace("{*path}", value);
                for (headers, body) in headers.iter().zip(&bodies) {
                    app.clock.advance(Duration::from_secs(1));
                    app.ask(method.as_str(), &path, headers, body.clone()).await;
                }
            }
        }
        assert_eq!(alarms(&log), Vec::<String>::new());
    }
}
