//! The section of the operators' page about the health of the portal, the platform and the
//! database.

use leptos::prelude::*;

use super::filter::Fact;
use crate::app::words::admin as words;
use crate::server::stacks::Health;

/// Renders the section, with one line for each part.
#[component]
pub fn HealthSection(
    /// The health of all parts.
    health: Health,
) -> impl IntoView {
    let platform = words::platform(health.sandbox, health.platform_reachable);
    let problem = health.problem.map(words::problem);
    let problem = problem.map(|value| view! { <Fact label=words::PROBLEM value /> });
    let database = words::database(health.store_kind, health.store_ok);
    view! {
        <section class="admin__part" aria-labelledby="health">
            <h2 id="health">{words::HEALTH}</h2>
            <dl class="facts">
                <Fact label=words::PLATFORM value=platform />
                {problem}
                <Fact label=words::BREAKER value=words::breaker(&health.breaker) />
                <Fact label=words::DATABASE value=database />
                <Fact label=words::STUCK value=health.stuck.to_string() />
                <Fact label=words::PANICS value=words::panics(health.panics) />
            </dl>
        </section>
    }
}
