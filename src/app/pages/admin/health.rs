//! The section of the operators' page about the health of the portal, the platform and the
//! database.

use leptos::prelude::*;

use crate::app::words::admin as words;
use crate::server::stacks::Health;
use domain::words::fault;

/// Renders the section, with one line for each part.
#[component]
pub fn HealthSection(
    /// The health of all parts.
    health: Health,
) -> impl IntoView {
    let kind = if health.sandbox { "the sandbox" } else { "Dokploy" };
    let platform = if health.platform_reachable { "answers" } else { "does not answer" };
    let store = if health.store_ok { "answers" } else { "does not accept writes" };
    let breaker = words::breaker(health.breaker.state, health.breaker.consecutive_failures);
    let wait = health.breaker.retry_after.map(|wait| format!(", for {} s", wait.as_secs() + 1));
    let problem = health.problem.map(|problem| {
        view! {
            <div>
                <dt>"Problem"</dt>
                <dd>{format!("{}: {}.", problem.code(), fault::advice(problem))}</dd>
            </div>
        }
    });
    view! {
        <section class="admin__part" aria-labelledby="health">
            <h2 id="health">"Health"</h2>
            <dl class="facts">
                <div>
                    <dt>"Platform"</dt>
                    <dd>{format!("{kind} {platform}")}</dd>
                </div>
                {problem}
                <div>
                    <dt>"Circuit breaker"</dt>
                    <dd>{breaker + &wait.unwrap_or_default()}</dd>
                </div>
                <div>
                    <dt>"Database"</dt>
                    <dd>{format!("{} {store}", health.store_kind)}</dd>
                </div>
                <div>
                    <dt>"Stuck"</dt>
                    <dd>{health.stuck.to_string()}</dd>
                </div>
                <div>
                    <dt>"Panics"</dt>
                    <dd>{words::panics(health.panics)}</dd>
                </div>
            </dl>
        </section>
    }
}
