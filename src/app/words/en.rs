//! The English words: texts, and pure functions from data to text. Each module has the words of one
//! page, or of a part of several.

#[cfg(feature = "ssr")]
pub(crate) mod account;
#[cfg(feature = "ssr")]
pub(crate) mod admin;
#[cfg(feature = "ssr")]
pub(crate) mod api_docs;
pub(crate) mod buttons;
#[cfg(feature = "ssr")]
pub(crate) mod data;
#[cfg(feature = "leptos")]
pub(crate) mod deployment;
#[cfg(feature = "leptos")]
pub(crate) mod estimate;
#[cfg(feature = "ssr")]
pub(crate) mod frame;
#[cfg(feature = "ssr")]
pub(crate) mod home;
#[cfg(feature = "ssr")]
pub(crate) mod logs;
#[cfg(feature = "ssr")]
pub(crate) mod my_stacks;
#[cfg(any(feature = "ssr", feature = "name-form"))]
pub(crate) mod name_form;
#[cfg(feature = "ssr")]
pub(crate) mod new;
#[cfg(feature = "ssr")]
pub(crate) mod operation;
#[cfg(feature = "leptos")]
pub(crate) mod page_state;
#[cfg(any(feature = "ssr", feature = "question-form"))]
pub(crate) mod problems;
#[cfg(feature = "leptos")]
pub(crate) mod receipt;
#[cfg(feature = "ssr")]
pub(crate) mod refusal;
#[cfg(feature = "ssr")]
pub(crate) mod sign_in;
#[cfg(feature = "ssr")]
pub(crate) mod stack;
#[cfg(feature = "ssr")]
pub(crate) mod stack_ending;
#[cfg(feature = "ssr")]
pub(crate) mod stack_history;
#[cfg(feature = "ssr")]
pub(crate) mod stack_revisions;
#[cfg(feature = "ssr")]
pub(crate) mod stack_settings;
#[cfg(feature = "ssr")]
pub(crate) mod stack_usage;
#[cfg(feature = "leptos")]
pub(crate) mod step;
#[cfg(feature = "leptos")]
pub(crate) mod time;
