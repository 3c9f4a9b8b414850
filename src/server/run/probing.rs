//! How stacks are asked, by the settings.

use crate::server::{
    probe::{BuildProbeError, HttpProbe, Reach, Trust},
    settings::{ProbeSettings, Scheme, Settings},
};

/// Makes what asks stacks how they are.
pub(crate) fn probe(settings: &Settings) -> Result<HttpProbe, BuildProbeError> {
    let ProbeSettings { ca_file, verify_tls, allow_private } = &settings.probe;
    let trust = match (settings.stack.scheme, verify_tls, ca_file) {
        (Scheme::Http, _, _) => Trust::Nobody,
        (Scheme::Https, false, _) => Trust::Anybody,
        (Scheme::Https, true, Some(path)) => Trust::SystemAnd(path.clone()),
        (Scheme::Https, true, None) => Trust::System,
    };
    let reach = if *allow_private { Reach::Everywhere } else { Reach::Public };
    HttpProbe::new(&trust, reach)
}
