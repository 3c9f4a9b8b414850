//! The stream of a stack's own events.
//!
//! Each reads the store after a notification, and with each keepalive, because a notification may
//! have been lost. Few things happen to a stack, so the readers need not share what they read.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use futures::{Stream, StreamExt, stream};
use tokio::sync::watch;

use super::authorization::{KEEPALIVE, StreamAuthorization};
use super::frame::{COMMENT, RETRY};
use super::{EVENT_STREAM, UNBUFFERED, cursor, follows};
use crate::http::HttpState;
use crate::http::api::operations::NamedStack;
use crate::http::error::Failed;
use crate::http::streams::StreamPermit;
use crate::server::audit::AuditAction;
use crate::server::auth::access::Caller;
use crate::server::metrics::Counted;
use domain::event::Seq;
use domain::kind::StackState;
use domain::refusal::{Refusal, RefusalCode};
use domain::stack_event::{StackEvent, StackEventBody};
use domain::stack_id::StackId;

/// The stream of one client.
struct Watcher {
    state: Arc<HttpState>,
    stack: StackId,
    /// The last event that the client has got.
    cursor: Seq,
    notifications: watch::Receiver<()>,
    authorization: Option<Arc<StreamAuthorization>>,
    /// When the next comment is due.
    due: Duration,
    /// False if the stream ends after what is recorded.
    follows: bool,
    has_ended: bool,
    /// Counts the stream against the caller's limit until it is dropped.
    _permit: Option<StreamPermit>,
    /// Counts the stream among the open ones until it is dropped.
    _open: Counted,
}

/// `GET /api/stacks/:name/events`: the events of a stack after the cursor, and those to come.
pub(in crate::http) async fn events(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    NamedStack { name, id }: NamedStack,
    method: Method,
    RawQuery(raw): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let stack = state.service.own_stack_id(&caller, &name, id.as_ref()).await?;
    let follows = follows(raw.as_deref());
    let permit = if follows { state.streams.take(&caller) } else { None };
    if follows && permit.is_none() {
        let (act, code) = (AuditAction::ReachLimit, RefusalCode::TooManyStreams);
        state.audit.rejection(&caller, act, Some(&name), code).await;
        return Err(Refusal::TooManyStreams.into());
    }
    if method == Method::HEAD {
        // An empty body would say that its length is 0.
        let nothing = Body::from_stream(stream::empty::<Result<Bytes, Infallible>>());
        return Ok((UNBUFFERED, EVENT_STREAM, nothing).into_response());
    }
    let watcher = Watcher {
        stack,
        cursor: cursor(&headers, raw.as_deref()),
        notifications: state.service.stack_notifications(),
        authorization: StreamAuthorization::of(&state.authenticator, &headers, caller),
        due: state.service.clock().monotonic() + KEEPALIVE,
        follows,
        has_ended: false,
        _permit: permit,
        _open: state.service.metrics().stream(),
        state,
    };
    let bytes = stream::once(async { Bytes::from_static(RETRY) }).chain(watcher.frames());
    let body = Body::from_stream(bytes.map(Ok::<_, Infallible>));
    Ok((UNBUFFERED, EVENT_STREAM, body).into_response())
}

impl Watcher {
    fn frames(self) -> impl Stream<Item = Bytes> {
        stream::unfold(self, async |mut watcher| Some((watcher.next().await?, watcher)))
    }

    /// Waits for the next bytes; `None` at the end of the stream.
    async fn next(&mut self) -> Option<Bytes> {
        let clock = Arc::clone(self.state.service.clock());
        let shutdown = self.state.channels.shutdown().clone();
        while !self.has_ended && !shutdown.is_cancelled() {
            self.notifications.mark_unchanged();
            // A client that is told nothing connects again.
            let events = self.state.service.stack_events(self.stack, self.cursor).await.ok()?;
            if let Some(last) = events.last() {
                self.cursor = last.seq;
                self.has_ended = events.iter().any(is_end);
                return Some(events.iter().map(frame).collect::<String>().into());
            }
            if !self.follows {
                return None;
            }
            let left = self.due.saturating_sub(clock.monotonic());
            if left.is_zero() {
                return self.keep_alive().await;
            }
            tokio::select! {
                () = shutdown.cancelled() => return None,
                _ = self.notifications.changed() => {}
                () = clock.sleep(left) => {}
            }
        }
        None
    }

    /// Returns the keepalive comment, if the caller is still authorized.
    async fn keep_alive(&mut self) -> Option<Bytes> {
        let clock = self.state.service.clock();
        let now = clock.now();
        self.due = clock.monotonic() + KEEPALIVE;
        if let Some(authorization) = &self.authorization {
            let known = authorization.known(&self.state.authenticator, now).await;
            if !authorization.allows(&known, now) {
                return None;
            }
            self.due = clock.monotonic() + authorization.next_check_in(now);
        }
        Some(Bytes::from_static(COMMENT))
    }
}

/// Returns whether nothing follows the event: the stack is gone.
fn is_end(event: &StackEvent) -> bool {
    match event.body {
        StackEventBody::OperationEnded { leaves, .. } => leaves == Some(StackState::Gone),
        StackEventBody::CleanedUp { leaves, .. } => leaves == StackState::Gone,
        StackEventBody::OperationBegun { .. }
        | StackEventBody::RevisionLive { .. }
        | StackEventBody::Unhealthy { .. }
        | StackEventBody::Recovered
        | StackEventBody::StoppedByItself { .. }
        | StackEventBody::ExpiryChanged { .. }
        | StackEventBody::Unknown => false,
    }
}

/// Returns an event in the form in which it is sent.
fn frame(event: &StackEvent) -> String {
    // Its own types have string keys, so it becomes JSON.
    let data = serde_json::to_string(event).unwrap_or_default();
    format!("id: {}\nevent: {}\ndata: {data}\n\n", event.seq, event.body.name())
}
