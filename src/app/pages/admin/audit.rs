//! The audit log: `/admin/audit`.

use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::Unavailable;
use super::filter::{Choice, Field, NextPage, NoList, Table, address};
use crate::api::{caller, forbid_storing, service};
use crate::app::pages::PageTitle;
use crate::app::words::admin as words;
use crate::server::audit::{AuditAction, AuditEntry};
use crate::server::stacks::admin::{AuditLine, AuditPage, AuditQuery};
use crate::server::visible::escaped;
use crate::wire::ApiError;

/// Renders the audit log.
#[component]
pub fn AuditLogPage() -> impl IntoView {
    forbid_storing();
    let query = use_query_map().get_untracked();
    let said = |name| query.get(name).unwrap_or_default();
    let asked = AuditQuery {
        who: said("who"),
        act: said("act"),
        target: said("target"),
        since: said("since"),
        before: said("before"),
    };
    let known = service().and_then(|service| Ok((service, caller()?)));
    Suspend::new(async move {
        let found = match known {
            Ok((service, caller)) => service.audit(&caller, &asked).await,
            Err(error) => Err(error),
        };
        match found {
            Err(error) if error.status() != 400 => view! { <Unavailable error /> }.into_any(),
            found => view! { <AuditLog found asked /> }.into_any(),
        }
    })
}

/// Renders the filter, and a page of matching entries.
#[component]
fn AuditLog(
    /// The entries, or the error of the filter.
    found: Result<AuditPage, ApiError>,
    /// The filter.
    asked: AuditQuery,
) -> impl IntoView {
    let list = match found {
        Ok(AuditPage { lines, next }) => {
            let next = next.map(|next| page_after(&asked, next));
            Either::Left(view! {
                <AuditTable lines />
                <NextPage address=next />
            })
        }
        Err(error) => Either::Right(view! { <NoList error /> }),
    };
    view! {
        <PageTitle text=words::AUDIT_LOG />
        <div class="admin">
            <header class="admin__head">
                <h1 id="audit">{words::AUDIT_LOG}</h1>
                <a href="/admin">{words::ADMIN}</a>
            </header>
            <section class="admin__part" aria-labelledby="audit">
                <AuditFilterForm asked />
                {list}
            </section>
        </div>
    }
}

fn page_after(asked: &AuditQuery, number: i64) -> String {
    let AuditQuery { who, act, target, since, .. } = asked;
    let before = number.to_string();
    let parameters =
        [("who", who), ("act", act), ("target", target), ("since", since), ("before", &before)];
    address("/admin/audit", &parameters.map(|(name, value)| (name, value.as_str())))
}

#[component]
fn AuditFilterForm(asked: AuditQuery) -> impl IntoView {
    let AuditQuery { who, act, target, since, before: _ } = asked;
    let acts =
        AuditAction::ALL.iter().map(|act| (act.as_str().to_owned(), words::act(*act).to_owned()));
    let [actor_label, action_label, target_label, since_label] = words::AUDIT_FILTER;
    let [an_actor, a_target, a_day] = words::AUDIT_EXAMPLES;
    view! {
        <form class="filter" action="/admin/audit" method="get">
            <Field label=actor_label name="who" example=an_actor value=who />
            <Choice label=action_label name="act" options=acts.collect() chosen=act />
            <Field label=target_label name="target" example=a_target value=target />
            <Field label=since_label name="since" example=a_day value=since />
            <button class="button" type="submit">
                {words::SHOW}
            </button>
        </form>
    }
}

#[component]
fn AuditTable(lines: Vec<AuditLine>) -> impl IntoView {
    if lines.is_empty() {
        return Either::Left(view! { <p class="admin__note">{words::NO_ENTRIES}</p> });
    }
    let rows = lines.into_iter().map(|line| view! { <AuditRow line /> }).collect_view();
    Either::Right(view! {
        <Table labelled_by="audit" columns=&words::AUDIT_COLUMNS>
            {rows}
        </Table>
    })
}

#[component]
fn AuditRow(line: AuditLine) -> impl IntoView {
    let AuditLine { number, name, entry } = line;
    let AuditEntry { at, who, act, target, from, outcome } = entry;
    let theirs = address("/admin/audit", &[("who", &who)]);
    let name = name.unwrap_or_else(|| who.clone());
    let of_it = target.as_deref().map(|target| address("/admin/audit", &[("target", target)]));
    view! {
        <tr data-number=number>
            <td class="table__line">{words::second(at)}</td>
            <td>
                <a href=theirs title=who>
                    <bdi>{name}</bdi>
                </a>
            </td>
            <td class="table__line">{words::act(act)}</td>
            <td>{target.map(|target| view! { <a href=of_it><bdi>{escaped(&target).into_owned()}</bdi></a> })}</td>
            <td>{outcome}</td>
            <td>{from.map(|from| from.to_string())}</td>
        </tr>
    }
}
