//! The body of a deploy request: read within limits, and as JSON regardless of its content type.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use futures::StreamExt;
use serde::Deserialize;

use crate::http::error::{BODY_LIMIT, Failed};
use crate::server::auth::accounts::Digest;
use crate::wire::ApiError;
use clock::Clock;
use domain::refusal::Refusal;

/// The size in bytes up to which a body that is too long is still received: a client that is cut
/// off while it sends does not read the answer.
const DRAIN_LIMIT: usize = 4 << 20;
/// The time limit for receiving a body.
const TIME: Duration = Duration::from_secs(10);

#[derive(Deserialize)]
struct DeployRequest {
    name: String,
}

/// Reads a body of at most [`BODY_LIMIT`] bytes within [`TIME`].
pub(in crate::http) async fn read(body: Body, clock: &Arc<dyn Clock>) -> Result<Vec<u8>, Failed> {
    tokio::select! {
        read = receive(body) => read,
        () = clock.sleep(TIME) => {
            Err(Refusal::RequestTimeout.into())
        }
    }
}

async fn receive(body: Body) -> Result<Vec<u8>, Failed> {
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

/// Returns the digest that shows whether a request with the same idempotency key has the same body.
pub(in crate::http) fn fingerprint(body: &[u8]) -> String {
    Digest::of_bytes(body).0
}

/// Returns the field `name` of the JSON object in `body`.
pub(in crate::http) fn name(body: &[u8]) -> Result<String, ApiError> {
    let no_name = || Refusal::InvalidName(None).into();
    match serde_json::from_slice::<DeployRequest>(body) {
        // serde would accept an array as the fields in their order.
        Ok(_) if body.trim_ascii_start().first() != Some(&b'{') => Err(no_name()),
        Ok(request) => Ok(request.name),
        Err(error) if error.is_data() => Err(no_name()),
        Err(_) => Err(Refusal::InvalidJson.into()),
    }
}

#[cfg(test)]
mod tests {
    use domain::refusal::RefusalCode;
    use proptest::{collection::vec, prelude::*};
    use serde_json::json;

    use super::*;

    /// Valid bodies with one byte changed.
    fn almost() -> impl Strategy<Value = Vec<u8>> {
        (any::<String>(), any::<prop::sample::Index>(), any::<u8>()).prop_map(|(text, at, byte)| {
            let mut body = json!({ "name": text, "other": [1.5, null] }).to_string().into_bytes();
            let at = at.index(body.len());
            body[at] = byte;
            body
        })
    }

    proptest! {
        #![proptest_config(test_support::properties())]

        #[test]
        fn whatever_is_sent_a_name_comes_out_or_a_reason(
            body in prop_oneof![
                vec(any::<u8>(), 0..80),
                "[\\[\\]{}:,\"\\\\ a-u0-9.eE+-]{0,40}".prop_map(String::into_bytes),
                almost(),
            ]
        ) {
            match name(&body) {
                Ok(name) => {
                    // An independent parser reads the same name.
                    let read = serde_json::from_slice::<serde_json::Value>(&body);
                    prop_assert!(read.map_or(true, |read| read["name"] == name));
                }
                Err(error) => {
                    prop_assert_eq!(error.status(), 400);
                    prop_assert!(matches!(error.code, RefusalCode::InvalidJson | RefusalCode::InvalidName));
                }
            }
        }

        #[test]
        fn a_name_arrives_as_it_was_sent(text: String, before in "[ \t\r\n]{0,3}") {
            let body = format!("{before}{}", json!({ "other": [], "name": text }));
            prop_assert_eq!(name(body.as_bytes()).unwrap(), text);
        }
    }
}
