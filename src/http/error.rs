//! Errors on the wire: a status and `{success: false, error, code}`, for every kind of error.

use std::any::Any;

use axum::body::Body;
use axum::http::{HeaderValue, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use serde::Serialize;

use crate::wire::ApiError;
use domain::refusal::{InternalFault, Missing, Refusal, RefusalCode};

/// The maximum size of a request body, in bytes.
pub(super) const BODY_LIMIT: usize = 64 << 10;

/// An error as an HTTP response.
#[derive(Debug)]
pub(super) struct Failed(ApiError);

/// The code of the error in a response, for the layers around the handler.
#[derive(Clone, Debug)]
pub(super) struct Code(pub(super) RefusalCode);

/// Adds the code to a response whose page explains the refusal, so that it is counted.
pub(super) fn with_code(mut response: Response<Body>, code: RefusalCode) -> Response<Body> {
    response.extensions_mut().insert(Code(code));
    response
}

impl Failed {
    /// Returns the response for a handler that panicked. The panic hook has already logged the
    /// message.
    pub(super) fn from_panic(_panic: Box<dyn Any + Send>) -> Response<Body> {
        Self::from(Refusal::Internal(InternalFault::Panic)).into_response()
    }
}

/// Returns the 404 error for an address.
pub(super) fn unknown(uri: &Uri) -> Failed {
    let path: String = uri.path().chars().take(200).collect();
    Refusal::NotFound(Missing::Path(path)).into()
}

/// Writes a value of ours as JSON.
#[expect(clippy::expect_used, reason = "our own types have string keys and cannot fail")]
pub(super) fn json<T: Serialize>(value: &T) -> String {
    serde_json::to_string(value).expect("plain data becomes JSON")
}

impl From<ApiError> for Failed {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self(refusal.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response<Body> {
        let Self(error) = self;
        let status =
            StatusCode::from_u16(error.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        let mut response = (status, headers, json(&error)).into_response();
        if let Some(seconds) = error.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(Code(error.code));
        response
    }
}
