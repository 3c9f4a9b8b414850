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
    let [platform, problem, breaker, database, stuck, panics] = words::FACTS;
    let found = health.problem.map(words::problem);
    let found = found.map(|value| view! { <Fact label=problem value /> });
    view! {
        <section class="admin__part" aria-labelledby="health">
            <h2 id="health">{words::HEALTH}</h2>
            <dl class="facts">
                <Fact label=platform value=words::platform(&health) />
                {found}
                <Fact label=breaker value=words::breaker(&health.breaker) />
                <Fact label=database value=words::database(&health) />
                <Fact label=stuck value=health.stuck.to_string() />
                <Fact label=panics value=words::panics(health.panics) />
            </dl>
        </section>
    }
}
