//! The event stream: sends the events of an operation as they are recorded.
//!
//! One reader for each operation that is watched reads the store after a notification, and writes
//! the events to all who watch. A slow client delays nobody and loses no event. A stream only reads.

mod authorization;
mod channel;
mod channels;
mod follow;
mod frame;
mod member;
mod reader;
pub(super) mod stack;
mod stacks;

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt, stream};

pub(super) use self::authorization::StreamAuthorization;
use self::channel::Operation;
pub(super) use self::channels::Channels;
use self::frame::Frame;
pub(super) use self::frame::{COMMENT as KEEPALIVE_COMMENT, RETRY};
use self::member::Watcher;
pub(super) use self::stacks::stacks;
use super::HttpState;
use super::api::deployments::{self, Parameter};
use super::connections::Takeover;
use super::error::Failed;
use crate::server::audit::AuditAction;
use crate::server::auth::access::{Caller, Permission};
use crate::server::metrics::Counted;
use crate::server::store::State as DeploymentState;
use crate::wire::ApiError;
use domain::deployment::DeploymentId;
use domain::event::Seq;
use domain::refusal::{Refusal, RefusalCode};

pub(super) const UNBUFFERED: [(HeaderName, HeaderValue); 2] = [
    (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
];
pub(super) const EVENT_STREAM: [(HeaderName, HeaderValue); 1] =
    [(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))];
/// The format of the header `Date` (RFC 9110, section 5.6.7).
const HTTP_DATE: &str = "%a, %d %b %Y %H:%M:%S GMT";

/// `GET /api/status/:id`: the events after the cursor, and those to come. With `follow=false`, it
/// ends after those that are recorded, for a browser to which no stream gets through.
pub(super) async fn status(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    id: Parameter,
    method: Method,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let id = deployments::deployment_id(id)?;
    let cursor = cursor(&headers, query.as_deref());
    let operation = authorize(&state, &caller, &id).await?;
    if operation.has_ended && cursor >= operation.last {
        return Ok((StatusCode::NO_CONTENT, UNBUFFERED).into_response());
    }
    if !follows(query.as_deref()) {
        let body = recorded(&state, id, cursor);
        return Ok((UNBUFFERED, EVENT_STREAM, body).into_response());
    }
    let Some(permit) = state.streams.take(&caller) else {
        let (act, code) = (AuditAction::ReachLimit, RefusalCode::TooManyStreams);
        state.audit.rejection(&caller, act, Some(id.as_str()), code).await;
        return Err(Refusal::TooManyStreams.into());
    };
    if method == Method::HEAD {
        // An empty body would say that its length is 0.
        let nothing = Body::from_stream(stream::empty::<Result<Bytes, Infallible>>());
        return Ok((UNBUFFERED, EVENT_STREAM, nothing).into_response());
    }
    let head = (UNBUFFERED, EVENT_STREAM, date(&state)).into_response();
    let authorization = StreamAuthorization::of(&state.authenticator, &headers, caller);
    let open = state.service.metrics().stream();
    let watcher = Watcher { cursor, authorization, _permit: permit, _open: open };
    let channels = Arc::clone(&state.channels);
    let takeover = Takeover::new(move |stream, head| {
        Box::pin(follow::serve(channels, operation, watcher, stream, head))
    });
    Ok((Extension(takeover), head).into_response())
}

/// Finds an operation that the caller may view.
async fn authorize(
    state: &HttpState,
    caller: &Caller,
    id: &DeploymentId,
) -> Result<Operation, ApiError> {
    if let Some(operation) = state.channels.operation(id) {
        let owner = operation.owner.as_ref();
        state.service.authorize_owned(caller, Permission::View, id, owner).await?;
        return Ok(operation);
    }
    let record = state.service.authorize(caller, Permission::View, id).await?;
    let has_ended = record.state != DeploymentState::Active;
    Ok(Operation { id: id.clone(), owner: record.owner, last: record.seq, has_ended })
}

/// Returns a body with the events that are recorded after `cursor`.
fn recorded(state: &HttpState, id: DeploymentId, cursor: Seq) -> Body {
    struct Reading {
        channels: Arc<Channels>,
        id: DeploymentId,
        /// `None` after the terminal event.
        cursor: Option<Seq>,
        /// Counts the stream among the open ones until it is dropped.
        _open: Counted,
    }
    let (channels, open) = (Arc::clone(&state.channels), state.service.metrics().stream());
    let reading = Reading { channels, id, cursor: Some(cursor), _open: open };
    let pages = stream::unfold(reading, async |mut reading| {
        if reading.channels.shutdown().is_cancelled() {
            return None;
        }
        let events = reading.channels.events(&reading.id, reading.cursor?).await?;
        let last = events.last()?;
        reading.cursor = (!last.is_end()).then_some(last.seq);
        let mut bytes = Vec::new();
        for event in &events {
            bytes.extend_from_slice(&Frame::of(event).text);
        }
        Some((Bytes::from(bytes), reading))
    });
    let bytes = stream::once(async { Bytes::from_static(RETRY) }).chain(pages);
    Body::from_stream(bytes.map(Ok::<_, Infallible>))
}

/// Returns the header `Date`, which hyper adds to other responses.
fn date(state: &HttpState) -> [(HeaderName, String); 1] {
    [(header::DATE, state.service.clock().now().strftime(HTTP_DATE).to_string())]
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
