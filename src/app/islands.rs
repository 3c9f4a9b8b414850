//! The islands: what moves in the browser. All else stays as the server sent it.

pub mod buttons;
pub mod live_deployment;
pub mod name_form;
