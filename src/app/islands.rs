//! The islands: the components that do something in the browser. Everything else stays as the server
//! rendered it.
//!
//! Each has the name of the function that starts it there. The deployment is a component of Leptos in
//! the browser as well; for the others, that function is in `controls`.

#[cfg(feature = "ssr")]
pub mod buttons;
pub mod live_deployment;
#[cfg(feature = "ssr")]
pub mod name_form;
