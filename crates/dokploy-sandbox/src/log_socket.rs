//! The WebSocket of the logs: sends what a follower reads, in chunks that are no lines.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use axum::routing::get;

use super::http::{reset, text};
use super::logs::{CALL, LogAnswer, LogFollower};
use super::request::Request;
use super::shared::{Shared, lock};

/// The pause between two looks for new lines.
const PAUSE: Duration = Duration::from_millis(50);
/// The largest chunk, in bytes: what a terminal passes on at once (recording day-two 433).
const LARGEST_CHUNK: usize = 4_095;

/// Returns the HTTP router of the WebSocket.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().route(&format!("/{CALL}"), get(open)).with_state(shared)
}

/// Answers `/docker-container-logs`.
async fn open(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    uri: Uri,
    upgrade: WebSocketUpgrade,
) -> Response {
    let api_key = text(&headers, "x-api-key");
    let request = Request { api_key, ..Request::get(&uri.to_string()) };
    let answer = lock(&shared.core).open_log(shared.clock.now(), &request);
    match answer {
        LogAnswer::Follow(follower) => {
            upgrade.on_upgrade(move |socket| follow(socket, follower, shared))
        }
        LogAnswer::Close(frame) => upgrade.on_upgrade(move |socket| close(socket, frame)),
        LogAnswer::Hang => {
            shared.shutdown.cancelled().await;
            reset()
        }
        LogAnswer::Reset => reset(),
    }
}

/// Closes the socket. A client that has gone does not matter.
async fn close(mut socket: WebSocket, frame: Option<(u16, &'static str)>) {
    let frame = frame.map(|(code, reason)| CloseFrame { code, reason: reason.into() });
    drop(socket.send(Message::Close(frame)).await);
    // The other side answers, or has gone.
    while let Some(Ok(_)) = socket.recv().await {}
}

/// Sends what is new until the client or the sandbox goes.
async fn follow(mut socket: WebSocket, mut follower: LogFollower, shared: Arc<Shared>) {
    loop {
        let new = lock(&shared.core).read_log(shared.clock.now(), &mut follower);
        for chunk in chunks(&new) {
            if socket.send(Message::Text(chunk.into())).await.is_err() {
                return;
            }
        }
        tokio::select! {
            () = shared.clock.sleep(PAUSE) => {}
            () = shared.shutdown.cancelled() => return,
            // What a client sends would go into a terminal, and is dropped here.
            received = socket.recv() => if !matches!(received, Some(Ok(_))) { return },
        }
    }
}

/// Splits a text into chunks, which may end within a line.
fn chunks(text: &str) -> Vec<&str> {
    let (mut chunks, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let (chunk, after) = rest.split_at(rest.floor_char_boundary(LARGEST_CHUNK));
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_split_no_character_and_together_are_the_text() {
        let text = "ü".repeat(5_000);
        let chunks = chunks(&text);
        assert_eq!(chunks.concat(), text);
        assert_eq!(chunks.len(), 3);
    }
}
