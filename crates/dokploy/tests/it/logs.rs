//! The log of a container over a real WebSocket: of the sandbox, of recordings, and of servers that
//! misbehave.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clock::{Clock, SystemClock};
use dokploy::{AppName, ContainerId, Dokploy, DokployConfig, Error, LogEnd, LogQuery, LogStream};
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::live::Live;
use super::{KEY, ManualClock, config};

const LONG: Duration = Duration::from_mins(1);

fn with_clock(config: DokployConfig) -> Dokploy {
    Dokploy::new(config, Arc::new(SystemClock)).unwrap()
}

fn client(base_url: &str) -> Dokploy {
    with_clock(config(base_url))
}

fn query(container: &ContainerId) -> LogQuery<'_> {
    LogQuery { container, tail: 100, since: None, silence: LONG }
}

fn any_container() -> ContainerId {
    ContainerId("abcdef012345".to_owned())
}

async fn open(client: &Dokploy) -> Result<LogStream, Error> {
    client.open_log(&query(&any_container())).await
}

/// A sandbox with one stack that runs.
struct Logged {
    live: Live,
    name: AppName,
    container: ContainerId,
}

impl Logged {
    async fn start() -> Self {
        let live = Live::start().await;
        let name = live.run("demo", "sandbox/revisions:1").await.app_name;
        let containers = live.client.running_containers(&name).await.unwrap();
        let container = containers[0].id.clone();
        Self { live, name, container }
    }

    fn write(&self, lines: Vec<String>) {
        let core = self.live.sandbox.core();
        let now = SystemClock.now();
        assert!(core.lock().unwrap().write_lines(now, &self.name.0, lines));
    }

    fn url(&self) -> String {
        self.live.sandbox.url()
    }
}

/// Reads until the text contains `end`.
async fn read_to(stream: &mut LogStream, end: &str) -> String {
    let mut text = String::new();
    while !text.contains(end) {
        text += &stream.next().await.unwrap();
    }
    text
}

#[tokio::test]
async fn the_last_lines_come_first_and_then_the_new_ones() {
    let live = Logged::start().await;
    let client = &live.live.client;
    let mut stream = client.open_log(&query(&live.container)).await.unwrap();
    let first = read_to(&mut stream, "listening\r\n").await;
    assert!(first.contains(" sandbox/revisions:1 starting\r\n"), "{first}");
    live.write(vec!["one".to_owned(), "\u{1b}[31mred\u{1b}[0m \r 20% \0 \u{fffd}".to_owned()]);
    let next = read_to(&mut stream, "20%").await;
    assert!(next.contains(" one\r\n") && next.contains("\u{1b}[31mred"), "{next:?}");
    let tail = LogQuery { tail: 1, ..query(&live.container) };
    let mut again = client.open_log(&tail).await.unwrap();
    assert!(read_to(&mut again, "20%").await.contains("red"));
}

#[tokio::test]
async fn nothing_of_a_flood_is_lost_however_slowly_it_is_read() {
    let live = Logged::start().await;
    let mut stream = live.live.client.open_log(&query(&live.container)).await.unwrap();
    read_to(&mut stream, "listening").await;
    live.write((0..50_000).map(|number| format!("line {number}.")).collect());
    let mut text = String::new();
    while !text.contains("line 49999.") {
        text += &stream.next().await.unwrap();
        tokio::task::yield_now().await;
    }
    let numbers = text.lines().map(|line| line.rsplit_once(' ').unwrap().1.to_owned());
    assert!(numbers.eq((0..50_000).map(|number| format!("{number}."))));
}

#[tokio::test]
async fn what_the_platform_does_not_show_ends_the_stream_with_its_reason() {
    let live = Logged::start().await;
    for (client, container, expected) in [
        (client(&live.url()), "abcdef012345", LogEnd::UnknownContainer),
        (
            client(&live.url()),
            "$(id)",
            LogEnd::Refused { reason: "Invalid container ID format".to_owned() },
        ),
        (
            with_clock(DokployConfig::new(live.url(), "wrong".into())),
            live.container.0.as_str(),
            LogEnd::NotAdmitted,
        ),
    ] {
        let container = ContainerId(container.to_owned());
        let mut stream = client.open_log(&query(&container)).await.unwrap();
        for _ in 0..2 {
            assert_eq!(stream.next().await, Err(expected.clone()), "{container}");
        }
    }
}

#[tokio::test]
async fn a_stream_that_becomes_silent_ends_after_the_time_that_the_caller_set() {
    let live = Logged::start().await;
    let client = &live.live.client;
    let limit = Duration::from_millis(300);
    let silence = LogQuery { silence: limit, ..query(&live.container) };
    let mut stream = client.open_log(&silence).await.unwrap();
    read_to(&mut stream, "listening").await;
    assert_eq!(stream.next().await, Err(LogEnd::Silent { limit }));
}

/// Serves one WebSocket with `messages`, then closes it with `frame` or waits for the client to go.
/// The result is what the client sent.
async fn serve(
    messages: Vec<Message>,
    close: bool,
    frame: Option<CloseFrame>,
) -> (String, JoinHandle<Vec<Message>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (connection, _) = listener.accept().await.unwrap();
        let mut socket = accept_async(connection).await.unwrap();
        for message in messages {
            if socket.send(message).await.is_err() {
                return Vec::new();
            }
        }
        if close {
            socket.close(frame).await.unwrap();
        }
        let mut received = Vec::new();
        while let Some(Ok(message)) = socket.next().await {
            received.push(message);
        }
        received
    });
    (url, served)
}

/// Returns the frames that the real platform sent.
fn recorded(name: &str, key: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("recordings/observed");
    let recording = fs::read_to_string(folder.join(name)).unwrap();
    let recording: Value = serde_json::from_str(&recording).unwrap();
    let frames = recording["observed"][key].as_array().unwrap().iter();
    frames.map(|frame| frame["data"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn recorded_frames_are_passed_on_unchanged_and_nothing_is_sent() {
    for (name, key) in [
        ("52-ws-container-logs-key.json", "messages"),
        ("54-ws-container-logs-search.json", "messages"),
        ("430-ws-logs-plain.json", "msgs"),
        ("433-ws-logs-special-content.json", "msgs"),
    ] {
        let frames = recorded(name, key);
        let messages = frames.iter().map(|frame| Message::text(frame.as_str())).collect();
        let (url, served) = serve(messages, false, None).await;
        let client = client(&url);
        let mut stream = open(&client).await.unwrap();
        let mut text = String::new();
        while text.len() < frames.concat().len() {
            text += &stream.next().await.unwrap();
        }
        assert_eq!(text, frames.concat(), "{name}");
        drop(stream);
        assert_eq!(served.await.unwrap(), [], "{name}: it would go into a terminal");
    }
}

#[tokio::test]
async fn a_recorded_sentence_of_docker_is_no_line_even_in_pieces() {
    for name in ["56-ws-container-logs-unknown.json", "442-ws-logs-of-a-deleted-application.json"] {
        let key = if name.starts_with("56") { "messages" } else { "msgs" };
        let sentence = recorded(name, key).concat();
        let (first, rest) = sentence.split_at(9);
        let line = "2026-11-28T17:08:13.935908053Z /two\r\n";
        let messages = [line, first, rest].map(Message::text).to_vec();
        let (url, _served) = serve(messages, false, None).await;
        let mut stream = open(&client(&url)).await.unwrap();
        assert_eq!(stream.next().await.as_deref(), Ok(line));
        assert_eq!(stream.next().await, Err(LogEnd::UnknownContainer), "{name}");
    }
    let down = "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.\r\n";
    let (url, _served) = serve(vec![Message::text(down)], false, None).await;
    let mut stream = open(&client(&url)).await.unwrap();
    let sentence = down.trim_end().to_owned();
    assert_eq!(stream.next().await, Err(LogEnd::Docker { sentence }));
}

#[tokio::test]
async fn a_socket_that_is_closed_ends_the_stream_with_the_platforms_reason() {
    let line = || Message::text("2026-11-28T17:08:13.935908053Z /two\r\n");
    let frame =
        |code: u16, reason: &str| Some(CloseFrame { code: code.into(), reason: reason.into() });
    let refused = |reason: &str| LogEnd::Refused { reason: reason.to_owned() };
    let closed = |code, reason: &str| LogEnd::Closed { code, reason: reason.to_owned() };
    for (messages, frame, expected) in [
        (vec![], frame(4000, "Invalid since parameter"), refused("Invalid since parameter")),
        (vec![], None, LogEnd::NotAdmitted),
        (vec![line()], None, closed(None, "")),
        (vec![line()], frame(1001, "going away"), closed(Some(1001), "going away")),
    ] {
        let (url, _served) = serve(messages.clone(), true, frame).await;
        let mut stream = open(&client(&url)).await.unwrap();
        for _ in messages {
            stream.next().await.unwrap();
        }
        assert_eq!(stream.next().await, Err(expected));
    }
}

#[tokio::test]
async fn a_message_that_is_too_large_is_not_kept() {
    let large = Message::text("x".repeat(2 * 1024 * 1024));
    let (url, _served) = serve(vec![large], false, None).await;
    let mut stream = open(&client(&url)).await.unwrap();
    let end = stream.next().await.unwrap_err();
    assert!(matches!(&end, LogEnd::Lost { reason } if reason.len() < 400), "{end:?}");
}

#[tokio::test]
async fn an_answer_that_opens_no_socket_is_an_error_of_a_call() {
    let server = MockServer::start().await;
    for (status, expected) in [(200, "refused"), (404, "unavailable"), (502, "unavailable")] {
        server.reset().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(status)).mount(&server).await;
        let client = client(&format!("{}/panel/", server.uri()));
        let error = open(&client).await.unwrap_err();
        assert_eq!(error.outcome(), expected, "{status}: {error:?}");
        let sent = server.received_requests().await.unwrap();
        let sent = sent.last().unwrap();
        assert_eq!(sent.url.path(), "/panel/docker-container-logs");
        let query = "containerId=abcdef012345&tail=100&since=all&runType=native";
        assert_eq!(sent.url.query(), Some(query));
        assert_eq!(sent.headers["x-api-key"], KEY);
    }
}

/// Serves one connection with a fixed answer; without one, it is never answered.
async fn raw(answer: Option<&'static str>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut request = [0; 4_096];
        let _read = connection.read(&mut request).await.unwrap();
        if let Some(answer) = answer {
            connection.write_all(answer.as_bytes()).await.unwrap();
        }
        // It stays open until the client goes.
        let _rest = connection.read(&mut request).await;
    });
    url
}

#[tokio::test]
async fn a_handshake_that_fails_is_lost_or_times_out_and_one_without_a_server_had_no_effect() {
    let wrong = "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
                 sec-websocket-accept: AAAAAAAAAAAAAAAAAAAAAAAAAAA=\r\n\r\n";
    let error = open(&client(&raw(Some(wrong)).await)).await.unwrap_err();
    assert!(matches!(error, Error::Lost { .. }), "{error:?}");
    let limit = Duration::from_millis(200);
    let hanging = DokployConfig { timeout: limit, ..config(&raw(None).await) };
    let error = open(&with_clock(hanging)).await.unwrap_err();
    assert_eq!(error, Error::TimedOut { call: "docker-container-logs", limit });
    let error = open(&client("http://127.0.0.1:1")).await.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error:?}");
    assert!(!error.may_have_committed());
}

#[tokio::test]
async fn a_time_limit_for_the_handshake_does_not_end_an_open_stream() {
    let live = Logged::start().await;
    let limit = Duration::from_millis(300);
    let config = DokployConfig { timeout: limit, ..config(&live.url()) };
    let client = with_clock(config);
    let silence = LogQuery { silence: 3 * limit, ..query(&live.container) };
    let mut stream = client.open_log(&silence).await.unwrap();
    read_to(&mut stream, "listening").await;
    // The stream outlives the limit, and then is silent.
    assert_eq!(stream.next().await, Err(LogEnd::Silent { limit: 3 * limit }));
}

#[tokio::test]
async fn a_paused_client_opens_no_log() {
    let clock = ManualClock::new();
    let config = DokployConfig { failures_to_open: 1, ..config("http://127.0.0.1:1") };
    let client = Dokploy::new(config, clock).unwrap();
    assert!(matches!(open(&client).await, Err(Error::Unreachable { .. })));
    assert!(matches!(open(&client).await, Err(Error::Paused { .. })));
}
