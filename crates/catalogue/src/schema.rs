//! The JSON Schema (2020-12) of the answers to a template's questions.
//!
//! It accepts the bodies that `Answers` accepts, `{"parameters", "secrets", "size"}`, with four
//! exceptions that JSON Schema has no words for: the sizes in bytes of an answer and of all
//! together, the quotes in the items of a list (each item is possible, but not all of them
//! together), numbers with more than 15 digits, and steps that are no whole numbers, which many
//! validators divide inexactly.

use domain::template::Template;
use domain::template::answers::{PARAMETERS, SECRETS, SIZE};
use domain::template::parameter::{
    ChoiceRules, ListRules, NumberRules, Parameter, ParameterKind, PatternMatcher, TextRules,
};
use domain::template::situation::{Kept, Situation};
use serde_json::{Map, Value, json};

/// A single line without control characters.
const ONE_LINE: &str = "^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028\\u2029]*$";
/// Lines without other control characters than tabs.
const LINES: &str = "^[^\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f]*$";

/// Returns the schema in the texts of `language`. What a person need not answer depends on the
/// situation.
pub fn json_schema(
    template: &Template,
    situation: &Situation,
    matcher: &dyn PatternMatcher,
    language: &str,
) -> Value {
    let writer = Writer { template, situation, matcher, language };
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for section in [PARAMETERS, SECRETS] {
        let keys = writer.required(section);
        if !keys.is_empty() {
            required.push(section);
        }
        properties.insert(section.to_owned(), writer.section(section, &keys));
    }
    if !template.sizes.is_empty() {
        let ids: Vec<_> = template.sizes.iter().map(|size| size.id.as_str()).collect();
        let mut size = json!({ "type": "string", "enum": ids });
        match situation.default_size(template) {
            Some(id) => insert(&mut size, "default", json!(id)),
            None => required.push(SIZE),
        }
        properties.insert(SIZE.to_owned(), size);
    }
    let conditional: Vec<_> = template.parameters.iter().filter(|one| one.when.is_some()).collect();
    let mut definitions = Map::new();
    definitions.insert(String::from("carried"), carried());
    for parameter in &conditional {
        definitions.insert(format!("asked:{}", parameter.key), writer.asked(parameter));
    }
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": template.name.in_language(language),
        "description": template.summary.in_language(language),
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "$defs": definitions,
    });
    if !conditional.is_empty() {
        let conditions: Vec<_> = conditional.iter().map(|one| writer.condition(one)).collect();
        insert(&mut schema, "allOf", json!(conditions));
    }
    schema
}

/// Returns the section of a body that has the answer.
fn section_of(parameter: &Parameter) -> &'static str {
    if parameter.is_secret() { SECRETS } else { PARAMETERS }
}

/// Returns the schema of bodies that answer a question.
fn answered(parameter: &Parameter) -> Value {
    let (section, key) = (section_of(parameter), &parameter.key);
    json!({ "required": [section], "properties": { section: { "required": [key] } } })
}

fn insert(schema: &mut Value, key: &str, value: Value) {
    if let Some(object) = schema.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}

/// Returns the schema of texts that the platform can carry. It says what `check_carried` does.
fn carried() -> Value {
    let not = |pattern: &str| json!({ "not": { "pattern": pattern } });
    json!({
        "allOf": [
            not("\\$\\{\\{"),
            not("[\\r\\u0000]"),
            { "anyOf": [
                { "allOf": [
                    { "pattern": "^[ !$-&\\(-_a-~]*$" },
                    not("^ "), not(" $"), not("\\{\\{"),
                ] },
                { "allOf": [
                    not("\\\\$"),
                    { "anyOf": [not("'"), not("`"), not("[\"\\\\]")] },
                ] },
            ] },
        ],
    })
}

struct Writer<'a> {
    template: &'a Template,
    situation: &'a Situation,
    matcher: &'a dyn PatternMatcher,
    language: &'a str,
}

impl Writer<'_> {
    /// Returns the parameters of one section.
    fn of_section(&self, section: &str) -> impl Iterator<Item = &Parameter> {
        self.template.parameters.iter().filter(move |one| section_of(one) == section)
    }

    /// Returns whether a question must be answered where it is asked.
    fn is_required(&self, parameter: &Parameter) -> bool {
        let has_answer = self.situation.prefill(parameter, self.matcher).is_some()
            || self.situation.kept(parameter, self.matcher) == Kept::Secret;
        parameter.required && !has_answer
    }

    /// Returns the keys of the questions that must always be answered.
    fn required(&self, section: &str) -> Vec<&str> {
        let always = |one: &&Parameter| one.when.is_none() && self.is_required(one);
        self.of_section(section).filter(always).map(|one| one.key.as_str()).collect()
    }

    fn section(&self, section: &str, required: &[&str]) -> Value {
        let properties: Map<_, _> =
            self.of_section(section).map(|one| (one.key.clone(), self.parameter(one))).collect();
        json!({
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": false,
        })
    }

    /// Returns the schema of bodies with which a question is asked.
    fn asked(&self, parameter: &Parameter) -> Value {
        let mut all = Vec::new();
        let condition = parameter.when.as_ref();
        let decisive =
            condition.and_then(|when| self.template.parameter(&when.key).zip(Some(when)));
        if let Some((decisive, when)) = decisive {
            if decisive.when.is_some() {
                all.push(json!({ "$ref": format!("#/$defs/asked:{}", decisive.key) }));
            }
            let value =
                json!({ "properties": { (decisive.key.as_str()): { "const": when.equals } } });
            let given = json!({ "properties": { PARAMETERS: value } });
            let mut ways = vec![json!({ "allOf": [answered(decisive), given] })];
            if self.situation.prefill(decisive, self.matcher).as_ref() == Some(&when.equals) {
                ways.push(json!({ "not": answered(decisive) }));
            }
            all.push(json!({ "anyOf": ways }));
        }
        json!({ "allOf": all })
    }

    /// Returns the schema of bodies that keep the condition of a question.
    fn condition(&self, parameter: &Parameter) -> Value {
        let then = if self.is_required(parameter) { answered(parameter) } else { json!(true) };
        json!({
            "if": { "$ref": format!("#/$defs/asked:{}", parameter.key) },
            "then": then,
            "else": { "not": answered(parameter) },
        })
    }

    /// Returns the schema of the answer to a question.
    fn parameter(&self, parameter: &Parameter) -> Value {
        let rules = match &parameter.kind {
            ParameterKind::String(rules) => text(rules, ONE_LINE),
            ParameterKind::Text(rules) | ParameterKind::Secret(rules) => text(rules, LINES),
            ParameterKind::Number(rules) => number(rules),
            ParameterKind::Boolean => json!({ "type": "boolean" }),
            ParameterKind::Choice(rules) => choice(rules),
            ParameterKind::List(rules) => list(rules),
        };
        let fixed = fixed(&parameter.kind, self.situation.fixed(parameter, self.matcher));
        let is_fixed = fixed.is_some();
        let mut schema = fixed.unwrap_or_else(|| match (&parameter.kind, parameter.required) {
            (ParameterKind::Boolean, _) | (_, true) => rules,
            (ParameterKind::Number(_), false) => json!({ "anyOf": [{ "type": "null" }, rules] }),
            (ParameterKind::List(_), false) => {
                json!({ "anyOf": [{ "type": "null" }, { "const": [] }, rules] })
            }
            (_, false) => json!({ "anyOf": [{ "type": "null" }, { "const": "" }, rules] }),
        });
        insert(&mut schema, "title", json!(parameter.label.in_language(self.language)));
        if let Some(help) = &parameter.help {
            insert(&mut schema, "description", json!(help.in_language(self.language)));
        }
        if is_fixed {
            insert(&mut schema, "readOnly", json!(true));
        } else if parameter.is_secret() {
            insert(&mut schema, "writeOnly", json!(true));
        }
        if parameter.multiline {
            insert(&mut schema, "x-multiline", json!(true));
        }
        if let Some(value) = self.situation.prefill(parameter, self.matcher) {
            insert(&mut schema, "default", value.to_json());
        }
        schema
    }
}

/// Returns the schema of the answers that change nothing; `None` if nothing is fixed.
fn fixed(kind: &ParameterKind, kept: Kept<'_>) -> Option<Value> {
    match (kept, kind) {
        (Kept::Nothing, _) => None,
        (Kept::Value(value), _) => Some(json!({ "const": value.to_json() })),
        // It may not be sent at all.
        (Kept::Secret, _) => Some(json!({ "not": {} })),
        (Kept::LeftOut, ParameterKind::Number(_) | ParameterKind::Boolean) => {
            Some(json!({ "type": "null" }))
        }
        (Kept::LeftOut, ParameterKind::List(_)) => Some(json!({ "enum": [null, []] })),
        (
            Kept::LeftOut,
            ParameterKind::String(_)
            | ParameterKind::Text(_)
            | ParameterKind::Choice(_)
            | ParameterKind::Secret(_),
        ) => Some(json!({ "enum": [null, ""] })),
    }
}

fn text(rules: &TextRules, characters: &str) -> Value {
    let mut all = vec![json!({ "pattern": characters }), json!({ "$ref": "#/$defs/carried" })];
    if let Some(pattern) = &rules.pattern {
        all.push(json!({ "pattern": pattern.whole() }));
    }
    json!({ "type": "string", "minLength": rules.min, "maxLength": rules.max, "allOf": all })
}

fn number(rules: &NumberRules) -> Value {
    let mut schema = json!({
        "type": "number",
        "minimum": rules.min.to_json(),
        "maximum": rules.max.to_json(),
    });
    if rules.step.places() == 0 {
        insert(&mut schema, "multipleOf", rules.step.to_json().into());
    }
    schema
}

fn choice(rules: &ChoiceRules) -> Value {
    let named = |choice: &domain::template::parameter::Choice| json!(choice.value);
    let values: Vec<_> = rules.choices.iter().map(named).collect();
    match &rules.other {
        Some(other) => json!({ "anyOf": [{ "enum": values }, text(other, ONE_LINE)] }),
        None => json!({ "enum": values }),
    }
}

fn list(rules: &ListRules) -> Value {
    // Each separator stands for itself in a class.
    let separator = match rules.separator {
        '\n' => String::from("[\\n]"),
        '|' => String::from("[\\|]"),
        separator => format!("[{separator}]"),
    };
    let mut item = text(&rules.item, ONE_LINE);
    let mut all = vec![
        json!({ "pattern": ONE_LINE }),
        json!({ "not": { "pattern": separator } }),
        json!({ "not": { "pattern": "\\$\\{\\{" } }),
        json!({ "not": { "pattern": "^ | $" } }),
    ];
    all.extend(rules.item.pattern.iter().map(|pattern| json!({ "pattern": pattern.whole() })));
    insert(&mut item, "allOf", json!(all));
    json!({ "type": "array", "items": item, "minItems": rules.min, "maxItems": rules.max })
}
