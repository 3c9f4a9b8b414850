//! Those who watch the portal from outside: who may read metrics, and who gets traces.

use std::net::SocketAddr;
use std::time::Duration;

use secrecy::SecretString;

/// Who may read the metrics, and where. If neither is set, nobody.
#[derive(Clone, Debug, Default)]
pub struct MetricsSettings {
    /// An address that serves nothing else; `None` for the portal's own.
    pub addr: Option<SocketAddr>,
    /// The bearer token that is needed; `None` if the address alone protects them.
    pub token: Option<SecretString>,
}

/// Who gets traces of operations.
#[derive(Clone, Debug)]
pub struct TraceSettings {
    /// The address of an OpenTelemetry collector for traces.
    pub endpoint: String,
    /// Headers for it, by name.
    pub headers: Vec<(String, SecretString)>,
    /// The time limit of a call to it, repetitions included.
    pub timeout: Duration,
    /// The portal's name in traces.
    pub service_name: String,
    /// Other attributes of the portal in traces, by name.
    pub attributes: Vec<(String, String)>,
    /// How many spans are sent together, and when.
    pub batch: BatchSettings,
}

/// How many spans are sent together, and when.
#[derive(Clone, Copy, Debug)]
pub struct BatchSettings {
    /// The time after which waiting spans are sent.
    pub delay: Duration,
    /// How many spans may wait.
    pub queue: usize,
    /// The number of spans that are sent at once.
    pub most: usize,
}
