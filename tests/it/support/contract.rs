//! Checks the answers of the portal against the description of its API, strictly: a field that the
//! document does not have is an error here, although clients must accept further ones.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use ai_stack_deployer::http::openapi_document;
use domain::refusal::RefusalCode;
use jsonschema::Validator;
use serde_json::{Map, Value, json};

/// The schemas of the data of events, by the names of the events.
const EVENTS: [(&str, &str); 5] = [
    ("stacks", "StacksAnswer"),
    ("progress", "ProgressEvent"),
    ("log", "LogEntry"),
    ("complete", "CompleteEvent"),
    ("error", "ErrorEvent"),
];
/// The schema of the data of the events of stacks.
const STACK_EVENT: &str = "StackEvent";
/// The names of the events of stacks.
const STACK_EVENTS: [&str; 8] = [
    "operation_begun", "operation_ended", "cleaned_up", "revision_live", "unhealthy", "recovered",
    "stopped_by_itself", "expiry_changed",
];
/// The statuses whose answers have all headers that the document names.
const WITH_ALL_HEADERS: [u16; 4] = [201, 303, 401, 429];

/// The document, with a validator for each schema that it uses.
static DOCUMENT: LazyLock<Document> = LazyLock::new(Document::read);

/// A request, and the answer to it.
#[derive(Clone, Debug)]
pub(crate) struct Exchange<'a> {
    pub(crate) method: &'a str,
    /// The path and the query.
    pub(crate) target: &'a str,
    pub(crate) status: u16,
    /// The headers, by their names in lower case.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: &'a str,
}

struct Document {
    paths: Map<String, Value>,
    /// By schemas, as JSON.
    validators: BTreeMap<String, Validator>,
}

/// Panics if the API's document does not allow the answer.
pub(crate) fn check(exchange: &Exchange<'_>) {
    if let Err(problem) = problem(exchange) {
        panic!("the document of the API says something else: {problem}\n{exchange:#?}");
    }
}

/// Does the same as [`check`] for an exchange as it was on the wire, if it was with the portal.
pub(crate) fn check_raw(request: &str, answer: &str) {
    let Some((head, body)) = answer.split_once("\r\n\r\n") else { return };
    let mut words = request.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    let lines = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    let lines = lines.map(|(name, value)| (name.to_lowercase(), value.trim().to_owned()));
    let headers: BTreeMap<_, _> = lines.collect();
    // Neither the sandbox nor a stack sends this header.
    if !headers.contains_key("cross-origin-opener-policy") {
        return;
    }
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let is_chunked = headers.get("transfer-encoding").is_some_and(|coding| coding == "chunked");
    let body = if is_chunked { joined(body) } else { body.to_owned() };
    check(&Exchange { method, target, status, headers, body: &body });
}

/// Joins the chunks of a body.
fn joined(mut body: &str) -> String {
    let mut whole = String::new();
    while let Some((length, rest)) = body.split_once("\r\n") {
        let Ok(length) = usize::from_str_radix(length.trim(), 16) else { break };
        if length == 0 || rest.len() < length {
            break;
        }
        whole.push_str(&rest[..length]);
        body = rest[length..].trim_start_matches("\r\n");
    }
    whole
}

/// Returns what the document does not allow about the answer.
pub(crate) fn problem(exchange: &Exchange<'_>) -> Result<(), String> {
    let path = exchange.target.split('?').next().unwrap();
    // What another origin may send is asked with OPTIONS, which is not a part of any API.
    let is_other = exchange.method == "OPTIONS" || path.starts_with("/api/fn/");
    if !path.starts_with("/api/") || is_other {
        return Ok(());
    }
    let method = exchange.method.to_lowercase();
    let operation = DOCUMENT.operation(path, if method == "head" { "get" } else { &method });
    let Some(operation) = operation else { return unknown(exchange) };
    let response = &operation["responses"][exchange.status.to_string()];
    if response.is_null() {
        return Err(format!("no status {}", exchange.status));
    }
    headers(exchange, response)?;
    if method == "head" {
        return Ok(());
    }
    let Some(contents) = response["content"].as_object() else {
        let is_empty = exchange.body.is_empty();
        return if is_empty { Ok(()) } else { Err(String::from("no content is expected")) };
    };
    let kind = exchange.headers.get("content-type").ok_or("no content type")?;
    let content = contents.get(kind).ok_or_else(|| format!("no content type {kind}"))?;
    match kind.as_str() {
        "text/event-stream" => events(exchange.body),
        kind if kind.ends_with("json") => conforms(exchange.body, &content["schema"]),
        _ => Ok(()),
    }
}

/// Checks the answer to a request that the document does not have: an error that says so, or what is
/// refused before a route is found.
fn unknown(exchange: &Exchange<'_>) -> Result<(), String> {
    // Another spelling of a page's address.
    if exchange.method == "HEAD" || exchange.status == 308 {
        return Ok(());
    }
    conforms(exchange.body, &json!({ "$ref": "#/components/schemas/Error" }))?;
    let error: Value = serde_json::from_str(exchange.body).unwrap();
    let code: RefusalCode = error["code"].as_str().unwrap().parse().unwrap();
    if code.status() == exchange.status { Ok(()) } else { Err(String::from("another status")) }
}

fn headers(exchange: &Exchange<'_>, response: &Value) -> Result<(), String> {
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        match exchange.headers.get(&name.to_lowercase()) {
            None if WITH_ALL_HEADERS.contains(&exchange.status) => {
                return Err(format!("no header {name}"));
            }
            Some(value) if header["schema"]["type"] == "integer" => {
                conforms(value, &header["schema"])?;
            }
            Some(_) | None => {}
        }
    }
    Ok(())
}

/// Checks the data of each complete event in a stream.
fn events(stream: &str) -> Result<(), String> {
    for event in stream.split_inclusive("\n\n").filter(|event| event.ends_with("\n\n")) {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let Some(name) = field("event:") else { continue };
        let schema = EVENTS.iter().find(|(event, _)| *event == name.trim());
        let of_stack = STACK_EVENTS.contains(&name.trim()).then_some(STACK_EVENT);
        let schema = schema.map(|(_, schema)| *schema).or(of_stack);
        let schema = schema.ok_or_else(|| format!("no event {name}"))?;
        let reference = json!({ "$ref": format!("#/components/schemas/{schema}") });
        conforms(field("data:").unwrap_or_default(), &reference)?;
    }
    Ok(())
}

/// Checks JSON against a schema that the document uses.
fn conforms(text: &str, schema: &Value) -> Result<(), String> {
    let value: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    let validator = &DOCUMENT.validators[&schema.to_string()];
    let problems: Vec<_> = validator
        .iter_errors(&value)
        .map(|error| format!("{error} at {:?}", error.instance_path().to_string()))
        .collect();
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

impl Document {
    fn read() -> Self {
        let document: Value = serde_json::from_str(openapi_document()).unwrap();
        let mut schemas = document["components"]["schemas"].clone();
        close(&mut schemas);
        let mut used = Vec::new();
        collect(&document["paths"], &mut used);
        let names = EVENTS.iter().map(|(_, name)| *name).chain(["Error", STACK_EVENT]);
        used.extend(names.map(|name| json!({ "$ref": format!("#/components/schemas/{name}") })));
        let validator = |schema: &Value| {
            let whole = json!({ "allOf": [schema], "components": { "schemas": schemas } });
            let options = jsonschema::draft202012::options().should_validate_formats(true);
            options.build(&whole).unwrap()
        };
        let validators = used.iter().map(|schema| (schema.to_string(), validator(schema)));
        let validators = validators.collect();
        Self { paths: document["paths"].as_object().unwrap().clone(), validators }
    }

    /// Returns the operation for a path and a method.
    fn operation(&self, path: &str, method: &str) -> Option<&Value> {
        let is_of = |template: &str| {
            let (own, parts): (Vec<_>, Vec<_>) =
                (template.split('/').collect(), path.split('/').collect());
            let fits = |(own, part): (&&str, &&str)| {
                own == part || own.starts_with('{') && !part.is_empty()
            };
            own.len() == parts.len() && own.iter().zip(&parts).all(fits)
        };
        let item = self.paths.iter().find(|(template, _)| is_of(template));
        item.and_then(|(_, item)| item.get(method))
    }
}

/// Collects the schemas of the answers.
fn collect(value: &Value, found: &mut Vec<Value>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if name == "schema" {
                    if !found.contains(value) {
                        found.push(value.clone());
                    }
                } else {
                    collect(value, found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Forbids fields that the schemas do not have.
fn close(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            if fields.contains_key("properties") && !fields.contains_key("additionalProperties") {
                fields.insert(String::from("additionalProperties"), Value::Bool(false));
            }
        }
        Value::Array(items) => items.iter_mut().for_each(close),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
