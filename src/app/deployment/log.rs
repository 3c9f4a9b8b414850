//! The log: one line for each entry. It scrolls to new lines until the reader scrolls away from the
//! end.

use jiff::Timestamp;
use leptos::html;
use leptos::prelude::*;

use super::DeploymentSignals;
use crate::app::renewed::{Piece, renewed};
use crate::app::words::{deployment as words, time};
use domain::event::{Level, LogEntry};
use domain::time::elapsed_ms;

/// The distance from the end, in pixels, up to which the reader counts as being at the end.
const NEAR: i32 = 24;

/// The minimum duration in milliseconds that a line shows.
const WORTH_SAYING_MS: u64 = 100;

/// Renders the log as a disclosure.
#[component]
pub fn LogPanel(
    /// The start of the deployment, from which the times of the lines count.
    started: Timestamp,
    /// The signals to follow.
    signals: DeploymentSignals,
) -> impl IntoView {
    let ol = NodeRef::<html::Ol>::new();
    let follows = StoredValue::new(true);
    let to_end = move || {
        if let Some(list) = ol.get_untracked()
            && follows.get_value()
        {
            list.set_scroll_top(list.scroll_height());
        }
    };
    let scroll = move |_| {
        if let Some(list) = ol.get_untracked() {
            let below = list.scroll_height() - list.scroll_top() - list.client_height();
            follows.set_value(below < NEAR);
        }
    };
    Effect::new(move |_| {
        signals.progress.track();
        to_end();
    });
    let lines = renewed(move || {
        let progress = signals.progress.read();
        progress.logs.iter().map(|entry| line(started, entry)).collect::<Vec<_>>()
    });
    view! {
        <details class="disclosure log" on:toggle=move |_| to_end()>
            <summary>{words::LOG}</summary>
            <ol class="log__lines" tabindex="0" aria-label=words::LOG node_ref=ol on:scroll=scroll>
                {lines}
            </ol>
        </details>
    }
}

fn line(started: Timestamp, entry: &LogEntry) -> Piece {
    let level = match entry.level {
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    let mut message =
        Piece::of_class("span", "log__message").with("translate", "no").text(&entry.message);
    if let Some(attempt) = entry.attempt.filter(|attempt| *attempt > 1) {
        message = message.text(&words::attempt(attempt));
    }
    let mut took = Piece::of_class("span", "log__took");
    if entry.duration_ms >= WORTH_SAYING_MS {
        took = took.text(&time::duration(entry.duration_ms));
    }
    let since = time::clock(elapsed_ms(started, entry.timestamp));
    Piece::of_class("li", "log__line")
        .with("data-level", level)
        .piece(Piece::of_class("span", "log__time").text(&since))
        .piece(message)
        .piece(took)
}
