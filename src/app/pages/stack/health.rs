//! Whether a stack works: why not, and on how many looks of the last days.

use leptos::prelude::*;

use super::numbers::Numbers;
use crate::app::words::stack_history as words;
use crate::server::stacks::{DayView, StackLooks};
use domain::stack_event::Why;

/// The width of a day in the strip, and its height.
const WIDTH: usize = 4;
const HEIGHT: usize = 24;
/// The colour of the text, which fits every theme.
const INK: &str = "currentColor";

/// Renders why the stack does not work.
#[component]
pub fn WhySection(
    /// What was found.
    why: Why,
) -> impl IntoView {
    let reasons = words::reasons(&why).into_iter();
    view! {
        <section class="stack__part why" aria-labelledby="why">
            <h2 id="why">{words::WHY}</h2>
            <ul>{reasons.map(|text| view! { <li>{text}</li> }).collect_view()}</ul>
        </section>
    }
}

/// Renders a bar for each day: full if the stack worked at every look, and shorter otherwise. The
/// numbers are in a table behind it.
#[component]
pub fn HealthStrip(
    /// The looks of the last days.
    looks: StackLooks,
) -> impl IntoView {
    let StackLooks { days } = looks;
    let (good, bad) = days.iter().fold((0, 0), |(good, bad), day| (good + day.good, bad + day.bad));
    if good + bad == 0 {
        return ().into_any();
    }
    let bar = |(index, (good, bad)): (usize, (u32, u32))| {
        let known = good + bad;
        let height = if known == 0 { 1 } else { (HEIGHT * good as usize / known as usize).max(1) };
        let look = if known == 0 {
            "none"
        } else if bad == 0 {
            "good"
        } else {
            "bad"
        };
        view! {
            <rect
                x=index * WIDTH
                y=HEIGHT - height
                width=WIDTH - 1
                height=height
                fill=INK
                class="strip__day"
                data-look=look
            ></rect>
        }
    };
    let bars = days.iter().map(|day| (day.good, day.bad)).enumerate().map(bar).collect_view();
    let row = |day: &DayView| {
        view! {
            <tr>
                <th scope="row">{day.date.clone()}</th>
                <td>{words::share(day.good, day.bad)}</td>
                <td>{day.good + day.bad}</td>
            </tr>
        }
    };
    let rows: Vec<_> = days.iter().rev().filter(|day| day.good + day.bad > 0).map(row).collect();
    view! {
        <section class="stack__part" aria-labelledby="days">
            <h2 id="days">{words::DAYS}</h2>
            <svg
                class="strip"
                role="img"
                aria-label=words::strip(good, bad)
                viewBox=format!("0 0 {} {HEIGHT}", days.len() * WIDTH)
            >
                {bars}
            </svg>
            <Numbers heads=[words::DAY, words::WORKED, words::LOOKS]>{rows}</Numbers>
        </section>
    }
    .into_any()
}
