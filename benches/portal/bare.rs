//! The baselines' servers: axum with one route and nothing else.

use std::net::{Ipv4Addr, SocketAddr};

use axum::extract::{Path, State};
use axum::routing::get;
use axum::{Json, Router};
use serde::Serialize;
use tokio::net::TcpListener;

/// The body of a free name, as the portal answers.
#[derive(Serialize)]
struct CheckBody {
    available: bool,
    valid: bool,
    name: String,
    url: String,
}

/// Serves name checks that check nothing, until the task is aborted. The addresses in its
/// answers have the port `edge`, like those of the portal beside it.
pub(crate) async fn serve_checks(listener: TcpListener, edge: u16) {
    let router = Router::new().route("/api/check/{name}", get(check)).with_state(edge);
    if let Err(error) = axum::serve(listener, router).await {
        tracing::error!(%error, "the bare server stopped");
    }
}

async fn check(State(edge): State<u16>, Path(name): Path<String>) -> Json<CheckBody> {
    let url = format!("http://{name}.localhost:{edge}");
    Json(CheckBody { available: true, valid: true, name, url })
}

/// Serves one route that says that all is well, for good.
pub(crate) async fn serve_health(port: u16) -> anyhow::Result<()> {
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let router = Router::new().route("/readyz", get(async || Json("ok")));
    Ok(axum::serve(listener, router).await?)
}
