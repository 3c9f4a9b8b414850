//! Runs requests to completion, even if the client disconnects.
//!
//! Otherwise hyper would drop the handler when the client disconnects, possibly between two writes.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio_util::task::TaskTracker;

use crate::server::run_to_completion::RunToCompletion;

/// Handles a request to its end, even if nobody waits for the answer.
pub(super) async fn run_to_completion(
    State(requests): State<TaskTracker>,
    request: Request,
    next: Next,
) -> Response {
    RunToCompletion::new(&requests, next.run(request)).await
}
