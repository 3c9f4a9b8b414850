//! The sandbox: its HTTP, its promises, and the recordings of the real platform.

mod listeners;
