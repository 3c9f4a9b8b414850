//! Reads the files of the catalogue's folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Files;
use crate::fault::Fault;
use crate::parse::LARGEST_KIB;

/// The file of a template's definition.
pub(super) const DEFINITION: &str = "template.toml";
const ICON: &str = "icon.svg";
const README: &str = "README.md";
const LARGEST_ICON_KIB: usize = 64;
/// The largest number of templates.
const MOST: usize = 200;

/// The templates by the names of their folders, each with its files or what is wrong with them.
type Templates = Vec<(String, Result<Files, Vec<Fault>>)>;

/// Reads a folder: its templates, and what is wrong besides.
///
/// # Errors
///
/// Returns why the folder itself cannot be read.
pub(super) fn read(folder: &Path) -> Result<(Templates, Vec<Fault>), Fault> {
    let fault = |error: io::Error| {
        let message = format!("the catalogue's folder cannot be read: {error}");
        Fault::of_file(&folder.display().to_string(), message)
    };
    let root = folder.canonicalize().map_err(fault)?;
    let (mut templates, mut faults) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(&root).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            let file = path.display().to_string();
            faults.push(Fault::of_file(&file, "the name of the folder is not UTF-8: rename it"));
            continue;
        };
        // Hidden ones are not for templates: editors, Git and Kubernetes make some.
        if name.starts_with('.') || !path.is_dir() {
            continue;
        }
        templates.push((name.to_owned(), of_template(&root, &path, name)));
    }
    templates.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, _) in templates.drain(MOST.min(templates.len())..) {
        faults.push(Fault::of_file(
            &name,
            format!("there are more than {MOST} templates: remove some"),
        ));
    }
    Ok((templates, faults))
}

fn of_template(root: &Path, folder: &Path, name: &str) -> Result<Files, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut read = |file: &str, kib: usize| {
        let path = format!("{name}/{file}");
        let text = text_of(root, &folder.join(file), kib);
        text.unwrap_or_else(|message| {
            faults.push(Fault::of_file(&path, message));
            None
        })
    };
    let definition = read(DEFINITION, LARGEST_KIB);
    let icon = read(ICON, LARGEST_ICON_KIB);
    let readme = read(README, LARGEST_KIB);
    let file = format!("{name}/{DEFINITION}");
    if definition.is_none() && faults.is_empty() {
        let message = "the file is missing: add it, or begin the folder's name with a dot";
        faults.push(Fault::of_file(&file, message));
    }
    if icon.as_ref().is_some_and(|icon| !icon.contains("<svg")) {
        let message = "the icon is no SVG: it must have an element `svg`";
        faults.push(Fault::of_file(&format!("{name}/{ICON}"), message));
    }
    match definition.filter(|_| faults.is_empty()) {
        Some(definition) => Ok(Files { file, definition, icon, readme }),
        None => Err(faults),
    }
}

/// Reads a file of at most `kib` KiB; `None` if there is none.
fn text_of(root: &Path, path: &Path, kib: usize) -> Result<Option<String>, String> {
    let unreadable = |error: io::Error| format!("the file cannot be read: {error}");
    let real: PathBuf = match path.canonicalize() {
        Ok(real) => real,
        // A link that leads nowhere is no missing file.
        Err(_) if path.symlink_metadata().is_err() => return Ok(None),
        Err(error) => return Err(unreadable(error)),
    };
    if !real.starts_with(root) {
        return Err(String::from(
            "the file is a link out of the catalogue's folder: copy it there",
        ));
    }
    // Other kinds of files, such as pipes, could block.
    if !real.is_file() {
        return Err(String::from("this is no file"));
    }
    let mut bytes = Vec::new();
    let limit = kib * 1024;
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let file = File::open(&real).map_err(unreadable)?;
    file.take(most).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() > limit {
        return Err(format!("the file is larger than {kib} KiB: shorten it"));
    }
    let text = String::from_utf8(bytes);
    text.map(Some).map_err(|_| String::from("the file is not UTF-8: store it as UTF-8"))
}
