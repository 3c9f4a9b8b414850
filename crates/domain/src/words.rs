//! The sentences of the wire, which are English in every language of the pages.
//!
//! Each is made from a code and its arguments, where they leave the portal. Nothing may depend on
//! their text.

pub mod refusal;
