//! The words of the pages of a new stack.

use super::home::pace;
use crate::server::stacks::form::{AskedIf, Later};
use crate::wire::Usual;
use domain::size::Size;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

pub(crate) const TITLE: &str = "New stack";
pub(crate) const HEADING: &str = "What would you like to start?";
pub(crate) const LEAD: &str = "Choose a template. Its questions are on the next page.";
pub(crate) const NO_TEMPLATES: &str =
    "There is no template, so nothing can be started. An operator must add one.";
/// The title and the heading where the template of an address is not offered.
pub(crate) const NOT_OFFERED: &str = "Template not offered";
pub(crate) use domain::words::template::NOT_OFFERED as NOT_OFFERED_LEAD;
pub(crate) const TO_OTHERS: &str = "See the templates";
/// The link from the form of a template to the others.
pub(crate) const OTHERS: &str = "All templates";
pub(crate) const SEARCH: &str = "Search";
pub(crate) const NOT_FOUND: &str = "No template has this in its name or its description.";
pub(crate) const ABOUT: &str = "About this template";
pub(crate) const NAME_HELP: &str =
    "A to z, digits and hyphens. It becomes a part of your stack's address:";
pub(crate) const SIZE: &str = "Size";
pub(crate) const ADVANCED: &str = "More settings";
pub(crate) const OPTIONAL: &str = "(optional)";
pub(crate) const OTHER: &str = "Something else:";
pub(crate) const ONE_PER_LINE: &str = "One per line.";
pub(crate) const SECRET_GENERATED: &str =
    "Leave it empty to get a generated one, which is shown to you after the start.";
pub(crate) const SECRET_KEPT: &str = "What you typed is kept. Type it again only to change it.";
/// The box that removes a secret that the stack has.
pub(crate) const CLEAR: &str = "Remove it.";
/// The box that withdraws a secret that the form keeps.
pub(crate) const FORGET: &str = "Forget what you gave before.";
/// What all answers together are called, where no single one is wrong.
pub(crate) const ANSWERS: &str = "Your answers";
pub(crate) const FROM_LINK: &str = "This answer comes from the link that you followed.";
pub(crate) const BRINGS_BACK: &str = "Your stack gets back the data that was kept.";
pub(crate) const FROM_LINK_NOTE: &str =
    "Some answers come from the link that you followed. Check them before you start.";

/// Says that the stack has a secret, with its fingerprint and since when.
pub(crate) fn secret_is_set(fingerprint: &str, set_at: Option<&str>) -> String {
    let since = set_at.map(|at| format!(" since {at}")).unwrap_or_default();
    format!(
        "One is set{since}. Leave it empty to keep it. Its mark is {fingerprint}, which changes with the \
         secret."
    )
}

/// Returns the title of a template's page.
pub(crate) fn title_of(template: &str) -> String {
    format!("New stack: {template}")
}

/// Returns the heading of a template's page.
pub(crate) fn heading_of(template: &str) -> String {
    format!("Start {template}")
}

/// Says how long a template usually takes.
pub(crate) fn usual(usual: Usual) -> String {
    format!("Usually live {}", pace(usual))
}

/// Describes the limits of a size.
pub(crate) fn limits(size: Size) -> String {
    let cpu = size.cpu_nanos.map(|nanos| match nanos {
        1_000_000_000 => String::from("1 CPU"),
        nanos => format!("{} CPUs", decimal(nanos, 1_000_000_000)),
    });
    let memory = size.memory_bytes.map(|bytes| match bytes {
        GIB.. => format!("{} GiB of memory", decimal(bytes, GIB)),
        bytes => format!("{} MiB of memory", decimal(bytes, MIB)),
    });
    let limits: Vec<_> = cpu.into_iter().chain(memory).collect();
    if limits.is_empty() { String::from("Without limits") } else { limits.join(", ") }
}

/// Writes a quotient with at most two decimal places.
fn decimal(number: u64, unit: u64) -> String {
    let hundredths = u128::from(number) * 100 / u128::from(unit);
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Says what an answer is that is left empty.
pub(crate) fn if_left_empty(later: Later) -> &'static str {
    match later {
        Later::Name => "Left empty, it is the name of the stack.",
        Later::Url => "Left empty, it is the address of the stack.",
    }
}

/// Says with which earlier answer a question is asked.
pub(crate) fn asked_if(earlier: &AskedIf) -> String {
    let AskedIf { label, answer, value, .. } = earlier;
    match (answer, value.as_str()) {
        (Some(answer), _) => format!("Only if “{label}” is “{answer}”."),
        (None, "true") => format!("Only if “{label}” is ticked."),
        (None, _) => format!("Only if “{label}” is not ticked."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_in_the_units_that_people_know() {
        let cases = [
            (None, None, "Without limits"),
            (Some(1_000_000_000), Some(2 << 30), "1 CPU, 2 GiB of memory"),
            (Some(500_000_000), Some(512 << 20), "0.5 CPUs, 512 MiB of memory"),
            (Some(2_250_000_000), None, "2.25 CPUs"),
            (None, Some((3 << 30) / 2), "1.5 GiB of memory"),
        ];
        for (cpu_nanos, memory_bytes, expected) in cases {
            assert_eq!(limits(Size { cpu_nanos, memory_bytes }), expected);
        }
    }
}
