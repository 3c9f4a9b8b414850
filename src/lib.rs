//! ai-stack-deployer: a self-service portal that brings AI stacks up on a Dokploy server.
//!
//! Two targets share this crate. With the feature `ssr` it is the server. With `hydrate` it is the
//! WASM client of the islands on the page of a deployment, with `question-form` a small one for the
//! questions of templates, and with `name-form` one for all other pages. `ARCHITECTURE.md` is the map.

// A view is one type as deep as its elements are nested. Erasing types on the way would cost
// every visitor WASM.
#![recursion_limit = "256"]

#[cfg(feature = "leptos")]
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

/// Prepares the page that the server rendered. Then the script of the page starts its islands.
#[cfg(feature = "controls")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    console_error_panic_hook::set_once();
    app::restore_rendered();
    #[cfg(feature = "hydrate")]
    leptos::mount::hydrate_islands();
    app::mark_running();
}
