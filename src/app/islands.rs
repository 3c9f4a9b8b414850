//! The islands: the components that run in the browser. Everything else stays as the server
//! rendered it.

pub mod buttons;
pub mod live_deployment;
pub mod name_form;
