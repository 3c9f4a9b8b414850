//! Makes sure that nothing answers at the stack's address yet: otherwise the health step would
//! later mistake it for the stack (promise P15).
//!
//! The step creates nothing, and probes only the address. Once recorded as done it is not repeated,
//! since the stack's own route answers from then on.

use std::time::Duration;

use super::routes;
use crate::server::local_fault::LocalFault;
use crate::server::probe::Health;
use crate::server::saga::context::Context;
use crate::server::saga::failure::StepError;
use crate::server::saga::local_faults;
use crate::server::saga::step::Step;
use crate::server::settings::Deadlines;
use crate::server::store::StepId;
use domain::event::FailureCode;
use domain::message::MessageCode;
use domain::template::HealthPath;
use domain::time::elapsed_ms;

/// The time limit of one probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
/// The time for which the step waits for the route of a previous stack to disappear.
const ROUTE_REMOVAL_TIMEOUT: Duration = Duration::from_secs(15);
/// The pause between probes.
const PAUSE: Duration = Duration::from_millis(500);

/// Makes sure that nothing answers at the address.
pub(crate) struct CheckAddressFree;

impl Step for CheckAddressFree {
    const ID: StepId = StepId::ADDRESS;
    type Output = ();

    /// The step has a limit of its own: its phase, from which a step's deadline counts, includes
    /// the wait for a worker's slot.
    fn limit(deadlines: &Deadlines) -> Duration {
        deadlines.whole
    }

    async fn run(&self, cx: &Context) -> Result<(), StepError> {
        let since = cx.clock.now();
        loop {
            let url = match look(cx).await {
                Look::Answers(url) => url,
                Look::Free => break,
                // A local fault says nothing about the address.
                Look::LocalFault(fault, reason) => {
                    cx.show_local_fault("address.probe", fault, &reason).await?;
                    cx.wait(local_faults::PROBE_PAUSE).await?;
                    continue;
                }
            };
            let waited = Duration::from_millis(elapsed_ms(since, cx.clock.now()));
            let waited = waited.saturating_sub(cx.local_fault_time(since));
            if waited >= ROUTE_REMOVAL_TIMEOUT {
                // Who starts a stack chooses its name, and with it the address.
                tracing::info!(
                    %url,
                    "Something other than a stack of this portal answers at this address: check \
                     for a DNS record of this name that overrides the wildcard record, and for a \
                     catch-all route or landing page"
                );
                return Err(in_use(&cx.host));
            }
            cx.journal.set_message(MessageCode::WaitingForAddress).await?;
            cx.wait(PAUSE.min(cx.longest(ROUTE_REMOVAL_TIMEOUT.saturating_sub(waited)))).await?;
        }
        cx.journal.clear_message(|code| *code == MessageCode::WaitingForAddress).await?;
        Ok(cx.clear_local_fault().await?)
    }
}

/// The result of probing all paths of the health check.
enum Look {
    /// This one answers as the stack would.
    Answers(String),
    /// None does.
    Free,
    /// A local fault of the portal prevented the probe. Contains the reason.
    LocalFault(LocalFault, String),
}

async fn look(cx: &Context) -> Look {
    for one in &cx.spec.stack.health.paths {
        let url = cx.url_of(&one.path);
        match cx.probe.check(&url, PROBE_TIMEOUT).await {
            Health::Answering(status) if is_good(one, status) => return Look::Answers(url),
            Health::LocalFault(fault, reason) => return Look::LocalFault(fault, reason),
            Health::Answering(_) | Health::Silent(_) | Health::Untrusted(_) => {}
        }
    }
    Look::Free
}

/// Returns whether the answer could be taken for that of a stack that works. The reverse proxy's own
/// answers are none.
fn is_good(path: &HealthPath, status: u16) -> bool {
    let is_success = (200..300).contains(&status);
    is_success || path.accepts(status) && !routes::is_of_router(status)
}

fn in_use(host: &str) -> StepError {
    let message = MessageCode::AddressInUse { host: host.to_owned() };
    StepError::failed(FailureCode::AddressInUse, message)
}
