//! The event stream of a caller's own stacks: all of them, each time that one has changed.
//!
//! A page with many stacks follows one stream. Its address cannot be that of a stack, since no name is
//! a hyphen alone. A stream only reads: one query for the stacks, and one for what is under way.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use futures::future::select_all;
use futures::{FutureExt as _, StreamExt as _, stream};
use serde::Serialize;
use tokio::sync::watch;

use super::authorization::{KEEPALIVE, Known, StreamAuthorization};
use super::frame::RETRY;
use super::{EVENT_STREAM, UNBUFFERED};
use crate::http::HttpState;
use crate::http::error::Failed;
use crate::http::streams::StreamPermit;
use crate::server::audit::AuditAction;
use crate::server::auth::access::Caller;
use crate::server::metrics::Counted;
use crate::server::notifier::Subscription;
use crate::wire::StackView;
use domain::deployment::DeploymentId;
use domain::refusal::{Refusal, RefusalCode};

/// The shortest time between two readings: what changes meanwhile is told together.
const PAUSE: Duration = Duration::from_secs(1);
/// The comment that a silent stream sends.
const SILENT: &[u8] = b": keepalive\n\n";

/// The data of an event.
#[derive(Serialize)]
struct StacksEvent {
    success: bool,
    stacks: Vec<StackView>,
}

/// A stream.
struct Following {
    state: Arc<HttpState>,
    caller: Caller,
    /// What is checked while it lasts; `None` in an open portal.
    authorization: Option<Arc<StreamAuthorization>>,
    /// The last event.
    told: Option<String>,
    /// The operations under way.
    watched: Vec<(DeploymentId, Subscription)>,
    work: watch::Receiver<()>,
    goes_on: bool,
    /// Released when the stream ends.
    _permit: StreamPermit,
    _open: Counted,
}

/// `GET /api/stacks/-/events`: the caller's stacks; with `follow=true`, again whenever one has changed.
pub(in crate::http) async fn stacks(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let Some(permit) = state.streams.take(&caller) else {
        let (act, code) = (AuditAction::ReachLimit, RefusalCode::TooManyStreams);
        state.audit.rejection(&caller, act, None, code).await;
        return Err(Refusal::TooManyStreams.into());
    };
    if method == Method::HEAD {
        // An empty body would say that its length is 0.
        let nothing = Body::from_stream(stream::empty::<Result<Bytes, Infallible>>());
        return Ok((UNBUFFERED, EVENT_STREAM, nothing).into_response());
    }
    let following = Following {
        authorization: StreamAuthorization::of(&state.authenticator, &headers, caller.clone()),
        work: state.service.notifier().work(),
        _open: state.service.metrics().stream(),
        _permit: permit,
        goes_on: query.as_deref().unwrap_or_default().split('&').any(|pair| pair == "follow=true"),
        told: None,
        watched: Vec::new(),
        caller,
        state,
    };
    let events = stream::unfold(following, async |mut following| {
        let bytes = following.next().await?;
        Some((bytes, following))
    });
    let bytes = stream::once(async { Bytes::from_static(RETRY) }).chain(events);
    Ok((UNBUFFERED, EVENT_STREAM, Body::from_stream(bytes.map(Ok::<_, Infallible>)))
        .into_response())
}

impl Following {
    /// Returns what is sent next; `None` at the end.
    async fn next(&mut self) -> Option<Bytes> {
        let is_first = self.told.is_none();
        if !is_first && !self.goes_on {
            return None;
        }
        let is_silent = if is_first { false } else { self.wait().await? };
        loop {
            let stacks = self.state.service.my_stacks(&self.caller).await.ok()?;
            if self.watch(&stacks) {
                // Something may have happened before it was watched.
                continue;
            }
            let data = serde_json::to_string(&StacksEvent { success: true, stacks }).ok()?;
            if self.told.as_ref() != Some(&data) {
                let event = format!("event: stacks\ndata: {data}\n\n");
                self.told = Some(data);
                return Some(event.into());
            }
            if is_silent {
                return Some(Bytes::from_static(SILENT));
            }
            self.wait().await?;
        }
    }

    /// Waits until something may have changed, or for so long that the stream must say something:
    /// returns whether it must. Returns `None` at the end.
    async fn wait(&mut self) -> Option<bool> {
        let service = Arc::clone(&self.state.service);
        let clock = service.clock();
        let check = self.authorization.as_ref();
        let longest = check.map_or(KEEPALIVE, |check| check.next_check_in(clock.now()));
        let shutdown = self.state.channels.shutdown().clone();
        let events = self.watched.iter_mut().map(|(_, events)| events.changed().boxed());
        let changed = select_all(events.chain([self.work.changed().boxed()]));
        let is_silent = tokio::select! {
            () = shutdown.cancelled() => return None,
            _ = changed => {
                clock.sleep(PAUSE).await;
                false
            }
            () = clock.sleep(longest) => true,
        };
        let Some(check) = &self.authorization else { return Some(is_silent) };
        let now = clock.now();
        let known: Known = check.known(&self.state.authenticator, now).await;
        check.allows(&known, now).then_some(is_silent)
    }

    /// Watches the operations under way; returns whether there was one that it did not watch.
    fn watch(&mut self, stacks: &[StackView]) -> bool {
        let ids = stacks.iter().filter_map(|stack| Some(&stack.operation.as_ref()?.id));
        let ids: Vec<_> = ids.collect();
        self.watched.retain(|(id, _)| ids.contains(&id));
        let is_new = |id: &&DeploymentId| self.watched.iter().all(|(known, _)| known != *id);
        let new: Vec<_> = ids.into_iter().filter(is_new).cloned().collect();
        let has_new = !new.is_empty();
        let notifier = self.state.service.notifier();
        let watch = |id: DeploymentId| {
            let events = notifier.watch(&id);
            (id, events)
        };
        self.watched.extend(new.into_iter().map(watch));
        has_new
    }
}
