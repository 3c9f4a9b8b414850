//! What the page shows of the document.

use serde_json::{Map, Value};

use crate::api::docs::{
    AnswerDocs, ApiDocs, ContentDocs, FieldDocs, GroupDocs, Kind, Limit, OperationDocs, Place,
    SchemaDocs,
};

/// Returns what the page shows of this document.
pub(super) fn of(document: &Value) -> ApiDocs {
    let operations = fields(&document["paths"]).flat_map(|(path, item)| {
        fields(item).map(move |(method, operation)| (path, method, operation))
    });
    let operations: Vec<_> = operations.collect();
    let group = |tag: &Value| GroupDocs {
        name: said(tag, "name"),
        about: said(tag, "description"),
        operations: (operations.iter())
            .filter(|(.., operation)| items(&operation["tags"]).next() == tag.get("name"))
            .map(|(path, method, operation)| operation_docs(path, method, operation))
            .collect(),
    };
    let components = &document["components"];
    ApiDocs {
        about: said(&document["info"], "description"),
        groups: items(&document["tags"]).map(group).collect(),
        schemas: fields(&components["schemas"])
            .map(|(name, schema)| schema_docs(name, schema))
            .collect(),
    }
}

fn operation_docs(path: &str, method: &str, operation: &Value) -> OperationDocs {
    let body = &operation["requestBody"];
    let about = said(body, "description");
    OperationDocs {
        id: said(operation, "operationId"),
        method: method.to_uppercase(),
        path: path.to_owned(),
        summary: said(operation, "summary"),
        about: said(operation, "description"),
        is_open: operation["security"].as_array().is_some_and(Vec::is_empty),
        parameters: items(&operation["parameters"]).map(parameter).collect(),
        body: contents(body).next().map(|content| ContentDocs { about, ..content }),
        answers: fields(&operation["responses"])
            .map(|(status, response)| AnswerDocs {
                status: status.to_owned(),
                about: said(response, "description")
                    .lines()
                    .map(|line| line.trim_start_matches("- ").to_owned())
                    .collect(),
                contents: contents(response).collect(),
                headers: fields(&response["headers"])
                    .map(|(name, header)| (name.to_owned(), said(header, "description")))
                    .collect(),
            })
            .collect(),
    }
}

fn parameter(parameter: &Value) -> FieldDocs {
    FieldDocs {
        name: said(parameter, "name"),
        place: match parameter["in"].as_str() {
            Some("path") => Some(Place::Path),
            Some("query") => Some(Place::Query),
            _ => Some(Place::Header),
        },
        is_required: parameter["required"] == true,
        kind: kind(&parameter["schema"]),
        about: said(parameter, "description"),
    }
}

fn schema_docs(name: &str, schema: &Value) -> SchemaDocs {
    let required = &schema["required"];
    let field = |(name, schema): (&str, &Value)| FieldDocs {
        name: name.to_owned(),
        place: None,
        is_required: items(required).any(|one| one == name),
        kind: kind(schema),
        about: said(schema, "description"),
    };
    SchemaDocs {
        name: name.to_owned(),
        about: said(schema, "description"),
        fields: fields(&schema["properties"]).map(field).collect(),
        one_of: items(&schema["oneOf"]).filter_map(name_of).collect(),
    }
}

fn contents(of: &Value) -> impl Iterator<Item = ContentDocs> {
    fields(&of["content"]).map(|(kind, content)| {
        let schema = &content["schema"];
        let first = items(&schema["allOf"]).next().unwrap_or(schema);
        ContentDocs { about: String::new(), kind: kind.to_owned(), schema: name_of(first) }
    })
}

/// Returns the name of the schema that is referred to.
fn name_of(schema: &Value) -> Option<String> {
    schema["$ref"].as_str()?.rsplit('/').next().map(ToOwned::to_owned)
}

fn kind(schema: &Value) -> Kind {
    if let Some(name) = name_of(schema) {
        return Kind::Schema(name);
    }
    if let Value::Array(values) = &schema["enum"] {
        let text = |value: &Value| value.as_str().map_or(value.to_string(), ToOwned::to_owned);
        return Kind::OneOf(values.iter().map(text).collect());
    }
    if schema["additionalProperties"].is_object() {
        return Kind::Map(Box::new(kind(&schema["additionalProperties"])));
    }
    let types: Vec<_> = match &schema["type"] {
        Value::String(one) => vec![one.clone()],
        Value::Array(all) => all.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect(),
        _ => return Kind::Any,
    };
    if types == ["array"] {
        return Kind::List(Box::new(kind(&schema["items"])));
    }
    Kind::Plain(types, limits(schema))
}

/// Returns the limits of a plain value.
fn limits(schema: &Value) -> Vec<Limit> {
    let text = |name: &str| schema.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let number = |name: &str| schema.get(name).and_then(Value::as_u64);
    let (shortest, longest) = (number("minLength"), number("maxLength"));
    let (least, most) = (number("minimum"), number("maximum"));
    let has = |one: Option<u64>, other: Option<u64>| one.or(other).is_some();
    [
        text("format").map(Limit::Format),
        has(shortest, longest).then_some(Limit::Length(shortest, longest)),
        has(least, most).then_some(Limit::Range(least, most)),
        text("pattern").map(Limit::Pattern),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn fields(of: &Value) -> impl Iterator<Item = (&str, &Value)> {
    of.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

fn items(of: &Value) -> impl Iterator<Item = &Value> {
    of.as_array().into_iter().flatten()
}

fn said(of: &Value, name: &str) -> String {
    of.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}
