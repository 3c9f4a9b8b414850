//! The final message of a process, which never blocks its end.

use std::{
    io::{self, Write},
    sync::mpsc,
    thread,
    time::Duration,
};

/// The time limit for writing the message.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// Writes `sentence` to standard error. Gives up after a second if nobody reads it, so that the
/// process can end.
pub fn final_message(sentence: String) {
    let (sender, done) = mpsc::channel();
    let spawned = thread::Builder::new().spawn(move || {
        // If standard error fails, there is no other place to report it.
        writeln!(io::stderr(), "{sentence}").ok();
        sender.send(()).ok();
    });
    if spawned.is_ok() {
        done.recv_timeout(WRITE_TIMEOUT).ok();
    }
}
