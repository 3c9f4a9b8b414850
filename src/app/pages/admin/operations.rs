//! The section of the operators' page with all operations and a filter.

use leptos::either::Either;
use leptos::prelude::*;

use super::filter::{Choice, Field, NextPage, NoList, OwnerLink, Table, address};
use crate::app::kind;
use crate::app::words::admin as words;
use crate::server::stacks::admin::{OperationLine, OperationPage, OperationQuery, Owner};
use crate::server::store::{Record, State};
use crate::wire::ApiError;

/// Renders the filter, and a page of matching operations.
#[component]
pub fn OperationSection(
    /// The operations, or why they cannot be shown.
    operations: Result<OperationPage, ApiError>,
    /// The filter.
    asked: OperationQuery,
    /// People to choose from.
    owners: Vec<Owner>,
) -> impl IntoView {
    let list = match operations {
        Ok(OperationPage { lines, next }) => {
            let next = next.map(|next| {
                let OperationQuery { owner, state, search, .. } = &asked;
                let parameters = [
                    ("owner", owner.as_str()),
                    ("state", state),
                    ("search", search),
                    ("before", next.as_str()),
                ];
                address("/admin", &parameters) + "#operations"
            });
            Either::Left(view! {
                <OperationTable lines />
                <NextPage address=next />
            })
        }
        Err(error) => Either::Right(view! { <NoList error /> }),
    };
    view! {
        <section class="admin__part" aria-labelledby="operations">
            <h2 id="operations">{words::OPERATIONS}</h2>
            <OperationFilterForm asked owners />
            {list}
        </section>
    }
}

#[component]
fn OperationFilterForm(asked: OperationQuery, owners: Vec<Owner>) -> impl IntoView {
    let OperationQuery { owner, state, search, before: _ } = asked;
    let mut people: Vec<_> =
        owners.into_iter().map(|owner| (owner.id.to_string(), owner.name)).collect();
    // The owner in the filter may be a browser, or a person whose sign-in is too long ago for the
    // list.
    if !owner.is_empty() && people.iter().all(|(id, _)| *id != owner) {
        people.push((owner.clone(), owner.clone()));
    }
    let states = State::ALL
        .iter()
        .map(|state| (state.as_str().to_owned(), words::any_kind(*state).to_owned()));
    let [person, state_label, name_or_id] = words::OPERATION_FILTER;
    view! {
        <form class="filter" action="/admin#operations" method="get">
            <Choice label=person name="owner" options=people chosen=owner />
            <Choice label=state_label name="state" options=states.collect() chosen=state />
            <Field label=name_or_id name="search" value=search />
            <button class="button" type="submit">
                {words::SHOW}
            </button>
        </form>
    }
}

#[component]
fn OperationTable(lines: Vec<OperationLine>) -> impl IntoView {
    if lines.is_empty() {
        return Either::Left(view! { <p class="admin__note">{words::NO_OPERATIONS}</p> });
    }
    let rows = lines.into_iter().map(|line| view! { <OperationRow line /> }).collect_view();
    Either::Right(view! {
        <Table labelled_by="operations" columns=&words::OPERATION_COLUMNS>
            {rows}
        </Table>
    })
}

#[component]
fn OperationRow(line: OperationLine) -> impl IntoView {
    let OperationLine { record, end, owner, is_down, platform_log } = line;
    let Record { deployment, state, metadata, .. } = record;
    let kind = kind(deployment.kind);
    let down = is_down.then_some(words::NOT_RUNNING);
    view! {
        <tr data-state=state.as_str()>
            <th scope="row">
                <a href=format!("/deployments/{}", deployment.id)>{deployment.name.to_string()}</a>
                {words::kind(kind)}
            </th>
            <td>{words::state(kind, state, end.as_ref())} {down} {platform_log.map(|log| view! { <PlatformLog log /> })}</td>
            <td>
                <OwnerLink owner />
            </td>
            <td class="table__line">{words::second(deployment.started)}</td>
            <td class="table__line">{metadata.completed.map(words::second)}</td>
            <td>{deployment.id.reference()}</td>
        </tr>
    }
}

/// Renders the last lines of the platform's log, collapsed.
#[component]
fn PlatformLog(log: String) -> impl IntoView {
    view! {
        <details class="disclosure">
            <summary>{words::PLATFORM_LOG}</summary>
            <pre class="table__log" tabindex="0">
                {log}
            </pre>
        </details>
    }
}
