//! Request heads that are too long: each is answered with a sentence, as the real server reads them.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::http::{ConnectionLimits, ConnectionTimes, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::app::TestApp;

/// Serves the portal like the binary, and returns its address.
async fn served(app: &TestApp) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let limits = ConnectionLimits {
        in_all: 100,
        per_address: None,
        proxies: Arc::default(),
        times: ConnectionTimes::default(),
    };
    tokio::spawn(serve(listener, app.responder.clone(), limits, app.shutdown.clone()));
    address
}

/// Returns a query of `count` keys: `aaa&aab&…`.
fn query(count: usize) -> String {
    let letters = || 'a'..='z';
    let pairs = letters().flat_map(|one| letters().map(move |two| (one, two)));
    let keys = pairs.flat_map(|(one, two)| letters().map(move |three| [one, two, three]));
    let keys = keys.cycle().take(count).map(String::from_iter);
    keys.collect::<Vec<_>>().join("&")
}

fn get(target: &str, field: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{field}\r\n")
}

/// Sends a request, and returns the head and the body of the answer.
async fn answer(address: SocketAddr, request: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    let read = stream.read_to_string(&mut answer);
    timeout(Duration::from_secs(20), read).await.expect("the end").unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

#[tokio::test]
async fn a_long_address_gets_the_portals_own_answer_on_every_route() {
    let app = TestApp::new();
    let address = served(&app).await;
    let query = query(16_000);
    for path in ["/sign-in", "/", "/api/check/alice", "/pkg/x.js", "/nothing", "/admin"] {
        let request = get(&format!("{path}?{query}"), "");
        let (head, body) = answer(address, &request).await;
        assert!(head.starts_with("HTTP/1.1 414 "), "{path}: {head}");
        assert!(body.contains("\"code\":\"URI_TOO_LONG\""), "{path}: {body}");
    }
    app.shutdown.cancel();
}

#[tokio::test]
async fn what_the_http_library_refuses_has_a_sentence_as_well() {
    let app = TestApp::new();
    let address = served(&app).await;
    let line = |count| get(&format!("/sign-in?{}", query(count)), "");
    let field = get("/", &format!("Cookie: {}\r\n", "a".repeat(200_000)));
    for (request, status) in [
        (line(16_500), "414 "),
        (line(22_500), "414 "),
        (line(30_000), "431 "),
        (line(500_000), "431 "),
        (field, "431 "),
    ] {
        let (head, body) = answer(address, &request).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{}: {head}", request.len());
        assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
        assert!(body.contains("long") && body.contains("shorten"), "{body}");
    }
    app.shutdown.cancel();
}
