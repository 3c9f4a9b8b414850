//! The pages. They render only on the server; their interactive parts are islands.

pub mod account;
pub mod admin;
pub mod api_docs;
pub mod data;
pub mod deployment;
pub mod home;
pub mod logs;
pub mod my_stacks;
pub mod new;
pub mod notice;
pub mod sign_in;
pub mod stack;
pub mod title;
pub mod tokens;

pub use self::title::PageTitle;
