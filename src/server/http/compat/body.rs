//! The body of a deploy request: read within limits, as JSON, whatever it calls itself.

use std::{sync::Arc, time::Duration};

use axum::body::{Body, Bytes};
use futures::StreamExt;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::{
    super::error::{BODY_LIMIT, Failed, body_too_large},
    ApiError,
};
use crate::server::ports::clock::Clock;

/// The longest body that is received to its end, so that its sender reads our answer.
const PATIENCE: usize = 4 << 20;
/// How long a body may take.
const TIME: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct DeployRequest {
    name: String,
}

/// Reads a body of at most [`BODY_LIMIT`] bytes within [`TIME`].
pub(in crate::server::http) async fn read(
    body: Body,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<u8>, Failed> {
    tokio::select! {
        read = receive(body) => read,
        () = clock.sleep(TIME) => {
            let message = "The body did not arrive within 10 seconds: send it again.";
            Err(Failed::new(408, "REQUEST_TIMEOUT", message))
        }
    }
}

async fn receive(body: Body) -> Result<Vec<u8>, Failed> {
    let mut chunks = body.into_data_stream();
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(|_| {
            Failed::new(400, "INCOMPLETE_BODY", "The body ended too early: send it again.")
        })?;
        length += chunk.len();
        if length <= BODY_LIMIT {
            kept.extend_from_slice(&chunk);
        } else if length > PATIENCE {
            break;
        }
    }
    if length <= BODY_LIMIT { Ok(kept) } else { Err(body_too_large()) }
}

/// Returns the digest by which a repeated body is known.
pub(super) fn fingerprint(body: &[u8]) -> String {
    format!("{:x}", Sha256::digest(body))
}

/// Reads the name out of `body`.
pub(super) fn name(body: &[u8]) -> Result<String, ApiError> {
    let refused = |code: &str, message: &str| ApiError {
        status: 400,
        code: code.to_owned(),
        message: message.to_owned(),
        retry_after: None,
    };
    let not_json = || refused("INVALID_JSON", "The body is not JSON: send {\"name\":\"alice\"}.");
    let no_name = || {
        let message = "The body has no name in it: send an object with one text called name, \
                       like {\"name\":\"alice\"}.";
        refused("INVALID_NAME", message)
    };
    match serde_json::from_slice::<DeployRequest>(body) {
        // A list would be read as the fields in their order.
        Ok(_) if body.trim_ascii_start().first() != Some(&b'{') => Err(no_name()),
        Ok(request) => Ok(request.name),
        Err(error) if error.is_data() => Err(no_name()),
        Err(_) => Err(not_json()),
    }
}
