//! Those who watch the portal from outside: who may read metrics, and who gets traces.

use std::net::SocketAddr;

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
    /// The address of an OpenTelemetry collector, without a slash at its end.
    pub endpoint: String,
    /// Headers for it, by name.
    pub headers: Vec<(String, SecretString)>,
    /// The portal's name in traces.
    pub service_name: String,
}
