//! The event streams of many watchers, and of those that read slowly, hang up, or speak HTTP/1.0:
//! each gets every event once and in order, and delays nobody.

use std::fs;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use ai_stack_deployer::http::{ConnectionLimits, ConnectionTimes, serve};
use ai_stack_deployer::server::auth::access::{Role, Scope};
use ai_stack_deployer::server::auth::accounts::{Accounts as _, Digest};
use axum::http::StatusCode;
use clock::Clock as _;
use domain::deployment::DeploymentId;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::task::{JoinHandle, JoinSet, yield_now};
use tokio::time::{Instant, timeout};

use crate::support::app::{TestApp, send_raw};
use crate::support::people;

/// By then everything has happened that is going to, on a busy machine.
const SOON: Duration = Duration::from_secs(30);
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The end of a body that is sent in chunks.
const END: &str = "\r\n0\r\n\r\n";

fn request(id: &DeploymentId, query: &str, fields: &str) -> String {
    format!("GET /api/status/{id}{query} HTTP/1.1\r\nHost: x\r\n{fields}\r\n")
}

/// Opens a stream, and waits for the beginning of the answer.
async fn open(address: SocketAddr, request: &str) -> Open {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut open = Open { stream, text: String::new() };
    open.until("retry: 2000\n\n").await;
    open
}

/// An open stream, and what was read of it.
struct Open {
    stream: TcpStream,
    text: String,
}

impl Open {
    /// Reads until `text` has arrived, or until the end if it does not come.
    async fn until(&mut self, text: &str) {
        let mut bytes = vec![0; 64 << 10];
        let read = async {
            let mut searched = 0;
            while !self.text[searched..].contains(text) {
                searched = self.text.len().saturating_sub(text.len());
                let count = self.stream.read(&mut bytes).await.unwrap();
                if count == 0 {
                    return;
                }
                self.text.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
            }
        };
        timeout(SOON, read).await.unwrap_or_else(|_| panic!("{text:?} does not come"));
    }

    /// Reads until a keepalive comment has arrived, and forgets what was read.
    async fn next_keepalive(&mut self) {
        self.until(": keepalive\n\n\r\n").await;
        self.text.clear();
    }

    /// Reads until the connection is closed, and returns everything.
    async fn rest(mut self) -> String {
        self.until("\0").await;
        self.text
    }
}

/// Returns the numbers of the events in a stream.
fn ids(text: &str) -> Vec<u64> {
    text.lines().filter_map(|line| line.strip_prefix("id: ")?.parse().ok()).collect()
}

/// Creates a portal where an address may have any number of streams, with an operation.
async fn portal() -> (TestApp, DeploymentId, SocketAddr) {
    let app = TestApp::with(&[("STREAMS_PER_ADDRESS", "100000")]);
    let id = app.begin("alice").await;
    let address = app.listen().await;
    (app, id, address)
}

/// Connects with a small buffer for what is received.
async fn connect_slow(address: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(4 << 10).unwrap();
    socket.connect(address).await.unwrap()
}

/// Opens a stream whose client reads nothing after the beginning.
async fn open_slow(address: SocketAddr, id: &DeploymentId) -> Open {
    let mut stream = connect_slow(address).await;
    stream.write_all(request(id, "", "").as_bytes()).await.unwrap();
    let mut open = Open { stream, text: String::new() };
    open.until("retry: 2000\n\n").await;
    open
}

/// Records more than the buffers of the system hold.
async fn record_much(app: &TestApp) -> u64 {
    let lease = app.claim().await;
    for _ in 0..100 {
        app.record(&lease, (0..12).map(|_| app.log(&"x".repeat(8 << 10))).collect()).await;
    }
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    1_202
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_delays_nobody_and_loses_nothing() {
    let (app, id, address) = portal().await;
    let mut slow = open_slow(address, &id).await;
    let quick = open(address, &request(&id, "", "")).await;
    let all: Vec<u64> = (1..=record_much(&app).await).collect();
    assert_eq!(ids(&quick.rest().await), all);
    slow.until("event: complete").await;
    let text = slow.rest().await;
    assert_eq!(ids(&text), all);
    assert!(text.ends_with(END));
}

#[tokio::test]
async fn a_client_that_never_reads_is_cut_off_and_its_place_is_free() {
    let app = TestApp::with(&[("STREAMS_PER_ADDRESS", "1")]);
    let id = app.begin("alice").await;
    let (address, _served) = serve_with(&app, Duration::from_millis(300)).await;
    let slow = open_slow(address, &id).await;
    record_much(&app).await;
    let request = request(&id, "?after=1", "Connection: close\r\n");
    let opening = async { while !send_raw(address, request.as_bytes()).await.contains(" 200 ") {} };
    timeout(SOON, opening).await.expect("its place is free");
    // The end of the connection comes before that of the events.
    let mut read = Vec::new();
    let mut stream = slow.stream;
    drop(timeout(SOON, stream.read_to_end(&mut read)).await.expect("it is closed"));
    assert!(!String::from_utf8(read).unwrap().contains("event: complete"));
}

/// Serves a portal whose clients must read 16 KiB within this time.
async fn serve_with(app: &TestApp, write: Duration) -> (SocketAddr, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let check = Duration::from_millis(50);
    let times = ConnectionTimes { write, check, ..ConnectionTimes::default() };
    let limits =
        ConnectionLimits { in_all: 1_000, per_address: None, proxies: Arc::default(), times };
    let serving = serve(listener, app.responder.clone(), limits, app.shutdown.clone());
    (address, tokio::spawn(serving))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shutdown_does_not_wait_for_clients_that_do_not_read() {
    let app = TestApp::new();
    let id = app.begin("alice").await;
    let (address, served) = serve_with(&app, SOON * 2).await;
    let slow = open_slow(address, &id).await;
    let quick = open(address, &request(&id, "?after=5000", "")).await;
    let lease = app.claim().await;
    for _ in 0..100 {
        app.record(&lease, (0..12).map(|_| app.log(&"x".repeat(8 << 10))).collect()).await;
    }
    app.shutdown.cancel();
    timeout(SOON, served).await.expect("it ends").unwrap();
    assert!(quick.rest().await.ends_with(END));
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_thousand_watchers_get_every_event_once_and_delay_no_other_operation() {
    transport::raise_descriptor_limit().unwrap();
    let (app, id, address) = portal().await;
    let other = app.begin("bobby").await;
    let mut watched = open(address, &request(&other, "", "")).await;
    watched.until("id: 1\n").await;
    let mut watchers = JoinSet::new();
    for _ in 0..2_000 {
        let open = open(address, &request(&id, "", "")).await;
        watchers.spawn(open.rest());
    }
    let (lease, other_lease) = (app.claim().await, app.claim().await);
    let leases = [&lease, &other_lease];
    let [lease, other_lease] = if lease.id == id { leases } else { [leases[1], leases[0]] };
    for number in 1..=10_u64 {
        app.record(lease, vec![app.log("one"), app.log("two"), app.log("three")]).await;
        let begun = Instant::now();
        app.record(other_lease, vec![app.log("other")]).await;
        watched.until(&format!("id: {}\n", number + 1)).await;
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
    app.record(lease, vec![TestApp::complete("alice")]).await;
    let all: Vec<u64> = (1..=32).collect();
    while let Some(text) = watchers.join_next().await {
        let text = text.unwrap();
        assert_eq!(ids(&text), all);
        assert!(text.ends_with(END), "{text}");
    }
}

#[tokio::test]
async fn a_client_that_comes_back_gets_what_it_has_not_got_wherever_it_was() {
    let (app, id, address) = portal().await;
    let lease = app.claim().await;
    app.record(&lease, (0..20).map(|n| app.log(&n.to_string())).collect()).await;
    let mut open_streams = Vec::new();
    for last in 0..=23 {
        let field = format!("Last-Event-ID: {last}\r\n");
        open_streams.push((last, open(address, &request(&id, "", &field)).await));
        if last == 10 {
            app.record(&lease, vec![app.log("while some watch")]).await;
        }
    }
    app.record(&lease, vec![TestApp::complete("alice")]).await;
    for (last, open) in open_streams {
        let text = open.rest().await;
        assert_eq!(ids(&text), (last + 1..=23).collect::<Vec<u64>>(), "after {last}");
        assert_eq!(text.matches(END).count(), 1, "after {last}: {text}");
    }
    for last in 0..23 {
        let request = request(&id, &format!("?after={last}"), "");
        let text = open(address, &request).await.rest().await;
        assert_eq!(ids(&text), (last + 1..=23).collect::<Vec<u64>>(), "after {last}");
        assert!(text.ends_with(END), "after {last}: {text}");
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_the_events_without_chunks() {
    let (app, id, address) = portal().await;
    let request = format!("GET /api/status/{id} HTTP/1.0\r\n\r\n");
    let mut watched = open(address, &request).await;
    watched.until("id: 1\n").await;
    app.record(&app.claim().await, vec![TestApp::complete("alice")]).await;
    let text = watched.rest().await;
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.0 200 OK\r\n"), "{head}");
    assert!(head.contains("connection: close") && !head.contains("transfer-encoding"), "{head}");
    let lines: Vec<&str> = body.lines().collect();
    assert_eq!(lines[..3], ["retry: 2000", "", "id: 1"]);
    assert!(body.ends_with("}\n\n") && !body.contains('\r'), "{body}");
    assert_eq!(ids(body), [1, 2]);
}

#[tokio::test]
async fn a_head_request_has_the_head_alone() {
    let app = TestApp::with(&[("STREAMS_PER_ADDRESS", "1")]);
    let id = app.begin("alice").await;
    let request = format!("HEAD /api/status/{id} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    for _ in 0..2 {
        let answer = timeout(SOON, send_raw(app.listen().await, request.as_bytes())).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"));
        assert!(answer.contains("content-type: text/event-stream\r\n"), "{answer}");
        assert!(!answer.contains("content-length"), "the stream has none: {answer}");
        assert_eq!(answer.matches("\r\n\r\n").count(), 1, "{answer}");
    }
}

#[tokio::test]
async fn a_request_after_that_of_a_stream_is_not_answered() {
    let (app, id, address) = portal().await;
    let more = "GET /livez HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut watched = open(address, &(request(&id, "", "") + more)).await;
    watched.stream.write_all(more.as_bytes()).await.unwrap();
    watched.until("id: 1\n").await;
    app.record(&app.claim().await, vec![TestApp::complete("alice")]).await;
    let text = watched.rest().await;
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    for field in ["connection: close", "transfer-encoding: chunked", "date: Mon, 23 Nov 2026 09:"] {
        assert!(head.contains(field), "{head}");
    }
    assert!(text.ends_with(END) && text.matches("HTTP/1.1 ").count() == 1, "{text}");
    assert_eq!(ids(&text), [1, 2]);
}

#[tokio::test]
async fn a_stream_begins_only_after_the_responses_before_it() {
    const SIZE: usize = 48 << 10;
    let site = tempfile::tempdir().unwrap();
    fs::create_dir(site.path().join("pkg")).unwrap();
    fs::write(site.path().join("pkg/ai-stack-deployer.css"), vec![b' '; SIZE]).unwrap();
    let app = TestApp::with_pages(&[], site.path());
    let id = app.live("alice").await;
    let path = format!("{}/ai-stack-deployer.css", app.code_folder().await);
    let address = app.listen().await;
    let file = format!("GET {path} HTTP/1.1\r\nHost: x\r\n\r\n");
    // With some of these numbers, the buffers of the system are full when the stream would begin.
    for count in 1..100 {
        let mut stream = connect_slow(address).await;
        let requests = file.repeat(count) + &request(&id, "", "");
        stream.write_all(requests.as_bytes()).await.unwrap();
        for _ in 0..200 {
            yield_now().await;
        }
        let mut text = String::new();
        timeout(SOON, stream.read_to_string(&mut text)).await.expect("the end").unwrap();
        let (files, events) = text.split_once("retry: 2000").unwrap();
        assert_eq!(files.matches(&" ".repeat(SIZE)).count(), count);
        assert_eq!(files.matches("HTTP/1.1 200 OK\r\n").count(), count + 1);
        assert!(events.ends_with(END), "{events}");
    }
}

#[tokio::test]
async fn a_stream_ends_when_its_caller_signs_out_or_their_token_expires() {
    let variables =
        [("AUTH", "oidc"), ("OIDC_ISSUER", "http://127.0.0.1:9"), ("OIDC_CLIENT_ID", "portal")];
    let app = TestApp::with(&variables);
    let now = app.clock.now();
    let alice = people::sign_in(&*app.store, "alice", Role::Member, now).await;
    people::add_token(&*app.store, alice, "read", Scope::Read, now).await;
    let (session, token) =
        ("Cookie: __Host-session=alice\r\n", "Authorization: Bearer asd_read\r\n");
    let headers = [("cookie", "__Host-session=alice")];
    let reply = app.ask("POST", "/api/deploy", &headers, r#"{"name":"alice"}"#).await;
    assert_eq!(reply.status, StatusCode::CREATED);
    let id = DeploymentId::parse(reply.json()["deploymentId"].as_str().unwrap()).unwrap();
    let address = app.listen().await;
    let of_session = [
        open(address, &request(&id, "", session)).await,
        open(address, &request(&id, "", session)).await,
    ];
    let mut of_token = open(address, &request(&id, "", token)).await;
    app.clock.advance(KEEPALIVE);
    of_token.next_keepalive().await;
    assert!(app.store.end_session(&Digest::of("alice"), None).await.unwrap());
    app.clock.advance(KEEPALIVE);
    for mut stream in of_session {
        stream.until(": keepalive").await;
        let text = stream.rest().await;
        assert!(text.ends_with(END), "{text}");
        assert_eq!(text.matches(": keepalive").count(), 1, "{text}");
    }
    of_token.next_keepalive().await;
    // A token's streams end when it expires, not at the next keepalive.
    app.clock.advance(Duration::from_secs(24 * 60 * 60 - 30 - 1));
    of_token.next_keepalive().await;
    app.clock.advance(Duration::from_secs(1));
    assert_eq!(of_token.rest().await, "0\r\n\r\n");
}
