//! What a stack used in the last hour: a small curve each, with the numbers behind it.

use leptos::prelude::*;

use super::numbers::Numbers;
use crate::app::words::stack_usage as words;
use crate::wire::{UsagePoint, UsageSeries};

/// The size of a curve.
const WIDTH: f64 = 240.0;
const HEIGHT: f64 = 32.0;
/// The colour of the text, which fits every theme.
const INK: &str = "currentColor";
const NO_FILL: &str = "none";
/// The number of rows of the table: the last steps.
const ROWS: usize = 20;

/// Renders the curves of CPU time and memory.
#[component]
pub fn Usage(
    /// What the stack used.
    series: UsageSeries,
) -> impl IntoView {
    let UsageSeries { points, .. } = series;
    let Some(last) = points.last().cloned() else { return ().into_any() };
    #[expect(clippy::cast_precision_loss, reason = "it is drawn")]
    let memory: Vec<_> = points.iter().map(|point| point.memory as f64).collect();
    let cpu: Vec<_> = points.iter().map(|point| point.cpu).collect();
    let row = |point: &UsagePoint| {
        view! {
            <tr>
                <th scope="row">{words::clock(point.at)}</th>
                <td>{words::cpu(point.cpu)}</td>
                <td>{words::memory(point.memory)}</td>
            </tr>
        }
    };
    let rows: Vec<_> = points.iter().rev().take(ROWS).map(row).collect();
    view! {
        <section class="stack__part" aria-labelledby="usage">
            <h2 id="usage">{words::HEADING}</h2>
            <Curve label=words::CPU figure=words::cpu(last.cpu) values=cpu />
            <Curve label=words::MEMORY figure=words::memory(last.memory) values=memory />
            <Numbers heads=[words::TIME, words::CPU, words::MEMORY]>{rows}</Numbers>
        </section>
    }
    .into_any()
}

/// Renders values as a curve from nothing to the largest one.
#[component]
fn Curve(
    /// What it shows.
    label: &'static str,
    /// The last value.
    figure: String,
    /// The values, the oldest first.
    values: Vec<f64>,
) -> impl IntoView {
    // One value makes no curve.
    let drawn = (values.len() > 1).then(|| {
        view! {
            <svg class="usage__curve" aria-hidden="true" viewBox=format!("0 0 {WIDTH} {HEIGHT}")>
                <polyline points=curve(&values) fill=NO_FILL stroke=INK></polyline>
            </svg>
        }
    });
    view! {
        <p class="usage">
            <span class="usage__label">{words::before(label)}</span>
            " "
            <span class="usage__figure">{figure}</span>
            {drawn}
        </p>
    }
}

/// Returns the points of a curve, as SVG has them.
fn curve(values: &[f64]) -> String {
    let largest = values.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    #[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
    let step = WIDTH / values.len().saturating_sub(1).max(1) as f64;
    #[expect(clippy::cast_precision_loss, reason = "there are a few hundred")]
    let point = |(index, value): (usize, &f64)| {
        let (x, y) = (index as f64 * step, HEIGHT - 1.0 - (HEIGHT - 2.0) * value / largest);
        format!("{x:.1},{y:.1}")
    };
    values.iter().enumerate().map(point).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_nothing_to_the_largest_value() {
        assert_eq!(curve(&[0.0, 1.0, 2.0]), "0.0,31.0 120.0,16.0 240.0,1.0");
        assert_eq!(curve(&[0.0]), "0.0,31.0");
        assert_eq!(curve(&[]), "");
    }
}
