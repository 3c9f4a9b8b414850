//! The section of the operators' page about the data of removed stacks.

use leptos::either::Either;
use leptos::prelude::*;

use super::filter::{OwnerLink, Table};
use crate::app::words::admin as words;
use crate::server::page::page_of;
use crate::server::stacks::admin::KeptLine;
use crate::server::store::{DataUser, KeptState};

/// Renders what is kept, whoever owns it.
#[component]
pub fn KeptSection(
    /// What is kept, or the first part of it.
    kept: Vec<KeptLine>,
    /// The number of all that is kept.
    in_all: usize,
) -> impl IntoView {
    let note = words::kept(in_all, kept.len());
    let table = (!kept.is_empty()).then(|| {
        let rows = kept.into_iter().map(|line| view! { <KeptRow line /> }).collect_view();
        view! {
            <Table labelled_by="kept" columns=&words::KEPT_COLUMNS>
                {rows}
            </Table>
        }
    });
    view! {
        <section class="admin__part" aria-labelledby="kept">
            <h2 id="kept">{words::KEPT}</h2>
            <p class="admin__note">{note}</p>
            {table}
        </section>
    }
}

#[component]
fn KeptRow(line: KeptLine) -> impl IntoView {
    let KeptLine { data, owner } = line;
    let state = match &data.state {
        KeptState::InUse(DataUser { deployment, name, .. }) => Either::Left(view! {
            {words::USED_BY}
            <a href=page_of(deployment)>{name.to_string()}</a>
        }),
        KeptState::Removing | KeptState::Kept | KeptState::Lost(_) | KeptState::Deleting => {
            Either::Right(words::kept_state(&data.state))
        }
    };
    let volumes =
        data.volumes.iter().map(|volume| view! { <code>{volume.name.clone()}</code> " " });
    view! {
        <tr>
            <th scope="row">
                <a href=page_of(&data.stack.deployment())>{data.name.to_string()}</a>
            </th>
            <td>{data.template.clone()}</td>
            <td>
                <OwnerLink owner />
            </td>
            <td>{state}</td>
            <td class="table__line">{words::minute(data.until)}</td>
            <td>{volumes.collect_view()}</td>
        </tr>
    }
}
