//! The templates to choose from, as cards.

use leptos::prelude::*;

use super::name_query;
use crate::app::words::new as words;
use crate::server::page::NEW;
use crate::wire::TemplateView;

/// The number of templates from which on they can be searched.
const SEARCHED_FROM: usize = 8;

/// Renders the templates. The search needs the page's code, and is hidden without it.
#[component]
pub fn Cards(
    /// The templates.
    templates: Vec<TemplateView>,
    /// The name of the stack, if the address has one.
    name: Option<String>,
) -> impl IntoView {
    if templates.is_empty() {
        return view! { <p class="cards__none">{words::NO_TEMPLATES}</p> }.into_any();
    }
    let query = name.map(|name| name_query(&name)).unwrap_or_default();
    let search = (templates.len() >= SEARCHED_FROM).then(|| {
        view! {
            <div class="cards__search needs-script">
                <label for="search">{words::SEARCH}</label>
                <input id="search" type="search" autocomplete="off" />
            </div>
        }
    });
    let cards =
        templates.into_iter().map(|template| view! { <Card template query=query.clone() /> });
    view! {
        <leptos-island data-component="card_search">
            {search} <ul class="cards">{cards.collect_view()}</ul>
            <p class="cards__none" role="status" hidden>
                {words::NOT_FOUND}
            </p>
        </leptos-island>
    }
    .into_any()
}

/// Renders a template.
#[component]
fn Card(
    /// The template.
    template: TemplateView,
    /// The query of the address of its form.
    query: String,
) -> impl IntoView {
    let TemplateView { id, name, summary, icon, usual, .. } = template;
    let icon = if let Some(src) = icon {
        view! { <img class="card__icon" src=src alt="" width="40" height="40" /> }.into_any()
    } else {
        let first: String = name.chars().take(1).collect();
        view! { <span class="card__icon card__icon--none" aria-hidden="true">{first}</span> }
            .into_any()
    };
    let usual = usual.map(|usual| view! { <p class="card__usual">{words::usual(usual)}</p> });
    view! {
        <li class="card">
            {icon} <h2 class="card__name">
                <a href=format!("{NEW}/{id}{query}")>{name}</a>
            </h2> <p class="card__summary">{summary}</p> {usual}
        </li>
    }
}
