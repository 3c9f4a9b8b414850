//! The page with the log of a stack: `/stacks/<name>/logs`.
//!
//! It shows the last lines, those with a text if the address asks for that. With scripts, `log.js` adds
//! the lines to come.

use std::sync::{Arc, LazyLock};

use jiff::Timestamp;
use leptos::either::Either;
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::stack::{Tab, stack_page};
use crate::api::{caller, service};
use crate::app::inline;
use crate::app::words::logs as words;
use crate::server::page::query_value;
use crate::server::stacks::{LogFilter, LogItem, OwnStack, PAGE_LINES, deployment_id};
use crate::wire::ApiError;
use domain::last_log::LastLog;
use domain::refusal::RefusalCode;

/// Adds the lines to come, and shows the buttons that need it.
static SCRIPT: LazyLock<String> = LazyLock::new(|| inline::script(include_str!("../log.js")));

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
    let search = use_query_map().with_untracked(|query| query.get("search"));
    let search = search.filter(|text| !text.is_empty());
    stack_page(Tab::Logs, move |stack: Arc<OwnStack>| async move {
        let id = stack.is_of_its_id.then(|| stack.id.to_string());
        let asked = Asked { name: stack.view.name.to_string(), id, search };
        match log(&asked).await {
            Ok(items) => Either::Left(view! { <Log asked items /> }),
            Err(error) => Either::Right(view! { <p class="refused">{error.message}</p> }),
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
    let stream = asked.address(&format!("{api}/stream"), &[&go_on(&asked, &items)]);
    let download = asked.address(&api, &["download=1"]);
    let label = words::title(&asked.name);
    let nothing = items.is_empty().then(|| words::nothing(asked.search.as_deref()));
    let searched = asked.search.is_some().then_some("");
    let (id, search) = (asked.id, asked.search);
    let lines = items.into_iter().map(|item| view! { <Line item /> }).collect_view();
    view! {
        <div
            class="log-view"
            data-log=""
            data-stream=stream
            data-searched=searched
            data-live=words::LIVE
            data-paused=words::PAUSED
            data-lost=words::LOST
            data-ended=words::ENDED
            data-pause=words::PAUSE
            data-resume=words::RESUME
            data-container=words::container("{}")
            data-gap=words::GAP
            data-gap-one=words::gap(1)
            data-cut=words::CUT
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
            <p class="actions" id="log-tools" hidden>
                <button class="button" type="button" id="log-pause">
                    {words::PAUSE}
                </button>
                <button class="button" type="button" id="log-wrap" aria-pressed=true.to_string()>
                    {words::WRAP}
                </button>
                <button class="button" type="button" id="log-end">
                    {words::TO_END}
                </button>
            </p>
            <p class="log-status" id="log-status" role="status">
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
            <script nonce=use_nonce()>{SCRIPT.as_str()}</script>
        </div>
    }
}

/// Returns where the stream begins that goes on after these lines, as its query says. Of the lines
/// without the text that was looked for, the page shows those to come.
fn go_on(asked: &Asked, items: &[LogItem]) -> String {
    match (&asked.search, items.iter().rev().find_map(LogItem::id)) {
        (Some(_), _) => "tail=0".to_owned(),
        (None, Some(last)) => format!("after={}", query_value(&last)),
        (None, None) => format!("tail={PAGE_LINES}"),
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
            view! { <TimedLine at=line.at text=line.text is_cut=line.is_cut /> }.into_any()
        }
        LogItem::Container(name) => between(words::container(&name)).into_any(),
        LogItem::Gap(skipped) => between(words::gap(skipped)).into_any(),
    }
}

/// Renders a line of a container with the time of the day; the whole time is in the markup.
#[component]
fn TimedLine(
    /// The time at which it was written.
    at: Timestamp,
    /// Its text.
    text: String,
    /// True if its end is left out.
    is_cut: bool,
) -> impl IntoView {
    let time = format!("{at:.9}");
    let end = is_cut.then_some(words::CUT);
    view! {
        <p class="log__line">
            <time class="log__time" datetime=time>
                {words::time(at)}
            </time>
            <span class="log__message" translate="no">
                {text}
                {end}
            </span>
        </p>
    }
}

fn between(sentence: String) -> impl IntoView {
    view! { <p class="log__line" data-level="warn"><span class="log__message">{sentence}</span></p> }
}

/// Renders what a container wrote last, and how it ended.
#[component]
pub fn LastLines(
    /// What it wrote.
    last_log: LastLog,
    /// True if the operation has failed, perhaps for what the lines say.
    has_failed: bool,
) -> impl IntoView {
    let heading = if has_failed { words::WHY } else { words::LAST };
    let end = words::end(last_log.exit_code, last_log.out_of_memory);
    let nothing = last_log.lines.is_empty().then(|| words::no_lines(last_log.log));
    // Each was stored with its time before it.
    let line = |line: String| match line.split_once(' ').map(|(at, text)| (at.parse(), text)) {
        Some((Ok(at), text)) => {
            view! { <TimedLine at text=text.to_owned() is_cut=false /> }.into_any()
        }
        Some((Err(_), _)) | None => view! {
            <p class="log__line">
                <span class="log__message" translate="no">
                    {line}
                </span>
            </p>
        }
        .into_any(),
    };
    view! {
        <section class="account log__last" aria-labelledby="last-log">
            <h2 id="last-log">{heading}</h2>
            {end.map(|end| view! { <p>{end}</p> })}
            {nothing.map(|nothing| view! { <p>{nothing}</p> })}
            {(!last_log.lines.is_empty())
                .then(|| {
                    view! {
                        <div
                            class="log__lines"
                            role="log"
                            aria-live="off"
                            aria-labelledby="last-log"
                            tabindex="0"
                        >
                            {last_log.lines.into_iter().map(line).collect_view()}
                        </div>
                    }
                })}
        </section>
    }
}
