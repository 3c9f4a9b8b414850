//! Checks whether addresses without a stack answer. With such a catch-all every deployment would
//! end with `ADDRESS_IN_USE`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use super::probe::Probe;
use super::settings::StackSettings;

/// The time limit of the probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Checks once in the background, and logs a warning if there is a catch-all.
pub(crate) fn check_in_background(
    probe: Arc<dyn Probe>,
    stack: Arc<StackSettings>,
    paths: BTreeSet<String>,
    random: u128,
) {
    drop(tokio::spawn(async move {
        if let Some(warning) = warning(&*probe, &stack, &paths, random).await {
            tracing::warn!("{warning}");
        }
    }));
}

/// Probes these paths of an address made from `random` that no stack can have, and returns a warning
/// if one answers with success.
pub(crate) async fn warning(
    probe: &dyn Probe,
    stack: &StackSettings,
    paths: &BTreeSet<String>,
    random: u128,
) -> Option<String> {
    // This is longer than a stack's name may be, so it is no stack's address.
    let host = format!("no-stack-{random:032x}.{}", stack.suffix);
    let origin = stack.url_of_host(&host);
    let checks = paths.iter().map(async |path| {
        let url = format!("{origin}{path}");
        probe.check(&url, PROBE_TIMEOUT).await.is_success().then_some(url)
    });
    let url = join_all(checks).await.into_iter().flatten().next()?;
    Some(format!(
        "{url} answers with success although no stack has this address: something answers for \
         every name under {}, and each deployment would end with ADDRESS_IN_USE. Check for a \
         catch-all route, a landing page or another web server there",
        stack.suffix
    ))
}
