//! A template whose stacks show their revision, for changes of real portals.

use std::path::Path;

/// The template. It runs with the tags `1` to `3`, and with `crashloop` it does not.
const TEMPLATE: &str = r#"
[template]
id = "revisions"
name = "Revisions"
summary = "Shows its revision."
version = "{version}"
image = "sandbox/revisions:{tag}"
port = 8080
first_access = "none-needed"

[[health]]
path = "/health"

[[size]]
id = "small"
memory = "256MiB"
default = true

[[size]]
id = "large"
memory = "1GiB"
"#;

const VOLUME: &str = r#"
[[volume]]
key = "data"
path = "/data"
"#;

const HEALTHCHECK: &str = r#"
[healthcheck]
command = ["CMD-SHELL", "curl -fs http://127.0.0.1:8080/"]
"#;

/// Offers a version of the template in this folder of a catalogue, and no other.
pub(crate) fn offer(folder: &Path, version: &str, tag: &str) -> std::io::Result<()> {
    write(folder, &TEMPLATE.replace("{version}", version).replace("{tag}", tag))
}

/// Does the same with a version that listens on another port, and has a volume.
pub(crate) fn offer_with_volume(folder: &Path, version: &str, tag: &str) -> std::io::Result<()> {
    let template = TEMPLATE.replace("{version}", version).replace("{tag}", tag);
    write(folder, &(template.replace("8080", "9090") + VOLUME))
}

/// Does the same with a version that has a health check of Docker's own, so that a new container starts
/// before the former one stops.
pub(crate) fn offer_with_check(folder: &Path, version: &str, tag: &str) -> std::io::Result<()> {
    let template = TEMPLATE.replace("{version}", version).replace("{tag}", tag);
    write(folder, &(template + HEALTHCHECK))
}

fn write(folder: &Path, template: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder.join("revisions"))?;
    std::fs::write(folder.join("revisions").join("template.toml"), template)
}
