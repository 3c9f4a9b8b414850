//! Reads the section `[template]`.

use domain::template::text::Localized;
use domain::template::{FirstAccess, Link, Offer};

use super::checks;
use super::reader::Table;
use crate::fault::Faults;

/// The longest name, in characters.
const LONGEST_NAME: usize = 60;
/// The longest summary, in characters.
const LONGEST_SUMMARY: usize = 200;
/// The longest label, in characters.
pub(super) const LONGEST_LABEL: usize = 100;
/// The longest help, in characters.
pub(super) const LONGEST_HELP: usize = 1_000;

/// What the section says.
pub(super) struct Head {
    pub(super) id: String,
    pub(super) name: Localized,
    pub(super) summary: Localized,
    pub(super) version: String,
    pub(super) image: String,
    pub(super) port: u16,
    pub(super) command: Vec<String>,
    pub(super) first_access: (FirstAccess, usize),
    pub(super) inherit_env: Vec<(usize, String)>,
    pub(super) links: Vec<Link>,
    pub(super) offer: Offer,
}

/// Reads the section; `None` if a required key is missing or wrong.
pub(super) fn read(
    mut table: Table<'_, '_>,
    folder: Option<&str>,
    faults: &mut Faults<'_>,
) -> Option<Head> {
    let id = id(&mut table, folder, faults);
    let name = table.localized("name", LONGEST_NAME, faults);
    let summary = table.localized("summary", LONGEST_SUMMARY, faults);
    for key in ["name", "summary"].into_iter().filter(|key| !table.has(key)) {
        table.missing(key, "\"…\"", faults);
    }
    let version = version(&mut table, faults);
    let image = image(&mut table, faults);
    let port = port(&mut table, faults);
    let command = command(&mut table, "command", faults);
    let first_access = first_access(&mut table, faults);
    let inherit_env = inherit_env(&mut table, faults);
    let links = links(&mut table, faults);
    let offer =
        Offer { default: table.flag("default", faults), groups: groups(&mut table, faults) };
    table.finish(faults);
    Some(Head {
        id: id?,
        name: name?,
        summary: summary?,
        version: version?,
        image: image?,
        port: port?,
        command,
        first_access: first_access?,
        inherit_env,
        links,
        offer,
    })
}

fn id(table: &mut Table<'_, '_>, folder: Option<&str>, faults: &mut Faults<'_>) -> Option<String> {
    let id = table.required("id", "\"my-template\"", faults)?;
    let at = table.at_key("id");
    if !checks::is_id(id) {
        faults.error(
            at,
            "`id` must be 1 to 32 lower-case letters, digits and hyphens, and begin with a letter",
        );
    }
    if folder.is_some_and(|folder| !checks::is_id(folder)) {
        faults.error(
            at,
            "the folder's name cannot be an id: rename the folder to 1 to 32 lower-case letters, \
             digits and hyphens, a letter first",
        );
    } else if let Some(folder) = folder.filter(|folder| *folder != id) {
        faults.error(at, format!("`id` must be the name of the folder: write id = \"{folder}\""));
    }
    Some(id.to_owned())
}

fn version(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<String> {
    let version = table.required("version", "\"1.0.0\"", faults)?;
    if !checks::is_version(version) {
        faults.error(
            table.at_key("version"),
            "`version` must be 1 to 32 letters, digits and `.+-_`, such as 1.0.0",
        );
    }
    Some(version.to_owned())
}

fn image(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<String> {
    let image = table.required("image", "\"ghcr.io/example/app:1.2.3\"", faults)?;
    let at = table.at_key("image");
    match checks::image_fault(image) {
        Some(fault) => faults.error(at, fault),
        None if checks::is_floating(image) => faults.warning(
            at,
            "the tag of `image` may be moved to another release: write a full version or a digest",
        ),
        None => {}
    }
    Some(image.to_owned())
}

fn port(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Option<u16> {
    let Some(value) = table.value("port") else {
        table.missing("port", "8080", faults);
        return None;
    };
    let port = value.get_ref().as_integer().and_then(|number| number.to_string().parse().ok());
    let port = port.filter(|port: &u16| *port > 0);
    if port.is_none() {
        faults.error(value.span().start, "`port` must be a whole number from 1 to 65535");
    }
    port
}

/// Reads a command. The platform would expand templates in it.
pub(super) fn command(
    table: &mut Table<'_, '_>,
    key: &'static str,
    faults: &mut Faults<'_>,
) -> Vec<String> {
    let texts = table.texts(key, faults);
    for (at, text) in &texts {
        if text.contains("{{") || text.contains(|c: char| c.is_control() && c != '\n') {
            faults.error(
                *at,
                format!("a part of `{key}` cannot contain `{{{{` or control characters"),
            );
        }
        if text.len() > 4_096 {
            faults.error(*at, format!("a part of `{key}` can have at most 4096 bytes"));
        }
    }
    texts.into_iter().map(|(_, text)| text.to_owned()).collect()
}

fn first_access(
    table: &mut Table<'_, '_>,
    faults: &mut Faults<'_>,
) -> Option<(FirstAccess, usize)> {
    let text =
        table.required("first_access", "\"password:<parameter>\" or \"none-needed\"", faults)?;
    let at = table.at_key("first_access");
    match (text, text.strip_prefix("password:")) {
        ("none-needed", _) => Some((FirstAccess::NoneNeeded, at)),
        (_, Some(key)) => Some((FirstAccess::Password(key.to_owned()), at)),
        (_, None) => {
            faults.error(
                at,
                "`first_access` must be \"password:<parameter>\" with a generated secret, or \
                 \"none-needed\" if nothing in the stack can be misused",
            );
            None
        }
    }
}

fn inherit_env(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Vec<(usize, String)> {
    let names = table.texts("inherit_env", faults);
    for (at, name) in &names {
        if let Some(fault) = checks::variable_fault(name) {
            faults.error(*at, fault);
        }
    }
    names.into_iter().map(|(at, name)| (at, name.to_owned())).collect()
}

fn links(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Vec<Link> {
    let mut links = Vec::new();
    for mut link in
        table.listed("links", "[{ label = \"…\", path = \"/\" }]", faults).unwrap_or_default()
    {
        let path = link.required("path", "\"/\"", faults);
        if path.is_some_and(|path| !checks::is_path(path)) {
            faults.error(
                link.at_key("path"),
                "`path` of a link must begin with one slash, such as /admin, and have no spaces",
            );
        }
        let label = link.localized("label", LONGEST_LABEL, faults);
        if !link.has("label") {
            link.missing("label", "\"Open\"", faults);
        }
        links.extend(label.zip(path).map(|(label, path)| Link { label, path: path.to_owned() }));
        link.finish(faults);
    }
    links
}

fn groups(table: &mut Table<'_, '_>, faults: &mut Faults<'_>) -> Vec<String> {
    let groups = table.texts("groups", faults);
    for (position, (at, group)) in groups.iter().enumerate() {
        if group.trim().is_empty() || group.len() > 200 || group.contains(char::is_control) {
            faults.error(
                *at,
                "the name of a group must have 1 to 200 bytes, and no control characters",
            );
        }
        if groups.iter().take(position).any(|(_, earlier)| earlier == group) {
            faults.error(*at, format!("the group {group:?} is named twice: leave one out"));
        }
    }
    groups.into_iter().map(|(_, group)| group.to_owned()).collect()
}
