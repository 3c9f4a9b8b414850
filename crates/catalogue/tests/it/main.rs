//! The tests of the crate: answers in all their forms, the files of templates, and the folder.
#![cfg(test)]

mod between;
mod cases;
mod document;
mod faults;
mod folder;
mod hostile;
mod schema;
mod stored;
mod support;
