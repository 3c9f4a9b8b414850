//! The settings of outgoing connections: health probes, proxies and authorities.

use std::path::PathBuf;

use transport::{Proxies, ProxyAddress};

/// The settings of health probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeSettings {
    /// A file with certificate authorities to trust for stacks, besides all others.
    pub ca_file: Option<PathBuf>,
    /// True if a stack's certificate must be valid.
    pub verify_tls: bool,
    /// True if a stack's host may resolve to a private or loopback address.
    pub allow_private: bool,
    /// The proxy between the portal and stacks.
    pub proxy: Option<ProxyAddress>,
}

/// How the portal reaches others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboundSettings {
    /// A file with certificate authorities to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// The proxies between the portal, and the identity provider and the platform.
    pub proxies: Proxies,
}
