//! The final message of a process, written without waiting for anybody to read it.

use std::{
    io::{self, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

/// The time for which the end waits for somebody to read.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Writes `sentence` to standard error, and gives up where nobody reads it: the process ends
/// all the same.
pub fn final_message(sentence: String) {
    let (sender, done) = mpsc::channel();
    let spawned = thread::Builder::new().spawn(move || {
        // Standard error is all there is: when it is gone, too, nobody is left to tell.
        writeln!(io::stderr(), "{sentence}").ok();
        sender.send(()).ok();
    });
    if spawned.is_ok() {
        done.recv_timeout(WRITE_TIMEOUT).ok();
    }
}
