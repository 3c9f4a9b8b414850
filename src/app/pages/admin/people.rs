//! The sections of the operators' page about people and limits.

use leptos::either::Either;
use leptos::prelude::*;

use super::filter::{Fact, OwnerLink, Table};
use crate::app::words::admin as words;
use crate::server::auth::access::Role;
use crate::server::settings::Quotas;
use crate::server::stacks::admin::{Owner, PersonLine};

/// Renders the people who signed in last.
#[component]
pub fn PersonSection(
    /// The people.
    people: Vec<PersonLine>,
    /// True if there are more.
    has_more: bool,
) -> impl IntoView {
    let table = if people.is_empty() {
        Either::Left(view! { <p class="admin__note">{words::NO_PEOPLE}</p> })
    } else {
        Either::Right(view! { <PersonTable people /> })
    };
    let more = has_more.then(|| view! { <p class="admin__note">{words::MORE_PEOPLE}</p> });
    view! {
        <section class="admin__part" aria-labelledby="people">
            <h2 id="people">{words::PEOPLE}</h2>
            {table}
            {more}
        </section>
    }
}

#[component]
fn PersonTable(people: Vec<PersonLine>) -> impl IntoView {
    let rows = people.into_iter().map(|line| view! { <PersonRow line /> }).collect_view();
    view! {
        <Table labelled_by="people" columns=&words::PERSON_COLUMNS>
            {rows}
        </Table>
    }
}

#[component]
fn PersonRow(line: PersonLine) -> impl IntoView {
    let PersonLine { owner, role, seen, usage } = line;
    let is_operator = role == Role::Operator;
    let revoke_access = view! { <RevokeAccess owner=owner.clone() /> };
    view! {
        <tr>
            <th scope="row">
                <OwnerLink owner=Some(owner) /> {is_operator.then_some(words::IS_OPERATOR)}
            </th>
            <td>{usage.stacks}</td>
            <td>{usage.under_way}</td>
            <td>{usage.begun.len()}</td>
            <td class="table__line">{words::minute(seen)}</td>
            <td>{revoke_access}</td>
        </tr>
    }
}

/// Renders the form that revokes a person's access, inside of a disclosure.
#[component]
fn RevokeAccess(owner: Owner) -> impl IntoView {
    view! {
        <details class="disclosure shut-out">
            <summary>
                {words::SIGN_OUT} <span class="visually-hidden">" " <bdi>{owner.name.clone()}</bdi></span>
            </summary>
            <form action="/admin/people/sign-out" method="post">
                <p>{words::SIGN_OUT_LEAD}</p>
                <input type="hidden" name="id" value=owner.id.to_string() />
                <button class="button" type="submit">
                    {words::SIGN_OUT_EVERYWHERE}
                    <span class="visually-hidden">": " <bdi>{owner.name.clone()}</bdi></span>
                </button>
            </form>
        </details>
    }
}

/// Renders the limits, and the usage of the limit of the whole portal.
#[component]
pub fn LimitSection(
    /// The quotas of one owner.
    quotas: Quotas,
    /// The number of deployments in progress.
    under_way: usize,
) -> impl IntoView {
    let limits = words::limits(&quotas).map(|(label, value)| view! { <Fact label value /> });
    let in_progress = words::of_all(under_way, quotas.under_way_in_all);
    view! {
        <section class="admin__part" aria-labelledby="limits">
            <h2 id="limits">{words::LIMITS}</h2>
            <dl class="facts">
                <Fact label=words::IN_PROGRESS value=in_progress />
                {limits.collect_view()}
            </dl>
        </section>
    }
}
