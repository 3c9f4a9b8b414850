//! The baselines' server: axum with a few routes and nothing else, as a process of its own.

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path as FilePath, PathBuf};
use std::process::Command;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures::{Stream, StreamExt, stream};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;

use super::support::process::free_port;

/// Options of this very binary as the bare server.
#[derive(clap::Args)]
pub(crate) struct Bare {
    /// Serves the bare server of the baselines on this port instead
    #[arg(long = "bare", hide = true)]
    pub(crate) port: Option<u16>,
    /// The port in the addresses of its answers
    #[arg(long, hide = true, default_value_t = 0)]
    edge: u16,
    /// Files that it serves by their numbers: 0, 1, …
    #[arg(long, hide = true)]
    bodies: Option<PathBuf>,
}

struct Served {
    edge: u16,
    bodies: Vec<Bytes>,
    /// The time of the end of what is watched.
    end: watch::Sender<Option<Timestamp>>,
}

/// The body of a free name, as the portal answers.
#[derive(Serialize)]
struct CheckBody {
    available: bool,
    valid: bool,
    name: String,
    url: String,
}

/// Returns the command of a bare server, and its port. Name checks have the port `edge` in their
/// addresses; `bodies` has the files that it serves by their numbers.
pub(crate) fn command(edge: u16, bodies: Option<&FilePath>) -> anyhow::Result<(Command, u16)> {
    let port = free_port();
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("--bare").arg(port.to_string()).arg("--edge").arg(edge.to_string());
    if let Some(bodies) = bodies {
        command.arg("--bodies").arg(bodies);
    }
    Ok((command, port))
}

/// Serves its routes, for good.
pub(crate) async fn serve(port: u16, options: &Bare) -> anyhow::Result<()> {
    transport::raise_descriptor_limit()?;
    let listener = TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    let bodies =
        options.bodies.iter().flat_map(|folder| (0..).map(move |n| folder.join(format!("{n}"))));
    let bodies = bodies.map_while(|path| std::fs::read(path).ok()).map(Bytes::from).collect();
    let end = watch::Sender::default();
    let router = Router::new()
        .route("/readyz", get(async || Json("ok")))
        .route("/api/check/{name}", get(check))
        .route("/body/{number}", get(body))
        .route("/api/deploy", post(async || Json(json!({ "statusEndpoint": "/api/status/x" }))))
        .route("/api/status/{id}", get(events))
        .route("/api/deployment/{id}", get(deployment))
        .route("/end", post(finish))
        .with_state(Arc::new(Served { edge: options.edge, bodies, end }));
    Ok(axum::serve(listener, router).await?)
}

/// A name check that checks nothing.
async fn check(State(served): State<Arc<Served>>, Path(name): Path<String>) -> Json<CheckBody> {
    let url = format!("http://{name}.localhost:{}", served.edge);
    Json(CheckBody { available: true, valid: true, name, url })
}

async fn body(State(served): State<Arc<Served>>, Path(number): Path<usize>) -> impl IntoResponse {
    served.bodies.get(number).cloned().map(Html).ok_or(StatusCode::NOT_FOUND)
}

/// A stream of one event at once, and another one at the end.
async fn events(
    State(served): State<Arc<Served>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let ended = served.end.subscribe();
    let end = stream::once(async move {
        let mut ended = ended;
        // Never fails while the server runs.
        let at = ended.wait_for(Option::is_some).await.ok().and_then(|at| *at);
        Ok(Event::default().event("complete").data(format!("{at:?}")))
    });
    let begin = stream::once(async { Ok(Event::default().event("progress").data("{}")) });
    Sse::new(begin.chain(end))
}

async fn finish(State(served): State<Arc<Served>>) -> impl IntoResponse {
    served.end.send_replace(Some(Timestamp::now()));
    ([(header::CONTENT_TYPE, "text/plain")], "ok")
}

/// The one thing that the portal's description has and the benchmark reads: the time of the end.
async fn deployment(State(served): State<Arc<Served>>) -> Json<serde_json::Value> {
    let completed = *served.end.borrow();
    Json(
        json!({ "deployment": { "timestamps": { "completed": completed.map(|at| at.to_string()) } } }),
    )
}
