//! Makes the health probe from the settings.

use crate::server::{
    origin::Scheme,
    probe::{AddressPolicy, BuildProbeError, HttpProbe, Trust},
    settings::{ProbeSettings, Settings},
};

/// Creates the health probe.
pub(crate) fn probe(settings: &Settings) -> Result<HttpProbe, BuildProbeError> {
    let ProbeSettings { ca_file, verify_tls, allow_private } = &settings.probe;
    let trust = match (settings.stack.scheme, verify_tls, ca_file) {
        (Scheme::Http, _, _) => Trust::PlainHttp,
        (Scheme::Https, false, _) => Trust::Unverified,
        (Scheme::Https, true, Some(path)) => Trust::SystemAnd(path.clone()),
        (Scheme::Https, true, None) => Trust::System,
    };
    let policy = if *allow_private { AddressPolicy::AnyAddress } else { AddressPolicy::Public };
    HttpProbe::new(&trust, policy)
}
