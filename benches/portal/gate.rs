//! What answers in the place of stacks: it decides when they become healthy.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::platform::Platform;

/// A server that answers for every stack: with 404 while it is shut, with 200 while it is open.
pub(crate) struct Gate {
    port: u16,
    is_open: Arc<AtomicBool>,
    serving: AbortHandle,
}

impl Gate {
    /// Starts one that is shut.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = listener.local_addr()?.port();
        let is_open = Arc::new(AtomicBool::new(false));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&is_open));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { port, is_open, serving: serving.abort_handle() })
    }

    pub(crate) fn open(&self) {
        self.is_open.store(true, Ordering::SeqCst);
    }

    pub(crate) fn shut(&self) {
        self.is_open.store(false, Ordering::SeqCst);
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Returns its address.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/health", self.port)
    }

    /// Returns the variables of a portal that drives `platform` and whose stacks are behind it.
    pub(crate) fn variables(&self, platform: &Platform) -> Vec<(&'static str, String)> {
        let port = ("STACK_PUBLIC_PORT", self.port.to_string());
        // A later one overrides an earlier one of the same name.
        platform.variables().into_iter().chain([port]).collect()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(State(is_open): State<Arc<AtomicBool>>) -> StatusCode {
    if is_open.load(Ordering::SeqCst) { StatusCode::OK } else { StatusCode::NOT_FOUND }
}
