//! Pages and components.
//!
//! Pages, shell and components render only on the server. Only the islands run in the browser: the
//! deployment, and the controls: the name form, the theme switch and the copy button. Pages must not
//! use ports: they call `api` and the use cases, and show what these return.

mod browser;
pub mod controls;
mod words;

#[cfg(feature = "leptos")]
pub mod deployment;
#[cfg(feature = "leptos")]
pub mod islands;
#[cfg(feature = "leptos")]
pub mod page_state;
#[cfg(feature = "leptos")]
mod renewed;

#[cfg(feature = "ssr")]
pub mod frame;
#[cfg(feature = "ssr")]
mod inline;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
pub(crate) mod policy;
#[cfg(feature = "ssr")]
pub mod shell;

#[cfg(feature = "hydrate")]
mod live;

#[cfg(feature = "leptos")]
use domain::kind::{Kind, KindName, Kinds};

/// Returns the row of the kind called `name`: from the table that the server was started with, or
/// in the browser from the constant table.
#[cfg(feature = "leptos")]
fn kind(name: KindName) -> &'static Kind {
    leptos::prelude::use_context::<Kinds>().unwrap_or_default().of(name)
}

#[cfg(feature = "controls")]
pub(crate) use browser::{mark_running, restore_rendered};
#[cfg(feature = "ssr")]
pub use shell::{App, SmallForms, shell};
