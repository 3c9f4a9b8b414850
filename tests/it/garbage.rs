//! Malformed requests: every answer is an error that says what to do.

use axum::body::Body;
use axum::http::{Request, StatusCode};

use ai_stack_deployer::http::routes;

use crate::support::app::{TestApp, send_raw};

#[tokio::test]
async fn a_body_that_is_no_deploy_request_is_refused_with_a_sentence() {
    let app = TestApp::new();
    let deep = "[".repeat(30_000);
    let deep_name = format!("{{\"name\":{}", "{\"a\":".repeat(10_000));
    let cases: [(&[u8], &str); 22] = [
        (b"", "INVALID_JSON"),
        (b"   ", "INVALID_JSON"),
        (b"{", "INVALID_JSON"),
        (b"name=alice", "INVALID_JSON"),
        (b"{\"name\":\"alice\"} trailing", "INVALID_JSON"),
        (b"{\"name\":\"ali\xffce\"}", "INVALID_JSON"),
        (b"\xef\xbb\xbf{\"name\":\"alice\"}", "INVALID_JSON"),
        (b"\x00\x01\x02", "INVALID_JSON"),
        (b"{'name':'alice'}", "INVALID_JSON"),
        (b"{\"name\":\"ali\\ud800ce\"}", "INVALID_JSON"),
        (deep.as_bytes(), "INVALID_NAME"),
        (deep_name.as_bytes(), "INVALID_NAME"),
        (b"null", "INVALID_NAME"),
        (b"[]", "INVALID_NAME"),
        (b"[\"alice\"]", "INVALID_NAME"),
        (b"\"alice\"", "INVALID_NAME"),
        (b"{}", "INVALID_NAME"),
        (b"{\"name\":null}", "INVALID_NAME"),
        (b"{\"name\":17}", "INVALID_NAME"),
        (b"{\"name\":[\"alice\"]}", "INVALID_NAME"),
        (b"{\"name\":\"alice\",\"name\":\"bobby\"}", "INVALID_NAME"),
        (b"{\"Name\":\"alice\"}", "INVALID_NAME"),
    ];
    for (body, code) in cases {
        let reply = app.deploy(body.to_vec()).await;
        let shown: String = String::from_utf8_lossy(body).chars().take(40).collect();
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{shown}");
        assert_eq!(reply.error_code(), code, "{shown}");
    }
    for name in ["", "Alice", "a\\u0000b", "../../etc", "<script>", "älice", "www"] {
        let reply = app.deploy(format!("{{\"name\":\"{name}\"}}")).await;
        assert_eq!(reply.error(), "400 INVALID_NAME", "{name}");
    }
    assert!(app.store.records().is_empty());
}

#[tokio::test]
async fn a_body_is_read_as_json_whatever_its_content_type() {
    for kind in ["application/x-www-form-urlencoded", "text/plain", "application/json", "garbage"] {
        let app = TestApp::new();
        let body = r#" {"other": [1], "name": "alice"} "#;
        let reply = app.ask("POST", "/api/deploy", &[("content-type", kind)], body).await;
        assert_eq!(reply.status, StatusCode::CREATED, "{kind}");
    }
}

#[tokio::test]
async fn a_body_with_answers_may_have_1_mib_and_no_more() {
    let app = TestApp::new();
    let start = r#"{"name":"alice"}"#;
    let body = |length: usize| format!("{start}{}", " ".repeat(length - start.len()));
    let reply = app.deploy(body((1 << 20) + 1)).await;
    assert_eq!(reply.error(), "413 BODY_TOO_LARGE");
    assert_eq!(reply.json()["error"], "The body is longer than 1024 KiB: shorten it.");
    assert_eq!(app.deploy(body(1 << 20)).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn an_unknown_address_is_an_error_in_json() {
    let app = TestApp::new();
    let cases = [
        ("/api", 404, "NOT_FOUND"),
        ("/api/", 404, "NOT_FOUND"),
        ("/api/nothing", 404, "NOT_FOUND"),
        ("/api/check/", 404, "NOT_FOUND"),
        ("/api/check/a/b", 404, "NOT_FOUND"),
        ("/api/%", 404, "NOT_FOUND"),
        ("/api/%ff%fe", 404, "NOT_FOUND"),
        ("/health/more", 404, "NOT_FOUND"),
        ("/api/check/%ff", 400, "INVALID_PATH"),
        ("/api/deployment/%ff", 400, "INVALID_PATH"),
        ("/api/status/%c3%28", 400, "INVALID_PATH"),
        ("/api/deployment/dep_1", 404, "NOT_FOUND"),
        ("/api/deployment/..%2f..%2fetc", 404, "NOT_FOUND"),
        ("/api/status/dep_00000000000000000000000000000000", 404, "NOT_FOUND"),
        ("/api/deploy", 405, "METHOD_NOT_ALLOWED"),
    ];
    for (path, status, code) in cases {
        let reply = app.get(path).await;
        assert_eq!(reply.status.as_u16(), status, "{path}");
        assert_eq!(reply.error_code(), code, "{path}");
    }
}

/// Reading many fields takes time that grows with the square of their number, so they are refused
/// before a router reads them, on every route.
#[tokio::test]
async fn a_query_and_a_form_have_few_fields_and_a_target_is_short() {
    let app = TestApp::new();
    let fields = |count: usize| {
        let fields: Vec<_> = (0..count).map(|number| format!("k{number}")).collect();
        fields.join("&")
    };
    let long = "x".repeat(8_193);
    for (_, path, _) in routes() {
        for (query, status, code) in
            [(&*fields(65), 400, "INVALID_REQUEST"), (&*long, 414, "URI_TOO_LONG")]
        {
            let reply = app.get(&format!("{path}?{query}")).await;
            assert_eq!((reply.status.as_u16(), &*reply.error_code()), (status, code), "{path}");
        }
    }
    for path in [format!("/{long}"), format!("/api/{long}")] {
        assert_eq!(app.get(&path).await.error_code(), "URI_TOO_LONG");
    }
    assert_eq!(app.get(&format!("/?{}", fields(64))).await.status, StatusCode::OK);
    for (path, most) in
        [("/api/fn/start_deployment", 64), ("/api/deploy", 256), ("/new/default", 256)]
    {
        let request = Request::post(path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(fields(most + 1)))
            .unwrap();
        let reply = app.send(request).await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}");
        assert_eq!(reply.error_code(), "INVALID_REQUEST", "{path}");
    }
}

#[tokio::test]
async fn a_path_that_decodes_to_no_name_is_an_invalid_name() {
    let app = TestApp::new();
    for path in ["/api/check/%zz", "/api/check/%00", "/api/check/a%2fb", "/api/check/%C3%A4bc"] {
        let reply = app.get(path).await;
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(reply.json()["code"], "NAME_INVALID_CHARACTER", "{path}");
    }
}

#[tokio::test]
async fn a_wrong_method_is_answered_with_the_allowed_ones() {
    let app = TestApp::new();
    let cases = [
        ("PUT", "/api/deploy", "POST"),
        ("DELETE", "/api/check/alice", "GET,HEAD"),
        ("POST", "/health", "GET,HEAD"),
        ("PATCH", "/api/status/x", "GET,HEAD"),
    ];
    for (method, path, allowed) in cases {
        let reply = app.ask(method, path, &[], "").await;
        assert_eq!(reply.error(), "405 METHOD_NOT_ALLOWED", "{method} {path}");
        assert_eq!(reply.header("allow"), Some(allowed), "{method} {path}");
    }
}

#[tokio::test]
async fn the_older_servers_documented_call_works_over_a_socket() {
    let app = TestApp::new();
    let address = app.listen().await;
    let request = "POST /api/deploy HTTP/1.1\r\nHost: localhost:3000\r\nUser-Agent: curl/8\r\n\
                   Accept: */*\r\nContent-Length: 16\r\nConnection: close\r\n\
                   Content-Type: application/x-www-form-urlencoded\r\n\r\n{\"name\":\"alice\"}";
    let answer = send_raw(address, request.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 201 Created\r\n"), "{answer}");
    assert!(answer.contains("\r\nlocation: /api/deployment/dep_"), "{answer}");
}

#[tokio::test]
async fn a_body_far_too_long_still_gets_its_answer_over_a_socket() {
    let app = TestApp::new();
    let address = app.listen().await;
    let mut request =
        b"POST /api/deploy HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\nConnection: close\r\n\r\n"
            .to_vec();
    request.extend(std::iter::repeat_n(b'x', 2_000_000));
    let answer = send_raw(address, &request).await;
    assert!(answer.starts_with("HTTP/1.1 413 "), "{answer}");
    assert!(answer.contains("\"code\":\"BODY_TOO_LARGE\""), "{answer}");
}
