//! The sentences of the wire, which are English in every language of the pages.
//!
//! Each is made from a code and its arguments when an answer is sent. Nothing may depend on their
//! text.

pub mod answer;
pub mod exit;
pub mod fault;
pub mod kind;
pub mod log;
pub mod message;
pub mod name;
pub mod refusal;
pub mod remedy;
pub mod template;
