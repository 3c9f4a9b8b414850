//! Reads the questions.

use domain::template::MOST_PARAMETERS;
use domain::template::RESERVED_KEYS;
use domain::template::parameter::{
    Condition, DefaultAnswer, Parameter, ParameterKind, Source, Value,
};
use domain::words;
use toml::de::DeValue;

use super::checks;
use super::head::{LONGEST_HELP, LONGEST_LABEL};
use super::kind;
use super::reader::{Located, Table, decimal};
use crate::fault::Faults;
use crate::patterns::Patterns;

/// A question, and where its parts are.
pub(super) struct Question {
    pub(super) parameter: Parameter,
    pub(super) at: usize,
    pub(super) at_env: usize,
}

/// Reads all questions.
pub(super) fn all(tables: Vec<Table<'_, '_>>, faults: &mut Faults<'_>) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    if tables.len() > MOST_PARAMETERS {
        faults.error(0, format!("there are more than {MOST_PARAMETERS} parameters: use fewer"));
    }
    for table in tables {
        let question = read(table, &questions, faults);
        questions.extend(question);
    }
    questions
}

/// Reads a question, which may depend on those before it.
fn read(
    mut table: Table<'_, '_>,
    earlier: &[Question],
    faults: &mut Faults<'_>,
) -> Option<Question> {
    let key = key(&mut table, earlier, faults);
    let label = table.localized("label", LONGEST_LABEL, faults);
    if !table.has("label") {
        table.missing("label", "\"…\"", faults);
    }
    let help = table.localized("help", LONGEST_HELP, faults);
    let kind = kind::read(&mut table, faults);
    // The other keys are known, so that only wrong ones are reported beside a wrong type.
    let (env, at_env) = (table.text("env", faults), table.at_key("env"));
    let required = table.flag("required", faults);
    let immutable = table.flag("immutable", faults);
    let advanced = table.flag("advanced", faults);
    let (multiline, at_multiline) = (table.flag("multiline", faults), table.at_key("multiline"));
    let when = table.table("when", faults).and_then(|when| condition(when, earlier, faults));
    let (at, at_required) = (table.at(), table.at_key("required"));
    let Some(kind) = kind else {
        for known in ["default", "from"] {
            table.value(known);
        }
        return None;
    };
    let default = default(&mut table, &kind, faults);
    if env.is_none() && !decides(&kind) {
        table.missing("env", "\"NAME_OF_THE_VARIABLE\"", faults);
    }
    if let Some(fault) = env.and_then(checks::variable_fault) {
        faults.error(at_env, fault);
    }
    table.finish(faults);
    let env = env.map(str::to_owned);
    let parameter = Parameter {
        key: key?,
        kind,
        label: label?,
        help,
        env,
        required,
        default,
        immutable,
        advanced,
        multiline,
        when,
    };
    check_required(&parameter, at_required, faults);
    check_multiline(&parameter, at_multiline, faults);
    Some(Question { parameter, at, at_env })
}

/// Returns whether a question of this kind may only decide which others are asked.
fn decides(kind: &ParameterKind) -> bool {
    match kind {
        ParameterKind::Boolean | ParameterKind::Choice(_) => true,
        ParameterKind::String(_)
        | ParameterKind::Text(_)
        | ParameterKind::Number(_)
        | ParameterKind::List(_)
        | ParameterKind::Secret(_) => false,
    }
}

fn key(table: &mut Table<'_, '_>, earlier: &[Question], faults: &mut Faults<'_>) -> Option<String> {
    let key = table.required("key", "\"my_key\"", faults)?;
    let at = table.at_key("key");
    if !checks::is_key(key) {
        faults.error(
            at,
            "`key` must be 1 to 48 lower-case letters, digits and underscores, and begin with a letter",
        );
    }
    if RESERVED_KEYS.contains(&key) {
        faults.error(
            at,
            format!("`key` cannot be {key:?}, which names another field: choose another"),
        );
    }
    if earlier.iter().any(|one| one.parameter.key == key) {
        faults.error(at, format!("the parameter {key} is there twice: name it otherwise"));
    }
    Some(key.to_owned())
}

fn check_multiline(parameter: &Parameter, at: usize, faults: &mut Faults<'_>) {
    if parameter.multiline && !parameter.is_secret() {
        let message = "only a secret can be `multiline`: write type = \"text\" for several lines";
        faults.error(at, message);
    }
}

fn check_required(parameter: &Parameter, at: usize, faults: &mut Faults<'_>) {
    if !parameter.required {
        return;
    }
    if parameter.kind == ParameterKind::Boolean {
        faults.error(at, "a boolean always has an answer: leave `required` out");
    }
    if parameter.generated().is_some() {
        faults.error(at, "a generated secret always has a value: leave `required` out");
    }
}

/// Reads the answer if none is given, and checks that it obeys the rules of its own question.
fn default(
    table: &mut Table<'_, '_>,
    kind: &ParameterKind,
    faults: &mut Faults<'_>,
) -> Option<DefaultAnswer> {
    let (value, from) = (table.value("default"), table.text("from", faults));
    if let (Some(value), Some(_)) = (value, from) {
        faults
            .error(value.span().start, "`default` and `from` cannot both be there: leave one out");
    }
    if let Some(text) = from {
        return source(text, table.at_key("from"), kind, faults).map(DefaultAnswer::From);
    }
    let (value, at) = (value?, value?.span().start);
    if let ParameterKind::Secret(_) = kind {
        let message = "a secret has no `default`, which everybody could read: write from = \
                       \"generate:32\", or leave it out";
        faults.error(at, message);
        return None;
    }
    checked(value, "default", kind, faults).map(DefaultAnswer::Value)
}

fn source(text: &str, at: usize, kind: &ParameterKind, faults: &mut Faults<'_>) -> Option<Source> {
    let Ok(source) = Source::parse(text) else {
        faults.error(
            at,
            "`from` must be \"person.email\", \"person.name\", \"stack.name\", \"stack.url\" or \
             \"generate:N\" with N from 16 to 128",
        );
        return None;
    };
    match (source, kind) {
        (Source::Generate(length), ParameterKind::Secret(rules)) => {
            if rules.pattern.is_some() {
                faults.error(at, "a generated secret can have no `pattern`: leave one of both out");
            }
            if !(rules.min..=rules.max).contains(&length) {
                faults
                    .error(at, "the length of a generated secret must be between `min` and `max`");
            }
        }
        (Source::Generate(_), _) => {
            faults.error(at, "only a secret can be generated: write type = \"secret\"");
        }
        (
            Source::PersonEmail | Source::PersonName | Source::StackName | Source::StackUrl,
            ParameterKind::String(_),
        ) => {}
        (Source::PersonEmail | Source::PersonName | Source::StackName | Source::StackUrl, _) => {
            faults.error(
                at,
                "`from` with a person or a stack is for a string: write type = \"string\"",
            );
        }
    }
    Some(source)
}

/// Reads a value, and checks that it obeys the rules.
fn checked(
    value: Located<'_, '_>,
    key: &str,
    kind: &ParameterKind,
    faults: &mut Faults<'_>,
) -> Option<Value> {
    let at = value.span().start;
    let Some(read) = plain(value.get_ref()) else {
        faults
            .error(at, format!("`{key}` must be a text, a number, true, false or a list of texts"));
        return None;
    };
    match kind.check(&read, &Patterns::default()) {
        Ok(()) => Some(read),
        Err(error) => {
            let says = words::answer::message(&error);
            faults.error(at, format!("`{key}` is no answer to the question: {says}"));
            None
        }
    }
}

fn plain(value: &DeValue<'_>) -> Option<Value> {
    match value {
        DeValue::String(text) => Some(Value::Text(text.to_string())),
        DeValue::Boolean(value) => Some(Value::Boolean(*value)),
        DeValue::Integer(_) | DeValue::Float(_) => decimal(value).map(Value::Number),
        DeValue::Array(items) => {
            let text = |item: Located<'_, '_>| item.get_ref().as_str().map(str::to_owned);
            items.iter().map(text).collect::<Option<_>>().map(Value::List)
        }
        DeValue::Datetime(_) | DeValue::Table(_) => None,
    }
}

/// Reads the answer to an earlier question with which this one is asked.
fn condition(
    mut table: Table<'_, '_>,
    earlier: &[Question],
    faults: &mut Faults<'_>,
) -> Option<Condition> {
    let key = table.required("key", "\"an_earlier_parameter\"", faults);
    let (equals, at) = (table.value("equals"), table.at_key("key"));
    if equals.is_none() {
        table.missing("equals", "true", faults);
    }
    table.finish(faults);
    let (key, equals) = (key?, equals?);
    let Some(question) = earlier.iter().find(|one| one.parameter.key == key) else {
        faults.error(
            at,
            format!("`when` names {key:?}, which is no earlier parameter: put it before"),
        );
        return None;
    };
    let kind = &question.parameter.kind;
    match kind {
        ParameterKind::Boolean
        | ParameterKind::Choice(_)
        | ParameterKind::String(_)
        | ParameterKind::Number(_) => {}
        ParameterKind::Text(_) | ParameterKind::List(_) | ParameterKind::Secret(_) => {
            faults.error(at, "`when` can name a boolean, a choice, a string or a number only");
            return None;
        }
    }
    let equals = checked(equals, "equals", kind, faults)?;
    Some(Condition { key: key.to_owned(), equals })
}
