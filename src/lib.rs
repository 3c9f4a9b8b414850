//! ai-stack-deployer: a self-service portal that brings AI stacks up on a Dokploy server.
//!
//! Two targets share this crate. With the feature `ssr` it is the server, with `hydrate`
//! the WASM client of the page's islands. `ARCHITECTURE.md` is the map.

// A view is one type as deep as its elements are nested. Erasing types on the way would cost
// every visitor WASM.
#![recursion_limit = "256"]

pub mod api;
pub mod app;
#[cfg(feature = "ssr")]
pub mod cli;
#[cfg(feature = "ssr")]
pub mod http;
#[cfg(feature = "ssr")]
pub mod run;
#[cfg(feature = "ssr")]
pub mod server;
pub mod wire;

/// Starts the islands of the page that the server rendered.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    app::restore_rendered();
    leptos::mount::hydrate_islands();
    app::mark_running();
}
