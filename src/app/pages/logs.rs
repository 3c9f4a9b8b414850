//! The page with the log of a stack: `/stacks/<name>/logs`.
//!
//! It shows the last lines, those with a text if the address asks for that. In a browser with
//! scripts, `controls` goes on with the lines to come.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::notice::UnavailablePage;
use crate::api::{caller, forbid_storing, service};
use crate::app::pages::PageTitle;
use crate::app::words::logs as words;
use crate::server::page::query_value;
use crate::server::stacks::{LogFilter, LogItem, PAGE_LINES, deployment_id};
use crate::wire::ApiError;
use domain::refusal::RefusalCode;

/// Whether a button is pressed.
const ON: &str = "true";
const OFF: &str = "false";

/// The stack whose log is shown, as its address says.
#[derive(Clone, Debug)]
struct Asked {
    name: String,
    /// The id of its deployment, which gives the right to change a stack without an owner.
    id: Option<String>,
    search: Option<String>,
}

impl Asked {
    /// Returns the address of something about the log, with `more` in its query.
    fn address(&self, path: &str, more: &[&str]) -> String {
        let id = self.id.as_ref().map(|id| format!("id={}", query_value(id)));
        let query: Vec<_> = id.iter().map(String::as_str).chain(more.iter().copied()).collect();
        let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
        format!("{path}{query}")
    }
}

/// Renders the log of a stack.
#[component]
pub fn LogPage() -> impl IntoView {
    forbid_storing();
    let name = use_params_map().with_untracked(|params| params.get("name")).unwrap_or_default();
    let query = use_query_map().get_untracked();
    let search = query.get("search").filter(|text| !text.is_empty());
    let asked = Asked { name, id: query.get("id"), search };
    Suspend::new(async move {
        match log(&asked).await {
            Ok(items) => {
                let title = words::title(&asked.name);
                view! {
                    <PageTitle text=title.clone() />
                    <section class="account">
                        <h1 class="account__name">{title}</h1>
                        <Log asked items />
                    </section>
                }
                .into_any()
            }
            Err(error) => view! { <UnavailablePage error /> }.into_any(),
        }
    })
}

/// Reads the lines; none if there is no container.
async fn log(asked: &Asked) -> Result<Vec<LogItem>, ApiError> {
    let of = asked.id.as_deref().map(deployment_id).transpose()?;
    let filter = LogFilter { tail: PAGE_LINES, since: None, search: asked.search.clone() };
    match service()?.log(&caller()?, &asked.name, of.as_ref(), &filter).await {
        Err(error) if error.code == RefusalCode::NoLog => Ok(Vec::new()),
        read => read,
    }
}

/// Renders the tools and the lines.
#[component]
fn Log(
    /// The stack.
    asked: Asked,
    /// The lines.
    items: Vec<LogItem>,
) -> impl IntoView {
    let api = format!("/api/stacks/{}/logs", asked.name);
    let after = items.iter().rev().find_map(LogItem::id);
    let stream = asked.address(&format!("{api}/stream"), &[]);
    let download = asked.address(&api, &["download=1"]);
    let label = words::title(&asked.name);
    let nothing = items.is_empty().then(|| words::nothing(asked.search.as_deref()));
    let (id, search) = (asked.id, asked.search);
    let searched = search.clone();
    let lines = items.into_iter().map(|item| view! { <Line item /> }).collect_view();
    view! {
        <leptos-island
            data-component="log_view"
            data-stream=stream
            data-after=after
            data-search=searched
        >
            <form class="actions" role="search" method="get">
                {id.map(|id| view! { <input type="hidden" name="id" value=id /> })}
                <label for="log-search">{words::SEARCH}</label>
                <input
                    id="log-search"
                    name="search"
                    type="search"
                    value=search
                    autocomplete="off"
                />
                <button class="button" type="submit">
                    {words::FIND}
                </button>
                <a class="button" href=download download>
                    {words::DOWNLOAD}
                </a>
            </form>
            <p class="actions needs-script">
                <button class="button" type="button" id="log-pause" aria-pressed=OFF>
                    {words::PAUSE}
                </button>
                <button class="button" type="button" id="log-wrap" aria-pressed=ON>
                    {words::WRAP}
                </button>
                <button class="button" type="button" id="log-end">
                    {words::TO_END}
                </button>
            </p>
            <p class="log-status" role="status">
                {nothing}
            </p>
            <div
                class="log__lines"
                id="log-lines"
                role="log"
                aria-live="off"
                aria-label=label
                tabindex="0"
            >
                {lines}
            </div>
        </leptos-island>
    }
}

/// Renders a line, or what stands between lines.
#[component]
fn Line(
    /// The line.
    item: LogItem,
) -> impl IntoView {
    match item {
        LogItem::Line(line) => {
            let time = format!("{:.9}", line.at);
            let end = line.is_cut.then_some(words::CUT);
            view! {
                <p class="log__line">
                    <time class="log__time" datetime=time>
                        {words::time(line.at)}
                    </time>
                    <span class="log__message" translate="no">
                        {line.text}
                        {end}
                    </span>
                </p>
            }
            .into_any()
        }
        LogItem::Container(name) => between(words::container(&name)).into_any(),
        LogItem::Gap(skipped) => between(words::gap(skipped)).into_any(),
    }
}

fn between(sentence: String) -> impl IntoView {
    view! { <p class="log__line" data-level="warn"><span class="log__message">{sentence}</span></p> }
}
