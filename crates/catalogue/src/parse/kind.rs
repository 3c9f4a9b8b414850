//! Reads what answers a question has.

use domain::template::answer_error::FieldError;
use domain::template::carry::check_carried;
use domain::template::decimal::Decimal;
use domain::template::parameter::{
    Choice, ChoiceRules, LONGEST_LINE, LONGEST_TEXT, ListRules, MOST_ITEMS, NumberRules,
    ParameterKind, TextRules,
};
use domain::template::text::Localized;
use domain::words;

use super::head::{LONGEST_HELP, LONGEST_LABEL};
use super::reader::Table;
use crate::fault::Faults;
use crate::pattern;

/// The kinds, for messages.
const KINDS: &str = "string, text, number, boolean, choice, list or secret";
/// How choices are written.
const CHOICES: &str = "[{ value = \"…\", label = \"…\" }]";
/// How the rules of a line are written.
const RULES: &str = "{ pattern = \"[a-z]+\", max = 20 }";
/// The largest number of choices.
const MOST_CHOICES: usize = 200;
/// The largest number of items of any list.
const MOST_ITEMS_OF_ANY: u32 = 1_000;
/// The separators of lists.
const SEPARATORS: [char; 5] = [',', ';', '|', ' ', '\n'];

/// Reads the kind of a question.
pub(super) fn read(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<ParameterKind> {
    let name = table.required("type", "\"string\"", faults)?;
    match name {
        "string" => Some(ParameterKind::String(text_rules(table, LONGEST_LINE, faults))),
        "text" => Some(ParameterKind::Text(text_rules(table, LONGEST_TEXT, faults))),
        "secret" => Some(ParameterKind::Secret(text_rules(table, LONGEST_TEXT, faults))),
        "number" => Some(ParameterKind::Number(number_rules(table, faults))),
        "boolean" => Some(ParameterKind::Boolean),
        "choice" => Some(ParameterKind::Choice(choice_rules(table, faults))),
        "list" => Some(ParameterKind::List(list_rules(table, faults))),
        _ => {
            let message = format!("`type` cannot be {name:?}: write {KINDS}");
            faults.error(table.at_key("type"), message);
            None
        }
    }
}

/// Reads the rules of a text of at most `longest` characters.
fn text_rules(table: &mut Table<'_, '_>, longest: u32, faults: &mut Faults<'_>) -> TextRules {
    let (min, max) = bounds(table, longest, longest, "characters", faults);
    let text = table.text("pattern", faults);
    let parsed = text.map(pattern::parse);
    let pattern = parsed.and_then(|parsed| {
        parsed
            .map_err(|fault| faults.error(table.at_key("pattern"), format!("`pattern`: {fault}")))
            .ok()
    });
    TextRules { pattern, min, max }
}

/// Reads `min` and `max` of a text or a list.
fn bounds(
    table: &mut Table<'_, '_>,
    usual: u32,
    longest: u32,
    of: &str,
    faults: &mut Faults<'_>,
) -> (u32, u32) {
    let min = table.whole("min", faults).unwrap_or(1);
    let max = table.whole("max", faults).unwrap_or(usual.max(min));
    if min == 0 {
        let message = "`min` must be 1 or more: an empty answer is none, which `required` decides";
        faults.error(table.at_key("min"), message);
    }
    if min > max {
        faults.error(table.at_key("min"), "`min` is more than `max`: exchange them");
    }
    if max > longest {
        faults.error(table.at_key("max"), format!("`max` can be at most {longest} {of}"));
    }
    (min, max)
}

fn number_rules(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> NumberRules {
    let step = table.number("step", faults).unwrap_or(Decimal::ONE);
    let min = table.number("min", faults).unwrap_or(Decimal::ZERO);
    let largest = Decimal::greatest_with(step.places());
    let usual = Decimal::whole(999_999_999).unwrap_or(largest);
    let max = table.number("max", faults).unwrap_or(usual.max(min));
    let unit = table.localized("unit", 20, faults);
    if step <= Decimal::ZERO {
        faults.error(table.at_key("step"), "`step` must be more than 0");
    } else if !min.is_multiple_of(step) {
        let message = "`min` must be a multiple of `step`, since browsers count steps from there";
        faults.error(table.at_key("min"), message);
    }
    if min > max {
        faults.error(table.at_key("min"), "`min` is more than `max`: exchange them");
    }
    for (key, bound) in [("min", min), ("max", max)] {
        if bound > largest || bound < largest.negated() {
            let message =
                format!("`{key}` must be between -{largest} and {largest} with this `step`");
            faults.error(table.at_key(key), message);
        }
    }
    NumberRules { min, max, step, unit }
}

fn choice_rules(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> ChoiceRules {
    let at = table.at_key("choices");
    let mut choices: Vec<Choice> = Vec::new();
    let tables = table.listed("choices", CHOICES, faults);
    let count = tables.as_ref().map(Vec::len);
    for mut one in tables.unwrap_or_default() {
        let (value, at) = (one.required("value", "\"…\"", faults), one.at_key("value"));
        let label = one.localized("label", LONGEST_LABEL, faults);
        let help = one.localized("help", LONGEST_HELP, faults);
        one.finish(faults);
        let Some(value) = value else { continue };
        let is_line = !value.is_empty() && !value.contains(char::is_control);
        if !is_line || value.chars().count() > 1_000 {
            faults.error(at, "`value` of a choice must be one line of 1 to 1000 characters");
        }
        if let Err(error) = check_carried(value) {
            let says = words::answer::message(&FieldError::from(error));
            faults.error(at, format!("the value of a choice is refused: {says}"));
        }
        if choices.iter().any(|choice| choice.value == value) {
            faults.error(at, format!("the choice {value:?} is there twice: leave one out"));
        }
        let label = label.unwrap_or_else(|| Localized::Plain(value.to_owned()));
        choices.push(Choice { value: value.to_owned(), label, help });
    }
    let other = table.table("other", &format!("other = {RULES}"), faults).map(|mut other| {
        let rules = text_rules(&mut other, LONGEST_LINE, faults);
        other.finish(faults);
        rules
    });
    if count.is_some_and(|count| !(1..=MOST_CHOICES).contains(&count)) {
        let message =
            format!("a choice needs 1 to {MOST_CHOICES} `choices`: write choices = {CHOICES}");
        faults.error(at, message);
    }
    ChoiceRules { choices, other }
}

fn list_rules(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> ListRules {
    let (min, max) = bounds(table, MOST_ITEMS, MOST_ITEMS_OF_ANY, "items", faults);
    let item = table.table("item", &format!("item = {RULES}"), faults).map(|mut item| {
        let rules = text_rules(&mut item, LONGEST_LINE, faults);
        item.finish(faults);
        rules
    });
    let item = item.unwrap_or(TextRules { pattern: None, min: 1, max: LONGEST_LINE });
    let text = table.text("separator", faults).unwrap_or(",");
    let separator = SEPARATORS.into_iter().find(|separator| text.chars().eq([*separator]));
    if separator.is_none() {
        let message = "`separator` must be one of \",\", \";\", \"|\", \" \" and \"\\n\"";
        faults.error(table.at_key("separator"), message);
    }
    ListRules { item, min, max, separator: separator.unwrap_or(',') }
}
