//! Reads the file of a template, `template.toml`: strictly, and with all faults at once.

mod checks;
mod head;
mod kind;
mod parameter;
mod parts;
mod reader;
mod rules;

use std::path::Path;

use domain::template::{Offer, Template};
use toml::de::DeTable;

use self::reader::Table;
use crate::fault::{Fault, Faults};

/// The largest file, in KiB.
pub(crate) const LARGEST_KIB: usize = 256;

/// A template as its file describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// The template.
    pub template: Template,
    /// Who is offered it.
    pub offer: Offer,
    /// The warnings.
    pub warnings: Vec<Fault>,
}

/// Parses a template. `file` is the path for messages, and names the folder that the template's id
/// must equal.
///
/// # Errors
///
/// Returns all faults, each with its line and what to write instead.
pub fn parse(text: &str, file: &str) -> Result<Definition, Vec<Fault>> {
    if text.len() > LARGEST_KIB * 1024 {
        let message = format!("the file is larger than {LARGEST_KIB} KiB: shorten it");
        return Err(vec![Fault::of_file(file, message)]);
    }
    let mut faults = Faults::new(file, text);
    let (root, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let at = error.span().map_or(0, |span| span.start);
        faults.error(at, format!("this is not TOML: {}", error.message().trim()));
    }
    if faults.has_errors() {
        return Err(faults.into_sorted());
    }
    let definition = read(Table::new("the file", 0, root.get_ref()), file, &mut faults);
    let has_errors = faults.has_errors();
    let found = faults.into_sorted();
    match definition {
        Some((template, offer)) if !has_errors => {
            Ok(Definition { template, offer, warnings: found })
        }
        Some(_) | None => Err(found),
    }
}

/// Reads the whole file; `None` if something required is missing.
fn read(mut root: Table<'_, '_>, file: &str, faults: &mut Faults<'_>) -> Option<(Template, Offer)> {
    let folder = Path::new(file).parent().and_then(Path::file_name).and_then(|name| name.to_str());
    if !root.has("template") {
        faults.error(0, "the file has no section [template]: begin with it");
    }
    let head = root
        .table("template", "[template]", faults)
        .and_then(|table| head::read(table, folder, faults));
    let env = root
        .table("env", "[env]", faults)
        .map(|table| parts::env(&table, faults))
        .unwrap_or_default();
    let health = parts::health(&mut root, faults);
    let healthcheck = root
        .table("healthcheck", "[healthcheck]", faults)
        .and_then(|one| parts::healthcheck(one, faults));
    let sizes = parts::sizes(root.tables("size", faults), faults);
    let parameters = parameter::all(root.tables("parameter", faults), faults);
    let volumes = parts::volumes(root.tables("volume", faults), faults);
    root.finish(faults);
    rules::check(head.as_ref(), &env, &parameters, faults);
    let head = head?;
    let template = Template {
        id: head.id,
        name: head.name,
        summary: head.summary,
        version: head.version,
        image: head.image,
        port: head.port,
        command: head.command,
        first_access: head.first_access.0,
        inherit_env: head.inherit_env.into_iter().map(|(_, name)| name).collect(),
        links: head.links,
        env: env.into_iter().map(|variable| (variable.name, variable.value)).collect(),
        health,
        healthcheck,
        sizes,
        parameters: parameters.into_iter().map(|one| one.parameter).collect(),
        volumes,
    };
    Some((template, head.offer))
}
