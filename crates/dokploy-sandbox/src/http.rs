//! HTTP over the core: reads a request and answers it; delays the answer or drops the connection if
//! the core says so.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body as HttpBody, to_bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream;
use jiff::Timestamp;

use super::core::BODY_LIMIT;
use super::request::{Answer, Body, Disposition, Request};
use super::shared::{CallTime, Shared, lock};

/// The maximum number of call times that are kept.
const KEPT_CALLS: usize = 20_000;

/// Returns the HTTP router of the platform's API.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(answer).with_state(shared)
}

/// Answers a request. It is executed even if its client disconnects.
async fn answer(State(shared): State<Arc<Shared>>, request: HttpRequest) -> Response {
    let arrived = shared.clock.now();
    let request = read(request).await;
    let working = Arc::clone(&shared);
    match tokio::spawn(async move { run_to_completion(&working, request).await }).await {
        Ok(Some((call, answer))) => send(&shared, call, answer, arrived).await,
        // The platform was restarted during the call.
        Ok(None) | Err(_) => reset(),
    }
}

/// Executes a request, and returns the name of the call and the answer.
async fn run_to_completion(shared: &Shared, request: Option<Request>) -> Option<(String, Answer)> {
    let Some(request) = request else { return Some(("body".to_owned(), Answer::too_large())) };
    let call = request.call().to_owned();
    let held = shared.pool.hold(&call, &*shared.clock, shared.latency).await.ok()?;
    let answer = lock(&shared.core).handle(shared.clock.now(), &request);
    drop(held);
    if call == "/sandbox/restart" && answer.status == 200 {
        shared.pool.restart();
    }
    Some((call, answer))
}

async fn send(shared: &Shared, call: String, answer: Answer, arrived: Timestamp) -> Response {
    tokio::join!(shared.keeper.commit(), pause(shared, answer.delay));
    let taken = shared.clock.now().duration_since(arrived);
    remember(shared, CallTime { call, duration: taken.try_into().unwrap_or_default() });
    match answer.disposition {
        Disposition::Send => write(&answer),
        Disposition::Reset => reset(),
        Disposition::Hang => {
            shared.shutdown.cancelled().await;
            reset()
        }
    }
}

async fn pause(shared: &Shared, delay: Duration) {
    let delay = shared.latency.saturating_add(delay);
    if !delay.is_zero() {
        shared.clock.sleep(delay).await;
    }
}

fn remember(shared: &Shared, call: CallTime) {
    let mut calls = lock(&shared.calls);
    if calls.len() < KEPT_CALLS {
        calls.push(call);
    }
}

/// Reads a request; `None` if its body is too large.
async fn read(request: HttpRequest) -> Option<Request> {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, BODY_LIMIT).await.ok()?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
    Some(Request {
        method: parts.method.as_str().to_owned(),
        target: target.to_owned(),
        api_key: text(&parts.headers, "x-api-key"),
        content_type: text(&parts.headers, header::CONTENT_TYPE.as_str()),
        body: body.into(),
    })
}

pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn write(answer: &Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, HttpBody::from(answer.text())).into_response();
    let headers = response.headers_mut();
    if matches!(answer.body, Body::Json(_) | Body::Empty) {
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(seconds) = answer.retry_after {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Returns a response whose body fails at the first byte, so that the connection is dropped before
/// anything was sent.
pub(super) fn reset() -> Response {
    let failure =
        std::io::Error::new(std::io::ErrorKind::ConnectionReset, "dropped by an injected fault");
    HttpBody::from_stream(stream::once(async { Err::<String, _>(failure) })).into_response()
}
