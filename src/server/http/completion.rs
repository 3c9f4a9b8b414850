//! Runs requests to completion, also when the client has disconnected.
//!
//! Whoever disconnects in the middle would otherwise stop what they have asked for between two of
//! its parts.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio_util::task::TaskTracker;

use crate::server::run_to_completion::RunToCompletion;

/// Answers a request, whether or not somebody waits for the answer.
pub(super) async fn run_to_completion(
    State(requests): State<TaskTracker>,
    request: Request,
    next: Next,
) -> Response {
    RunToCompletion::new(&requests, next.run(request)).await
}
