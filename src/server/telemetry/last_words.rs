//! What a process says at its end, without waiting for anybody to read it.

use std::{
    io::{self, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

/// How long the end waits for somebody to read.
const PATIENCE: Duration = Duration::from_secs(1);

/// Writes `sentence` to standard error, and gives up where nobody reads it: the process ends
/// all the same.
pub fn last_words(sentence: String) {
    let (sender, done) = mpsc::channel();
    let spawned = thread::Builder::new().spawn(move || {
        // Standard error is all there is: when it is gone, too, nobody is left to tell.
        writeln!(io::stderr(), "{sentence}").ok();
        sender.send(()).ok();
    });
    if spawned.is_ok() {
        done.recv_timeout(PATIENCE).ok();
    }
}
