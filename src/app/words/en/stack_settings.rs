//! The words of the settings of a stack, of what a change would change, and of its revisions.

use serde_json::{Map, Value};

use crate::server::stacks::{QuestionWords, Update};
use crate::wire::{DowntimeView, PlannedChange};
use domain::refusal::RefusalCode;
use domain::template::answers::SIZE;

/// The label of the tab, and the heading of the form.
pub(crate) const SETTINGS: &str = "Settings";
pub(crate) const REVIEW: &str = "Review the changes";
/// The label of that button while the answers are sent.
pub(crate) const REVIEWING: &str = "Reviewing…";
pub(crate) const APPLY: &str = "Apply";
pub(crate) const BACK: &str = "Back";
/// The heading of what a change would change.
pub(crate) const PLAN: &str = "What would change";
pub(crate) const NOTHING: &str = "The stack is like that already: there is nothing to apply.";
pub(crate) const SECRETS_KEPT: &str =
    "The secrets that you typed are kept for an hour, and are not shown.";
pub(crate) const NO_QUESTIONS: &str = "There is nothing to choose. The review says whether \
     the settings of the portal have changed since the stack got its own.";
/// The heading of the answers that no change can replace.
pub(crate) const FIXED: &str = "Chosen at the start, for good";
pub(crate) const WITHDRAWN: &str = "The template of this stack is no longer offered. The stack goes on \
     to work, and its settings can be changed.";
pub(crate) const UNDER_WAY: &str = "An operation on the stack is under way. Its settings can be changed \
     once that has ended: this page shows them then.";

/// The heading, the label and the explanation of the form with the stack's label.
pub(crate) const LABEL: &str = "Label";
pub(crate) const LABEL_HELP: &str = "What you call this stack, beside its name. It changes nothing that runs. Leave it empty for none.";
pub(crate) const SAVE_LABEL: &str = "Save the label";

/// Says why the settings of a stack cannot be changed; `None` if the reason is of another kind.
pub(crate) fn not_changeable(code: RefusalCode) -> Option<&'static str> {
    match code {
        RefusalCode::SpecUnknown => Some(
            "An older version of the portal made this stack, and did not keep what it is made of. So \
             its settings can neither be shown nor changed. To choose others, start a new stack.",
        ),
        RefusalCode::PlatformUnreachable => Some(
            "The platform that runs the stacks does not answer. An older version of the portal made this \
             stack, so what it is made of is read from there: its settings are shown once the platform \
             answers. Nothing was changed.",
        ),
        RefusalCode::SecretsLost => Some(
            "The portal's key does not open the secrets of this stack, so its settings cannot be \
             changed. The stack runs on. An operator can bring back the key with which the secrets \
             were encrypted.",
        ),
        _ => None,
    }
}

/// Says that the stack has another revision than the form was made from.
pub(crate) fn outdated(made_from: u32, present: u32) -> String {
    format!(
        "The stack was changed in the meantime: it has revision {present} now, and this form was made \
         from revision {made_from}. What you typed is still here. Review it again: it is then compared \
         with what the stack is now."
    )
}

/// Says that another version of the template is offered.
pub(crate) fn is_offered(own: &str, offered: &str) -> String {
    format!("Version {offered} of the template is offered. The stack has version {own}.")
}

/// Says what another version changes, whatever the answers are.
pub(crate) fn update_changes(update: &Update) -> Vec<(&'static str, String)> {
    let Update { added, removed, image } = update;
    let listed =
        |label, labels: &[String]| (!labels.is_empty()).then(|| (label, labels.join(", ")));
    let image = image.as_ref().map(|(from, to)| ("Image", format!("from {from} to {to}")));
    let questions = [listed("New questions", added), listed("No longer asked", removed)];
    questions.into_iter().flatten().chain(image).collect()
}

/// Returns the label of the link to the form of another version.
pub(crate) fn update_to(version: &str) -> String {
    format!("Update to {version}")
}

/// Says that the form is that of another version than the stack has.
pub(crate) fn is_update(version: &str, own: &str) -> String {
    format!("These are the questions of version {version}. The stack has version {own}.")
}

/// Returns the label of the link back to the form of the version that the stack has.
pub(crate) fn stay_with(version: &str) -> String {
    format!("Stay with {version}")
}

/// Says what a change means for those who use the stack meanwhile.
pub(crate) fn meanwhile(downtime: DowntimeView, is_stopped: bool) -> &'static str {
    match (is_stopped, downtime) {
        (true, _) => "The stack is stopped: it gets these settings at its next start.",
        (false, DowntimeView::None) => {
            "The stack answers all the time meanwhile. Open connections are cut once."
        }
        (false, DowntimeView::Waits) => {
            "Anyone who uses the stack waits some seconds meanwhile. Open connections are cut once."
        }
        (false, DowntimeView::Seconds) => {
            "The stack does not answer for some seconds. Open connections are cut once."
        }
    }
}

/// Returns how people call what differs, and says how.
pub(crate) fn change(change: &PlannedChange, words: &QuestionWords) -> (String, String) {
    let PlannedChange { field, from, to, secret, .. } = change;
    let question = words.question(field).map(ToOwned::to_owned);
    if question.is_none() && field == "settings" {
        return (String::from("Settings of the portal"), String::from("as they are now"));
    }
    let label = question.unwrap_or_else(|| match field.as_str() {
        SIZE => String::from("Size"),
        "version" => String::from("Version of the template"),
        "image" => String::from("Image"),
        "port" => String::from("Port of the container"),
        "volumes" => String::from("Volumes"),
        key => no_longer_asked(key),
    });
    if let (Value::Object(from), Value::Object(to)) = (from, to) {
        return (label, volumes(from, to));
    }
    if *secret {
        return (label, String::from("changed"));
    }
    let sentence = match (value(field, from, words), value(field, to, words)) {
        (Some(from), Some(to)) => format!("from {from} to {to}"),
        (None, Some(to)) => format!("set to {to}"),
        (Some(from), None) => format!("{from} is removed"),
        (None, None) => String::from("changed"),
    };
    (label, sentence)
}

/// Names a question of which only the key is known.
fn no_longer_asked(key: &str) -> String {
    format!("No longer asked: {key}")
}

/// Says which folders of the container keep what is written to them, and which no longer do.
fn volumes(from: &Map<String, Value>, to: &Map<String, Value>) -> String {
    let folder = |folder: &Value| folder.as_str().unwrap_or_default().to_owned();
    let mut sentences = Vec::new();
    for (key, new) in to {
        let new = folder(new);
        match from.get(key).map(folder) {
            None => sentences
                .push(format!("“{key}” is added: what is written to {new} survives each restart")),
            Some(old) if old != new => {
                sentences.push(format!("“{key}” moves from {old} to {new}"));
            }
            Some(_) => {}
        }
    }
    for key in from.keys().filter(|key| !to.contains_key(*key)) {
        sentences
            .push(format!("“{key}” is no longer used: its data stays until the stack is removed"));
    }
    if sentences.is_empty() { String::from("changed") } else { sentences.join(". ") }
}

/// The number of characters from which on an answer is cut.
const LONGEST: usize = 80;

/// Writes an answer; `None` if it is none.
fn value(field: &str, value: &Value, words: &QuestionWords) -> Option<String> {
    let quoted = |text: &str| {
        let text = words.answer(field, text);
        let more = if text.chars().nth(LONGEST).is_some() { "…" } else { "" };
        format!("“{}{more}”", text.chars().take(LONGEST).collect::<String>())
    };
    match value {
        Value::Null => None,
        Value::Bool(true) => Some(String::from("yes")),
        Value::Bool(false) => Some(String::from("no")),
        Value::Number(number) => Some(number.to_string()),
        Value::String(text) => Some(quoted(text)),
        Value::Array(items) => {
            let items = items.iter().map(|item| item.as_str().unwrap_or_default());
            Some(quoted(&items.collect::<Vec<_>>().join(", ")))
        }
        Value::Object(_) => Some(quoted(&value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::wire::EffectView;

    #[test]
    fn a_difference_is_said_with_both_values_and_a_secret_with_none() {
        let cases = [
            ("pages", json!(12), json!(30), false, ("No longer asked: pages", "from 12 to 30")),
            ("size", json!("small"), json!(null), false, ("Size", "“small” is removed")),
            ("tls", json!(null), json!(true), false, ("No longer asked: tls", "set to yes")),
            (
                "hosts",
                json!([]),
                json!(["a", "b"]),
                false,
                ("No longer asked: hosts", "from “” to “a, b”"),
            ),
            ("key", json!(null), json!(null), true, ("No longer asked: key", "changed")),
            (
                "settings",
                json!("former"),
                json!("present"),
                false,
                ("Settings of the portal", "as they are now"),
            ),
            (
                "port",
                json!(3000),
                json!(8080),
                false,
                ("Port of the container", "from 3000 to 8080"),
            ),
            (
                "volumes",
                json!({ "data": "/data", "old": "/old", "same": "/same" }),
                json!({ "data": "/files", "new": "/new", "same": "/same" }),
                false,
                (
                    "Volumes",
                    "“data” moves from /data to /files. “new” is added: what is written to /new \
                     survives each restart. “old” is no longer used: its data stays until the stack is removed",
                ),
            ),
        ];
        for (field, from, to, secret, (label, sentence)) in cases {
            let field = field.to_owned();
            let planned = PlannedChange { field, from, to, secret, effect: EffectView::Restart };
            let said = change(&planned, &QuestionWords::default());
            assert_eq!(said, (label.to_owned(), sentence.to_owned()));
        }
        let text = "x".repeat(LONGEST + 1);
        let cut = value("", &json!(text), &QuestionWords::default()).unwrap();
        assert_eq!(cut.chars().count(), LONGEST + 3);
    }
}
