//! Requests that are carried out to the end, also where nobody waits for the answer any more.
//!
//! Whoever hangs up in the middle would otherwise stop what they have asked for between two of
//! its parts.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use tokio_util::task::TaskTracker;

use crate::server::carry_on::CarryOn;

/// Answers a request, whether or not somebody waits for the answer.
pub(super) async fn carry_out(
    State(requests): State<TaskTracker>,
    request: Request,
    next: Next,
) -> Response {
    CarryOn::new(&requests, next.run(request)).await
}
