//! The section of the operators' page about the stacks that there are.

use leptos::prelude::*;

use super::filter::{Fact, Table};
use crate::api::service;
use crate::app::words::{admin as words, stack};
use crate::server::stacks::admin::{StackCounts, VersionLine};

/// Renders how many stacks there are in which state, and of which version of which template.
#[component]
pub fn StackSection(
    /// The numbers.
    counts: StackCounts,
) -> impl IntoView {
    let StackCounts { states, versions } = counts;
    let in_all = states.iter().map(|(_, count)| count).sum();
    let facts = (in_all > 0).then(|| {
        let fact = |(status, count): (_, usize)| {
            view! { <Fact label=stack::state(status) value=count.to_string() /> }
        };
        view! { <dl class="facts">{states.into_iter().map(fact).collect_view()}</dl> }
    });
    let table = (in_all > 0).then(|| {
        let rows = versions.into_iter().map(|line| view! { <VersionRow line /> }).collect_view();
        view! {
            <Table labelled_by="stacks" columns=&words::VERSION_COLUMNS>
                {rows}
            </Table>
        }
    });
    view! {
        <section class="admin__part" aria-labelledby="stacks">
            <h2 id="stacks">{words::STACKS}</h2>
            <p class="admin__note">{words::stacks(in_all)}</p>
            {facts}
            {table}
        </section>
    }
}

#[component]
fn VersionRow(line: VersionLine) -> impl IntoView {
    let VersionLine { template, version, stacks, offer } = line;
    let name = service().map_or_else(|_| template.clone(), |it| it.template_name(&template));
    view! {
        <tr>
            <th scope="row">{name} " " <code>{template}</code></th>
            <td>{version.unwrap_or_else(|| words::VERSION_UNKNOWN.to_owned())}</td>
            <td>{stacks}</td>
            <td>{words::version_offer(&offer)}</td>
        </tr>
    }
}
