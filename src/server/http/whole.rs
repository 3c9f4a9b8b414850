//! Requests that are carried out to the end, also where nobody waits for the answer any more.
//!
//! Whoever hangs up in the middle would otherwise stop what they have asked for between two of
//! its parts.

use std::panic;

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;

use super::error::Failed;

/// Answers a request in a task of its own.
pub(super) async fn carry_out(
    State(requests): State<TaskTracker>,
    request: Request,
    next: Next,
) -> Response {
    match requests.spawn(next.run(request).in_current_span()).await {
        Ok(response) => response,
        Err(error) if error.is_panic() => panic::resume_unwind(error.into_panic()),
        Err(_) => {
            let message = "The portal is ending: try again in a moment.";
            Failed::new(503, "UNAVAILABLE", message).into_response()
        }
    }
}
