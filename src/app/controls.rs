//! The controls that every page may have: the theme switch, the copy button, and the
//! forms of a new stack.
//!
//! Leptos renders them on the server (`islands`). What they do in the browser is written without it,
//! so that pages without a deployment load little code. Its functions have the names that the islands
//! have in `data-component`, by which the script of the page finds them.

#[cfg(any(feature = "ssr", feature = "name-form"))]
pub mod hint;

#[cfg(feature = "question-form")]
pub mod card_search;
#[cfg(feature = "controls")]
pub mod copy_button;
#[cfg(feature = "name-form")]
pub mod name_form;
#[cfg(feature = "question-form")]
pub mod question_form;
#[cfg(feature = "controls")]
pub mod theme_switch;
