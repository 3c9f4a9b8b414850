//! Limits the size of requests, before a router or a handler reads them.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderMap, HeaderValue, Uri, header};
use futures::StreamExt;

use super::error::{BODY_LIMIT, Failed};
use clock::Clock;
use domain::refusal::{Refusal, Unreadable};

/// The length in bytes of the longest request target, which is a path with its query. A sign-in's
/// code and state are the longest that the portal reads.
const MAX_TARGET: usize = 8_192;
/// The number of fields of the longest query, and of the longest form but for that of a template. The
/// time to read them grows with the square of their number.
const MAX_FIELDS: usize = 64;
/// The size in bytes of the longest request with answers to a template's questions: what they may have
/// together, each byte escaped, and room for the rest.
pub(super) const ANSWERS_LIMIT: usize = 1 << 20;
/// The number of fields of the longest form of a template, whose names and values are read one after
/// the other.
pub(super) const MAX_ANSWER_FIELDS: usize = 256;
/// The content type of a form.
const FORM: &[u8] = b"application/x-www-form-urlencoded";
/// The size in bytes up to which a body that is too long is still received: a client that is cut
/// off while it sends does not read the answer.
const DRAIN_LIMIT: usize = 4 << 20;
/// The time limit for receiving a body.
const TIME: Duration = Duration::from_secs(10);

/// How large a request may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Size {
    /// As large as most.
    Usual,
    /// As large as the answers to a template's questions.
    Answers,
}

impl Size {
    fn bytes(self) -> usize {
        match self {
            Self::Usual => BODY_LIMIT,
            Self::Answers => ANSWERS_LIMIT,
        }
    }

    fn fields(self) -> usize {
        match self {
            Self::Usual => MAX_FIELDS,
            Self::Answers => MAX_ANSWER_FIELDS,
        }
    }
}

/// Refuses a target that is too long or has too many fields.
pub(super) fn check_target(uri: &Uri) -> Result<(), Failed> {
    let query = uri.query().unwrap_or_default();
    if uri.path().len() + query.len() > MAX_TARGET {
        return Err(Refusal::UriTooLong.into());
    }
    if has_more_fields(query.as_bytes(), MAX_FIELDS) {
        return Err(Refusal::InvalidRequest(Unreadable::Query).into());
    }
    Ok(())
}

/// Returns whether a query or a form has more than `limit` fields.
pub(super) fn has_more_fields(encoded: &[u8], limit: usize) -> bool {
    encoded.split(|&byte| byte == b'&').count() > limit
}

/// Receives the body of every request within limits before its handler runs, so that no handler
/// waits for a client that sends slowly.
pub(super) async fn receive(
    headers: &HeaderMap,
    body: Body,
    size: Size,
    clock: &Arc<dyn Clock>,
) -> Result<Body, Failed> {
    if body.is_end_stream() {
        return Ok(body);
    }
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let content = match kind {
        Some(kind) if kind.starts_with(FORM) => Box::pin(read_fields(body, size, clock)).await?,
        Some(_) | None => Box::pin(read(body, size, clock)).await?,
    };
    Ok(Body::from(content))
}

/// Reads a form of a usual size.
pub(super) async fn read_form(body: Body, clock: &Arc<dyn Clock>) -> Result<Vec<u8>, Failed> {
    read_fields(body, Size::Usual, clock).await
}

/// Reads a form like [`read`], with at most as many fields as `size` allows.
async fn read_fields(body: Body, size: Size, clock: &Arc<dyn Clock>) -> Result<Vec<u8>, Failed> {
    let content = read(body, size, clock).await?;
    if has_more_fields(&content, size.fields()) {
        return Err(Refusal::InvalidRequest(Unreadable::Form).into());
    }
    Ok(content)
}

/// Reads a body of at most `size` within [`TIME`].
async fn read(body: Body, size: Size, clock: &Arc<dyn Clock>) -> Result<Vec<u8>, Failed> {
    tokio::select! {
        read = chunks(body, size.bytes()) => read,
        () = clock.sleep(TIME) => Err(Refusal::RequestTimeout.into()),
    }
}

async fn chunks(body: Body, limit: usize) -> Result<Vec<u8>, Failed> {
    let mut chunks = body.into_data_stream();
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|_| Refusal::IncompleteBody)?;
        length += chunk.len();
        if length <= limit {
            kept.extend_from_slice(&chunk);
        } else if length > DRAIN_LIMIT {
            break;
        }
    }
    if length <= limit { Ok(kept) } else { Err(Refusal::BodyTooLarge(limit >> 10).into()) }
}
