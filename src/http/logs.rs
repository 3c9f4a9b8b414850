//! The logs of stacks: as text, and as an event stream.

mod stream;

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

use super::HttpState;
use super::api::deployments::{Parameter, parameter};
use super::error::Failed;
use super::headers::NO_STORE;
use super::query::{number, unreadable};
use crate::server::auth::access::Caller;
use crate::server::logs::Item;
use crate::server::stacks::{LogFilter, MOST_LINES, PAGE_LINES, deployment_id};
use domain::refusal::{QueryField, Refusal, Unreadable};
use domain::time::earlier;
use domain::words::log as words;

pub(super) use self::stream::stream;

const TEXT: [(HeaderName, HeaderValue); 1] =
    [(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"))];

/// The query of a log.
#[derive(Deserialize)]
pub(super) struct LogQuery {
    id: Option<String>,
    tail: Option<String>,
    since: Option<String>,
    search: Option<String>,
    download: Option<String>,
}

/// `GET /api/stacks/:name/logs`: the last lines of a log, each with its time.
pub(super) async fn text(
    State(state): State<Arc<HttpState>>,
    Extension(caller): Extension<Caller>,
    name: Parameter,
    query: Result<Query<LogQuery>, QueryRejection>,
) -> Result<Response, Failed> {
    let Query(query) = query.map_err(|_| Refusal::InvalidRequest(Unreadable::Query))?;
    let now = state.service.clock().now();
    let of = query.id.as_deref().map(deployment_id).transpose()?;
    let since = query.since.filter(|text| !text.is_empty());
    let since = since.map(|text| since_of(&text, now).ok_or(unreadable(QueryField::Since)));
    let since = since.transpose()?;
    let is_download = is_on(query.download.as_deref());
    let is_download = is_download.ok_or(unreadable(QueryField::Download))?;
    let tail = number(QueryField::Tail, query.tail.as_deref())?;
    let tail = tail.unwrap_or(if is_download { MOST_LINES } else { PAGE_LINES });
    let search = query.search.filter(|text| !text.is_empty());
    let filter = LogFilter { tail: tail.min(MOST_LINES), since, search };
    let name = parameter(name)?;
    let items = state.service.log(&caller, &name, of.as_ref(), &filter).await?;
    let text: String = items.iter().map(written).collect();
    let mut response = (TEXT, NO_STORE, Body::from(text)).into_response();
    if is_download {
        // The name of a stack that is there has letters, digits and hyphens only.
        let file = format!("attachment; filename=\"{}.log\"", name.to_lowercase());
        if let Ok(file) = HeaderValue::try_from(file) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, file);
        }
    }
    Ok(response)
}

/// Returns whether an option is on; `None` if the text is neither.
fn is_on(text: Option<&str>) -> Option<bool> {
    match text {
        None | Some("0" | "") => Some(false),
        Some("1") => Some(true),
        Some(_) => None,
    }
}

/// Parses a time, or an age such as `10m`.
fn since_of(text: &str, now: Timestamp) -> Option<Timestamp> {
    if let Ok(time) = text.parse() {
        return Some(time);
    }
    let age = humantime::parse_duration(text).ok()?;
    Some(earlier(now, age))
}

/// Writes an item as a line of text.
fn written(item: &Item) -> String {
    match item {
        Item::Line(line) => {
            let end = if line.is_cut { words::CUT } else { "" };
            format!("{:.9} {}{end}\n", line.at, line.text)
        }
        Item::Container(name) => format!("{}\n", words::container(name)),
        Item::Gap(skipped) => format!("{}\n", words::gap(*skipped)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_line_is_given_by_a_time_or_an_age() {
        let now: Timestamp = "2026-11-30T12:00:00Z".parse().unwrap();
        for (text, expected) in [
            ("2026-11-30T11:58:00Z", Some("2026-11-30T11:58:00Z")),
            ("2026-11-30T11:58:00.5+00:00", Some("2026-11-30T11:58:00.5Z")),
            ("2m", Some("2026-11-30T11:58:00Z")),
            ("1h 30m", Some("2026-11-30T10:30:00Z")),
            ("yesterday", None),
            ("-2m", None),
        ] {
            let expected = expected.map(|time| time.parse().unwrap());
            assert_eq!(since_of(text, now), expected, "{text}");
        }
    }
}
