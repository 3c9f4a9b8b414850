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
/// The number of fields of the longest query, and of the longest form. The time to read them grows
/// with the square of their number.
const MAX_FIELDS: usize = 64;
/// The content type of a form.
const FORM: &[u8] = b"application/x-www-form-urlencoded";
/// The size in bytes up to which a body that is too long is still received: a client that is cut
/// off while it sends does not read the answer.
const DRAIN_LIMIT: usize = 4 << 20;
/// The time limit for receiving a body.
const TIME: Duration = Duration::from_secs(10);

/// Refuses a target that is too long or has too many fields.
pub(super) fn check_target(uri: &Uri) -> Result<(), Failed> {
    let query = uri.query().unwrap_or_default();
    if uri.path().len() + query.len() > MAX_TARGET {
        return Err(Refusal::UriTooLong.into());
    }
    if has_too_many_fields(query.as_bytes()) {
        return Err(Refusal::InvalidRequest(Unreadable::Query).into());
    }
    Ok(())
}

/// Returns whether a query or a form has more than [`MAX_FIELDS`] fields.
fn has_too_many_fields(encoded: &[u8]) -> bool {
    encoded.split(|&byte| byte == b'&').count() > MAX_FIELDS
}

/// Receives the body of every request within limits before its handler runs, so that no handler
/// waits for a client that sends slowly.
pub(super) async fn receive(
    headers: &HeaderMap,
    body: Body,
    clock: &Arc<dyn Clock>,
) -> Result<Body, Failed> {
    if body.is_end_stream() {
        return Ok(body);
    }
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let content = match kind {
        Some(kind) if kind.starts_with(FORM) => Box::pin(read_form(body, clock)).await?,
        Some(_) | None => Box::pin(read(body, clock)).await?,
    };
    Ok(Body::from(content))
}

/// Reads a form like [`read`], with at most [`MAX_FIELDS`] fields.
pub(super) async fn read_form(body: Body, clock: &Arc<dyn Clock>) -> Result<Vec<u8>, Failed> {
    let content = read(body, clock).await?;
    if has_too_many_fields(&content) {
        return Err(Refusal::InvalidRequest(Unreadable::Form).into());
    }
    Ok(content)
}

/// Reads a body of at most [`BODY_LIMIT`] bytes within [`TIME`].
async fn read(body: Body, clock: &Arc<dyn Clock>) -> Result<Vec<u8>, Failed> {
    tokio::select! {
        read = chunks(body) => read,
        () = clock.sleep(TIME) => Err(Refusal::RequestTimeout.into()),
    }
}

async fn chunks(body: Body) -> Result<Vec<u8>, Failed> {
    let mut chunks = body.into_data_stream();
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|_| Refusal::IncompleteBody)?;
        length += chunk.len();
        if length <= BODY_LIMIT {
            kept.extend_from_slice(&chunk);
        } else if length > DRAIN_LIMIT {
            break;
        }
    }
    if length <= BODY_LIMIT { Ok(kept) } else { Err(Refusal::BodyTooLarge.into()) }
}
