//! The event stream: sends the events of a deployment as they are recorded.
//!
//! A stream reads the events after its cursor from the store, then waits for a notification. A slow
//! client delays nobody and loses no event. A stream only reads.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::sse::Event as Frame;
use axum::response::{IntoResponse, Response, Sse};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::HttpState;
use super::api::deployments::{self, Parameter};
use super::error::Failed;
use super::streams::StreamPermit;
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Permission};
use crate::server::auth::authenticate::{
    AuthenticationError, Authenticator, Freshness, authenticate,
};
use crate::server::metrics::Counted;
use crate::server::stacks::Service;
use crate::server::store::{State as DeploymentState, StoredEvent};
use domain::deployment::DeploymentId;
use domain::event::Seq;
use domain::refusal::{Refusal, RefusalCode};

/// The time after which a browser reconnects to a broken stream.
const RETRY: Duration = Duration::from_secs(2);
/// The interval at which an idle stream sends a comment and reads the store again.
const KEEPALIVE: Duration = Duration::from_secs(15);
const UNBUFFERED: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
];

/// `GET /api/status/:id`: the events after the cursor, and those to come. With `follow=false`, it
/// ends after those that are recorded, for a browser to which no stream gets through.
pub(super) async fn status(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let id = deployments::deployment_id(id)?;
    let cursor = cursor(&headers, query.as_deref());
    // Subscribed before the first reading: an event recorded between the two would be missed.
    let notifications = state.service.notifier().watch(&id);
    let record = state.service.authorize(&caller, Permission::View, &id).await?;
    if record.state != DeploymentState::Active && cursor >= record.seq {
        return Ok((StatusCode::NO_CONTENT, UNBUFFERED).into_response());
    }
    let follows = follows(query.as_deref());
    let permit = follows.then(|| state.streams.take(&caller));
    if let Some(None) = permit {
        let (act, code) = (AuditAction::ReachLimit, RefusalCode::TooManyStreams);
        state.audit.rejection(&caller, act, Some(id.as_str()), code).await;
        return Err(Refusal::TooManyStreams.into());
    }
    let watcher = Watcher {
        _permit: permit.flatten(),
        _open: state.service.metrics().stream(),
        authorization: StreamAuthorization {
            authenticator: state.authenticator.clone(),
            headers: credentials(&headers),
            caller,
        },
        service: Arc::clone(&state.service),
        shutdown: state.shutdown.clone(),
        id,
        cursor,
        ahead: cursor > record.seq,
        follows,
        notifications,
        read: VecDeque::new(),
        ended: false,
    };
    let frames = stream::unfold(watcher, async |mut watcher| {
        let frame = watcher.next().await?;
        Some((frame, watcher))
    });
    let frames = stream::once(async { Frame::default().retry(RETRY) }).chain(frames);
    Ok((UNBUFFERED, Sse::new(frames.map(Ok::<_, Infallible>))).into_response())
}

/// Returns the larger cursor of header and query; what does not parse counts as 0.
fn cursor(headers: &HeaderMap, query: Option<&str>) -> Seq {
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let pairs = query.unwrap_or_default().split('&');
    let given = pairs.filter_map(|pair| pair.strip_prefix("after=")).chain(header);
    given.filter_map(|text| text.trim().parse().ok()).max().unwrap_or(0)
}

fn follows(query: Option<&str>) -> bool {
    !query.unwrap_or_default().split('&').any(|pair| pair == "follow=false")
}

/// The state of one stream.
struct Watcher {
    /// Counts the stream against the caller's limit until it is dropped; `None` if it ends by
    /// itself.
    _permit: Option<StreamPermit>,
    /// Counts the stream among the open ones until it is dropped.
    _open: Counted,
    authorization: StreamAuthorization,
    service: Arc<Service>,
    shutdown: CancellationToken,
    id: DeploymentId,
    /// The last event sent.
    cursor: Seq,
    /// True if the client's cursor was beyond the last recorded event.
    ahead: bool,
    /// True if it waits for events to come.
    follows: bool,
    notifications: watch::Receiver<()>,
    /// Events that were read and not yet sent.
    read: VecDeque<StoredEvent>,
    ended: bool,
}

impl Watcher {
    /// Waits for the next frame; `None` closes the stream.
    async fn next(&mut self) -> Option<Frame> {
        loop {
            if self.ended || self.shutdown.is_cancelled() {
                return None;
            }
            if let Some(event) = self.read.pop_front() {
                self.cursor = event.seq;
                self.ended = event.is_end();
                return Some(frame(&event));
            }
            self.notifications.mark_unchanged();
            match self.service.events(&self.id, self.cursor).await {
                Ok(events) => self.read = events.into(),
                Err(error) => {
                    // The browser reconnects by itself.
                    tracing::warn!(error = %error, deployment.id = %self.id, "An event stream was interrupted");
                    return None;
                }
            }
            if !self.read.is_empty() {
                continue;
            }
            if !self.follows || self.ahead && self.is_over().await {
                return None;
            }
            if self.stays_quiet().await {
                if !self.authorization.is_still_valid(self.service.clock().now()).await {
                    return None;
                }
                return Some(Frame::default().comment("keepalive"));
            }
        }
    }

    /// Returns whether the deployment has ended, so that no event after the cursor will come.
    async fn is_over(&self) -> bool {
        let record = self.service.record(&self.id).await;
        record
            .is_ok_and(|record| record.is_none_or(|record| record.state != DeploymentState::Active))
    }

    /// Waits for a notification, and returns whether none came until the next check.
    async fn stays_quiet(&mut self) -> bool {
        let clock = self.service.clock();
        tokio::select! {
            () = self.shutdown.cancelled() => false,
            _ = self.notifications.changed() => false,
            () = clock.sleep(self.authorization.next_check_in(clock.now())) => true,
        }
    }
}

/// The authorization under which a stream stays open.
struct StreamAuthorization {
    authenticator: Authenticator,
    /// The headers with the caller's credentials.
    headers: HeaderMap,
    caller: Caller,
}

impl StreamAuthorization {
    /// Returns whether the caller is still authorized: they may have signed out meanwhile, or their
    /// token may be revoked. If the store cannot be read, the stream continues.
    async fn is_still_valid(&self, now: Timestamp) -> bool {
        match authenticate(&self.authenticator, &self.headers, now, Freshness::Present).await {
            Ok(known) => known.identity == self.caller.identity,
            Err(AuthenticationError::Token) => false,
            Err(AuthenticationError::Store(_)) => true,
        }
    }

    /// Returns the time until the next keepalive, or until the caller's authorization expires if
    /// that is earlier.
    fn next_check_in(&self, now: Timestamp) -> Duration {
        let left = |until: Timestamp| Duration::try_from(until.duration_since(now));
        match self.caller.until.map(left) {
            None => KEEPALIVE,
            Some(left) => left.unwrap_or_default().min(KEEPALIVE),
        }
    }
}

/// Returns the headers that authenticate the caller.
fn credentials(headers: &HeaderMap) -> HeaderMap {
    let is_credential =
        |name: &HeaderName| *name == header::COOKIE || *name == header::AUTHORIZATION;
    let pairs = headers.iter().filter(|(name, _)| is_credential(name));
    pairs.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn frame(event: &StoredEvent) -> Frame {
    Frame::default().id(event.seq.to_string()).event(&event.name).data(&event.data)
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, option, prelude::*};

    use super::*;

    #[test]
    fn the_larger_cursor_wins_and_nonsense_counts_as_none() {
        let cases = [
            (None, None, 0),
            (Some("4"), None, 4),
            (Some("4"), Some("after=7"), 7),
            (Some("9"), Some("after=7"), 9),
            (Some("x"), Some("after=7"), 7),
            (Some("-1"), Some("after="), 0),
            (None, Some("a=b&after=3"), 3),
            (None, Some("after=99999999999999999999999"), 0),
        ];
        for (header, query, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(text) = header {
                headers.insert("last-event-id", HeaderValue::from_str(text).unwrap());
            }
            assert_eq!(cursor(&headers, query), expected, "{header:?} {query:?}");
        }
    }

    fn last_event_id(value: Option<&[u8]>) -> HeaderMap {
        let value = value.and_then(|bytes| HeaderValue::from_bytes(bytes).ok());
        value.into_iter().map(|value| (HeaderName::from_static("last-event-id"), value)).collect()
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_is_sent_a_cursor_was_among_it(
            header in option::of(vec(any::<u8>(), 0..30)),
            query in option::of("\\PC{0,30}|(after=[0-9 +-]{0,22}&?){0,3}"),
        ) {
            let cursor = cursor(&last_event_id(header.as_deref()), query.as_deref());
            let header = String::from_utf8_lossy(header.as_deref().unwrap_or_default()).into_owned();
            let sent = header + query.as_deref().unwrap_or_default();
            prop_assert!(cursor == 0 || sent.contains(&cursor.to_string()));
        }

        #[test]
        fn a_cursor_is_read_as_it_was_sent(header: Option<Seq>, query: Option<Seq>, other in "([a-z]{1,5}=[0-9]{1,5}&)?") {
            let text = header.map(|seq| seq.to_string());
            let headers = last_event_id(text.as_ref().map(String::as_bytes));
            let query_text = query.map(|seq| format!("{other}after={seq}"));
            // The pattern above can also generate `after=`.
            prop_assume!(!other.starts_with("after="));
            let expected = header.max(query).unwrap_or(0);
            prop_assert_eq!(cursor(&headers, query_text.as_deref()), expected);
        }
    }
}
