//! Checks whether the addresses of stacks answer although there is no stack: with such a catch-all
//! no deployment would begin, since something else answers at its address already.

use std::{sync::Arc, time::Duration};

use super::{
    probe::{Health, Probe},
    settings::StackSettings,
};

/// The time that the address may take to answer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// Looks once, and warns in the log; nobody waits for it.
pub(crate) fn look(probe: Arc<dyn Probe>, stack: Arc<StackSettings>, random: u128) {
    drop(tokio::spawn(async move {
        if let Some(warning) = warning(&*probe, &stack, random).await {
            tracing::warn!("{warning}");
        }
    }));
}

/// Asks an address that no stack can have, made of `random`, and returns what to warn of.
pub(crate) async fn warning(
    probe: &dyn Probe,
    stack: &StackSettings,
    random: u128,
) -> Option<String> {
    // Longer than a stack's name may be, so it is nobody's.
    let host = format!("no-stack-{random:032x}.{}", stack.suffix);
    let url = stack.health_url(&host);
    if probe.check(&url, PROBE_TIMEOUT).await != Health::Healthy {
        return None;
    }
    Some(format!(
        "{url} answers with success although no stack has this address: something answers for \
         every name under {}, and each deployment would end with ADDRESS_IN_USE. Check for a \
         catch-all route, a landing page or another web server there",
        stack.suffix
    ))
}
