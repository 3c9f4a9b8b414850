//! The server's log: its output and format.
//!
//! It never blocks or stops the server: a line that cannot be written is dropped and counted.

mod writer;

use std::io::{self, IsTerminal, Write as _};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

pub use self::writer::FlushGuard;
use super::settings::{LogFormat, LogSettings};
use super::vitals;

/// The time limit for writing the message.
const WRITE_TIMEOUT: Duration = Duration::from_secs(1);

/// The signal that a write beyond the limit for a file's size (`ulimit -f`) causes: SIGXFSZ.
const FILE_SIZE_EXCEEDED: i32 = 25;

/// Starts logging to standard error, including panics. A second call changes nothing. A separate
/// thread writes the log until the guard is dropped.
#[must_use = "the last lines are written when the guard goes"]
pub fn init(settings: &LogSettings) -> FlushGuard {
    let format = settings.format.unwrap_or_else(|| {
        if io::stderr().is_terminal() { LogFormat::Pretty } else { LogFormat::Json }
    });
    let (writer, guard) = writer::start(io::stderr(), format);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter(&settings.filter))
        .with_writer(writer)
        // `tracing` would report them on standard error, and panic if that fails.
        .log_internal_errors(false);
    let started = match format {
        LogFormat::Pretty => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    match started {
        Ok(()) => std::panic::set_hook(Box::new(|panic| {
            vitals::count_panic();
            let location = panic.location().map(ToString::to_string);
            let message = panic.payload_as_str().unwrap_or_default();
            tracing::error!(panic.location = location, panic.message = message, "A panic");
        })),
        Err(error) => tracing::debug!(%error, "Logging was already initialised"),
    }
    guard
}

/// Makes a write beyond the limit for a file's size fail instead of ending the process. Call it
/// within the runtime, which keeps the signal handler installed.
///
/// # Errors
///
/// Returns an error if the signal handler cannot be installed.
pub fn survive_file_size_limit() -> io::Result<()> {
    signal(SignalKind::from_raw(FILE_SIZE_EXCEEDED)).map(drop)
}

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
/// Returns the filter of the settings, without what the crate `tungstenite` says on the level
/// `trace`: the logs of stacks, with their secrets.
fn filter(settings: &str) -> EnvFilter {
    let quiet = ["tungstenite=info", "tokio_tungstenite=info"];
    let directives = quiet.iter().filter_map(|directive| directive.parse().ok());
    directives.fold(EnvFilter::new(settings), EnvFilter::add_directive)
}
