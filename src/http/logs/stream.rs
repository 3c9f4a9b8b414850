//! The event stream of a log.
//!
//! It lasts as long as the caller may read the log, which is checked every few seconds.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};
use futures::{StreamExt as _, stream};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::http::HttpState;
use crate::http::api::deployments::{Parameter, parameter};
use crate::http::error::{Failed, json};
use crate::http::events::{
    EVENT_STREAM, KEEPALIVE_COMMENT, RETRY, StreamAuthorization, UNBUFFERED,
};
use crate::http::query::number;
use crate::http::streams::StreamPermit;
use crate::server::audit::AuditAction;
use crate::server::auth::access::Caller;
use crate::server::logs::{Item, LogLine, Watching};
use crate::server::metrics::Counted;
use crate::server::stacks::{MOST_LINES, PAGE_LINES, deployment_id};
use domain::deployment::DeploymentId;
use domain::refusal::{QueryField, Refusal, RefusalCode, Unreadable};

/// The interval at which a stream sends a comment, and the authorization is checked.
const KEEPALIVE: Duration = Duration::from_secs(15);
/// The pause after a batch, so that a flood is sent in few pieces.
const GATHER: Duration = Duration::from_millis(100);
/// The number of items of a batch after which there is no pause: there are more.
const FULL: usize = 500;

/// The query of a stream.
#[derive(Deserialize)]
pub(in crate::http) struct StreamQuery {
    id: Option<String>,
    tail: Option<String>,
    /// The last event that the caller has.
    after: Option<String>,
}

/// The data of a line.
#[derive(Serialize)]
struct LineData<'a> {
    time: String,
    text: &'a str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

#[derive(Serialize)]
struct ContainerData<'a> {
    container: &'a str,
}

#[derive(Serialize)]
struct GapData {
    skipped: u64,
}

/// `GET /api/stacks/:name/logs/stream`: the lines of a log after the cursor, or its last ones, and
/// those to come.
pub(in crate::http) async fn stream(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<StreamQuery>, QueryRejection>,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Failed> {
    let Query(query) = query.map_err(|_| Refusal::InvalidRequest(Unreadable::Query))?;
    let of = query.id.as_deref().map(deployment_id).transpose()?;
    let tail = number(QueryField::Tail, query.tail.as_deref())?.unwrap_or(PAGE_LINES);
    let name = parameter(name)?;
    state.service.may_read_log(&caller, &name, of.as_ref()).await?;
    let Some(permit) = state.streams.take(&caller) else {
        let (act, code) = (AuditAction::ReachLimit, RefusalCode::TooManyStreams);
        state.audit.rejection(&caller, act, Some(&name), code).await;
        return Err(Refusal::TooManyStreams.into());
    };
    let mut watching = state.service.watch_log(&caller, &name, of.as_ref()).await?;
    let body = if method == Method::HEAD {
        Body::from_stream(stream::empty::<Result<Bytes, Infallible>>())
    } else {
        let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
        match header.or(query.after.as_deref()).and_then(Cursor::parse) {
            Some(cursor) => watching.begin_after(|line| cursor.is_after(line)),
            None => watching.begin_with_last(tail.min(MOST_LINES)),
        }
        let authorization = StreamAuthorization::of(&state.authenticator, &headers, caller.clone());
        let open = state.service.metrics().stream();
        let due = state.service.clock().monotonic() + KEEPALIVE;
        let reading = Reading {
            state,
            watching,
            caller,
            authorization,
            name,
            of,
            due,
            gathers: false,
            _permit: permit,
            _open: open,
        };
        reading.into_body()
    };
    Ok((UNBUFFERED, EVENT_STREAM, body).into_response())
}

/// The place after a line: `<container>:<time>`.
struct Cursor<'a> {
    container: &'a str,
    at: Timestamp,
}

impl<'a> Cursor<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let (container, at) = text.trim().split_once(':')?;
        Some(Self { container, at: at.parse().ok()? })
    }

    /// Returns whether the place is after `line`, or no later line is known to be before it.
    fn is_after(&self, line: &LogLine) -> bool {
        let is_own = *line.container == *self.container;
        if is_own { line.at <= self.at } else { line.at < self.at }
    }
}

/// A stream that is open.
struct Reading {
    state: Arc<HttpState>,
    watching: Watching,
    caller: Caller,
    /// `None` if there are no credentials to check.
    authorization: Option<Arc<StreamAuthorization>>,
    name: String,
    of: Option<DeploymentId>,
    /// When the authorization is checked next.
    due: Duration,
    /// True if it waits a moment before the next batch.
    gathers: bool,
    _permit: StreamPermit,
    _open: Counted,
}

impl Reading {
    fn into_body(self) -> Body {
        let pieces = stream::unfold(self, async |mut reading| {
            let piece = reading.next().await?;
            Some((piece, reading))
        });
        let pieces = stream::once(async { Bytes::from_static(RETRY) }).chain(pieces);
        Body::from_stream(pieces.map(Ok::<_, Infallible>))
    }

    /// Waits for the next piece; `None` if the stream must end.
    async fn next(&mut self) -> Option<Bytes> {
        let state = Arc::clone(&self.state);
        let (clock, shutdown) = (state.service.clock(), state.channels.shutdown());
        let left = self.due.saturating_sub(clock.monotonic());
        let gathers = std::mem::take(&mut self.gathers);
        let items = async {
            if gathers {
                clock.sleep(GATHER).await;
            }
            self.watching.next().await
        };
        let items = tokio::select! {
            biased;
            () = shutdown.cancelled() => return None,
            () = clock.sleep(left) => None,
            items = items => Some(items),
        };
        match items {
            Some(items) => {
                self.gathers = items.len() < FULL;
                Some(items.iter().map(written).collect::<String>().into())
            }
            None if self.is_allowed().await => {
                self.due = clock.monotonic() + self.next_check();
                Some(Bytes::from_static(KEEPALIVE_COMMENT))
            }
            None => None,
        }
    }

    fn next_check(&self) -> Duration {
        let now = self.state.service.clock().now();
        self.authorization.as_ref().map_or(KEEPALIVE, |it| it.next_check_in(now))
    }

    /// Returns whether the caller may still read the log.
    async fn is_allowed(&self) -> bool {
        let now = self.state.service.clock().now();
        if let Some(authorization) = &self.authorization {
            let known = authorization.known(&self.state.authenticator, now).await;
            if !authorization.allows(&known, now) {
                return false;
            }
        }
        let allowed =
            self.state.service.may_read_log(&self.caller, &self.name, self.of.as_ref()).await;
        match allowed {
            Ok(stack) => stack.revision.stack == self.watching.stack(),
            // As long as the database is unavailable, nothing else is known.
            Err(error) => error.code == RefusalCode::StoreUnavailable,
        }
    }
}

/// Writes an item as an event.
fn written(item: &Item) -> String {
    match item {
        Item::Line(LogLine { at, text, is_cut, .. }) => {
            let time = format!("{at:.9}");
            let id = item.id().unwrap_or_default();
            let data = json(&LineData { time, text, cut: *is_cut });
            format!("id: {id}\nevent: line\ndata: {data}\n\n")
        }
        Item::Container(container) => {
            let data = json(&ContainerData { container });
            format!("event: container\ndata: {data}\n\n")
        }
        Item::Gap(skipped) => {
            let data = json(&GapData { skipped: *skipped });
            format!("event: gap\ndata: {data}\n\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_has_the_id_after_which_the_stream_goes_on() {
        let at = "2026-11-28T17:08:13.935908053Z".parse().unwrap();
        let line =
            LogLine { container: "demo.1.abc".into(), at, text: "a \"b\"".into(), is_cut: true };
        let id = "demo.1.abc:2026-11-28T17:08:13.935908053Z";
        assert_eq!(
            written(&Item::Line(line.clone())),
            format!(
                "id: {id}\nevent: line\ndata: {{\"time\":\"2026-11-28T17:08:13.935908053Z\",\
                 \"text\":\"a \\\"b\\\"\",\"cut\":true}}\n\n"
            )
        );
        assert!(Cursor::parse(id).unwrap().is_after(&line));
        assert!(
            !Cursor::parse("other.1.abc:2026-11-28T17:08:13.935908053Z").unwrap().is_after(&line)
        );
        assert!(Cursor::parse("other.1.abc:2026-11-28T17:08:14Z").unwrap().is_after(&line));
        for nonsense in ["", "7", "demo:", "demo:yesterday"] {
            assert!(Cursor::parse(nonsense).is_none(), "{nonsense}");
        }
        assert_eq!(written(&Item::Gap(3)), "event: gap\ndata: {\"skipped\":3}\n\n");
    }
}
