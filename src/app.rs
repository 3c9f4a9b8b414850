//! Pages and components.
//!
//! Pages, shell and components render only on the server. Only the islands run in the browser: the
//! name form, the deployment, the theme switch and the copy button. Pages must not use ports: they
//! call `api` and the use cases, and show what these return.

mod browser;
pub mod deployment;
pub mod islands;
pub mod page_state;
mod renewed;
mod words;

#[cfg(feature = "ssr")]
pub mod frame;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub(crate) mod policy;
#[cfg(feature = "ssr")]
pub mod shell;

#[cfg(feature = "hydrate")]
mod live;

use domain::kind::{Kind, KindName, Kinds};

/// Returns the row of the kind called `name`: from the table that the server was started with, or
/// in the browser from the constant table.
fn kind(name: KindName) -> &'static Kind {
    leptos::prelude::use_context::<Kinds>().unwrap_or_default().of(name)
}

#[cfg(feature = "hydrate")]
pub(crate) use browser::{mark_running, restore_rendered};
#[cfg(feature = "ssr")]
pub use shell::{App, shell};
