//! The browser functions that components and controls use: elements, requests, address, title, icon,
//! theme and clipboard.
//!
//! Some have a form on the server, since components name them, but they are called only in the browser,
//! after the page has loaded.

#[cfg(feature = "controls")]
mod in_browser;
#[cfg(feature = "ssr")]
mod on_server;
#[cfg(feature = "controls")]
mod parsed;
mod refused;
#[cfg(feature = "controls")]
mod request;

#[cfg(feature = "controls")]
pub(crate) use in_browser::*;
#[cfg(feature = "ssr")]
pub(crate) use on_server::*;
#[cfg(feature = "controls")]
pub(crate) use parsed::Parsed;
#[cfg(feature = "name-form")]
pub(crate) use refused::Refused;
#[cfg(feature = "controls")]
pub(crate) use request::*;
#[cfg(feature = "hydrate")]
pub(crate) use web_sys::Element;
