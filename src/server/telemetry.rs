//! The server's own log: where it goes and how a line looks.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use super::settings::{LogFormat, LogSettings};

/// Starts logging to standard error, panics included. A second start changes nothing.
pub fn init(settings: &LogSettings) {
    let format = settings.format.unwrap_or_else(|| {
        if io::stderr().is_terminal() { LogFormat::Pretty } else { LogFormat::Json }
    });
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(&settings.filter))
        .with_writer(io::stderr);
    let started = match format {
        LogFormat::Pretty => builder.try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    match started {
        Ok(()) => std::panic::set_hook(Box::new(|panic| {
            let location = panic.location().map(ToString::to_string);
            let message = panic.payload_as_str().unwrap_or_default();
            tracing::error!(panic.location = location, panic.message = message, "A panic");
        })),
        Err(error) => tracing::debug!(%error, "The log had been started before"),
    }
}
