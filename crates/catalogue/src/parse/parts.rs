//! Reads fixed variables, health checks, sizes and volumes.

use domain::size::Size;
use domain::template::answer_error::{AnswerError, FieldError};
use domain::template::carry::check_carried;
use domain::template::decimal::Decimal;
use domain::template::{Accept, HealthPath, SizeChoice, Volume};
use domain::words;

use super::checks;
use super::head::{LONGEST_LABEL, command};
use super::reader::{Located, Table, decimal, wrong_type};
use crate::fault::Faults;

/// A fixed variable.
pub(super) struct Fixed {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) at: usize,
}

/// The largest value of a fixed variable, in KiB.
const LARGEST_KIB: usize = 64;

/// Reads the fixed variables.
pub(super) fn env(table: &Table<'_, '_>, faults: &mut Faults<'_>) -> Vec<Fixed> {
    let mut fixed = Vec::new();
    for (name, at, value) in table.all() {
        if let Some(fault) = checks::variable_fault(name) {
            faults.error(at, fault);
        }
        let Some(text) = value.get_ref().as_str() else {
            wrong_type(value, name, "a text in quotes", faults);
            continue;
        };
        let is_control = |c: char| c.is_control() && c != '\n' && c != '\t';
        let characters =
            if text.contains(is_control) { Err(AnswerError::ControlCharacter) } else { Ok(()) };
        if let Err(error) = characters.and_then(|()| check_carried(text)) {
            let says = words::answer::message(&FieldError::from(error));
            faults.error(value.span().start, format!("the value of {name} is refused: {says}"));
        }
        if text.len() > LARGEST_KIB * 1024 {
            faults.error(at, format!("the value of {name} is larger than {LARGEST_KIB} KiB"));
        }
        fixed.push(Fixed { name: name.to_owned(), value: text.to_owned(), at });
    }
    fixed
}

/// Reads the paths that must answer.
pub(super) fn health(root: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Vec<HealthPath> {
    let tables = root.tables("health", faults);
    if tables.is_empty() {
        faults.error(0, "the file has no section [[health]]: add one with path = \"/health\"");
    }
    let mut paths = Vec::new();
    for mut table in tables {
        let path = table.required("path", "\"/health\"", faults);
        let is_bad = |path: &str| !checks::is_path(path) || path.contains('#');
        if path.is_some_and(is_bad) {
            faults.error(
                table.at_key("path"),
                "`path` must begin with one slash, such as /health, and have no spaces and no `#`",
            );
        }
        let accept = accept(&mut table, faults);
        paths.extend(path.map(|path| HealthPath { path: path.to_owned(), accept }));
        table.finish(faults);
    }
    paths
}

fn accept(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Vec<Accept> {
    let Some(value) = table.value("accept") else { return vec![Accept::Class(2)] };
    let items: Vec<Located<'_, '_>> = match value.get_ref().as_array() {
        Some(items) => items.iter().collect(),
        None => Vec::new(),
    };
    let codes: Option<Vec<_>> = items.iter().map(|item| accepted(item)).collect();
    let Some(codes) = codes.filter(|codes| !codes.is_empty()) else {
        let expected =
            "a list of \"2xx\", \"3xx\" and codes from 200 to 499, such as [\"2xx\", 401]";
        wrong_type(value, "accept", expected, faults);
        return Vec::new();
    };
    if codes.iter().any(|codes| codes.includes(NO_STACK)) {
        faults.error(
            value.span().start,
            "`accept` must not have 404 or \"4xx\": the proxy answers 404 where no stack is. Write \
             the codes that the program answers, such as [\"2xx\", 401]",
        );
    }
    codes
}

/// The status of the proxy's own answer for an address that no stack has.
const NO_STACK: u16 = 404;

fn accepted(item: Located<'_, '_>) -> Option<Accept> {
    let item = item.get_ref();
    if let Some(number) = item.as_integer() {
        let code = number.to_string().parse().ok().filter(|code| (200..=499).contains(code));
        return code.map(Accept::Code);
    }
    match item.as_str()? {
        "2xx" => Some(Accept::Class(2)),
        "3xx" => Some(Accept::Class(3)),
        "4xx" => Some(Accept::Class(4)),
        _ => None,
    }
}

/// Reads the command of the container runtime's own health check.
pub(super) fn healthcheck(
    mut table: Table<'_, '_>,
    faults: &mut Faults<'_>,
) -> Option<Vec<String>> {
    let at = table.at_key("command");
    let command = command(&mut table, "command", faults);
    let is_command = match command.first().map(String::as_str) {
        Some("CMD") => command.len() > 1,
        Some("CMD-SHELL") => command.len() == 2,
        Some(_) | None => false,
    };
    if !is_command {
        faults.error(
            at,
            "[healthcheck] needs `command` = [\"CMD\", \"program\", …] or [\"CMD-SHELL\", \"line\"]",
        );
    }
    table.finish(faults);
    is_command.then_some(command)
}

/// Reads the sizes.
pub(super) fn sizes(tables: Vec<Table<'_, '_>>, faults: &mut Faults<'_>) -> Vec<SizeChoice> {
    let mut sizes: Vec<SizeChoice> = Vec::new();
    for mut table in tables {
        let at = table.at();
        let id = table.required("id", "\"small\"", faults).unwrap_or_default();
        if !checks::is_id(id) {
            faults.error(
                table.at_key("id"),
                "`id` of a size must be lower-case letters, digits and hyphens",
            );
        }
        if sizes.iter().any(|size| size.id == id) {
            faults.error(
                table.at_key("id"),
                format!("the size {id} is there twice: name it otherwise"),
            );
        }
        let default = table.flag("default", faults);
        if default && sizes.iter().any(|size| size.default) {
            faults.error(at, "two sizes are the default: leave `default` out of one");
        }
        let label = table.localized("label", LONGEST_LABEL, faults);
        let limits =
            Size { cpu_nanos: cpu(&mut table, faults), memory_bytes: memory(&mut table, faults) };
        if !table.has("cpu") && !table.has("memory") {
            faults.error(
                at,
                "a size needs `cpu` or `memory`: write cpu = \"1\" and memory = \"2GiB\"",
            );
        }
        table.finish(faults);
        sizes.push(SizeChoice { id: id.to_owned(), label, limits, default });
    }
    if sizes.len() > 20 {
        faults.error(0, "there are more than 20 sizes: use fewer");
    }
    sizes
}

fn cpu(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<u64> {
    let value = table.value("cpu")?;
    let number = match value.get_ref().as_str() {
        Some(text) => Decimal::parse(text).ok(),
        None => decimal(value.get_ref()),
    };
    let nanos =
        number.and_then(|number| u64::try_from(number.millionths()).ok()).map(|one| one * 1_000);
    let nanos = nanos.filter(|nanos| (10_000_000..=1_024_000_000_000).contains(nanos));
    if nanos.is_none() {
        wrong_type(value, "cpu", "a number of CPUs from 0.01 to 1024, such as \"0.5\"", faults);
    }
    nanos
}

fn memory(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<u64> {
    let value = table.value("memory")?;
    let bytes = value.get_ref().as_str().and_then(checks::memory);
    if bytes.is_none() {
        wrong_type(
            value,
            "memory",
            "a whole number of MiB or GiB from 6MiB, such as \"2GiB\"",
            faults,
        );
    }
    bytes
}

/// Reads the volumes.
pub(super) fn volumes(tables: Vec<Table<'_, '_>>, faults: &mut Faults<'_>) -> Vec<Volume> {
    let mut volumes: Vec<Volume> = Vec::new();
    for mut table in tables {
        let key = table.required("key", "\"data\"", faults).unwrap_or_default();
        let path = table.required("path", "\"/app/data\"", faults).unwrap_or_default();
        let (at_key, at_path) = (table.at_key("key"), table.at_key("path"));
        if !checks::is_key(key) {
            faults.error(
                at_key,
                "`key` of a volume must be lower-case letters, digits and underscores",
            );
        }
        if volumes.iter().any(|volume| volume.key == key) {
            faults.error(at_key, format!("the volume {key} is there twice: name it otherwise"));
        }
        if let Some(fault) = checks::volume_fault(path) {
            faults.error(at_path, fault);
        }
        let nests = |one: &&Volume| {
            !path.is_empty() && (checks::is_in(path, &one.path) || checks::is_in(&one.path, path))
        };
        if let Some(other) = volumes.iter().find(nests) {
            faults.error(
                at_path,
                format!(
                    "the volumes {key} and {} are in one another: use separate folders",
                    other.key
                ),
            );
        }
        let exclusive = table.flag("exclusive", faults);
        table.finish(faults);
        volumes.push(Volume { key: key.to_owned(), path: path.to_owned(), exclusive });
    }
    if volumes.len() > 10 {
        faults.error(0, "there are more than 10 volumes: use fewer");
    }
    volumes
}
