//! Reads the files of the catalogue's folder.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::Files;
use crate::fault::Fault;
use crate::parse::LARGEST_KIB;

/// The file of a template's definition.
pub(super) const DEFINITION: &str = "template.toml";
pub(super) const ICON: &str = "icon.svg";
pub(super) const README: &str = "README.md";
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
    let (mut folders, mut faults) = (Vec::new(), Vec::new());
    for entry in fs::read_dir(&root).map_err(fault)? {
        let path = entry.map_err(fault)?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            let file = path.display().to_string();
            faults.push(Fault::of_file(&file, "the name of the folder is not UTF-8: rename it"));
            continue;
        };
        // Hidden ones are not for templates: editors, Git and Kubernetes make some.
        if name.starts_with('.') {
            continue;
        }
        match path.metadata() {
            Ok(found) if found.is_dir() => folders.push((name.to_owned(), Ok(path))),
            // Otherwise somebody waits for a template that is in no folder of its own.
            Ok(_) if name == DEFINITION => {
                let message = "the file is in no folder of its own: move it into one that is called \
                               like its id";
                faults.push(Fault::of_file(name, message));
            }
            Ok(_) => {}
            Err(_) if is_gone(&path) => {}
            Err(error) => {
                let message = format!("the folder cannot be read: {error}");
                folders.push((name.to_owned(), Err(vec![Fault::of_file(name, message)])));
            }
        }
    }
    folders.sort_by(|(one, _), (other, _)| one.cmp(other));
    for (name, _) in folders.drain(MOST.min(folders.len())..) {
        let message = format!("there are more than {MOST} templates: remove some");
        faults.push(Fault::of_file(&name, message));
    }
    let files = |(name, path): (String, Result<PathBuf, Vec<Fault>>)| {
        let files = path.and_then(|path| of_template(&root, &path, &name));
        (name, files)
    };
    Ok((folders.into_iter().map(files).collect(), faults))
}

/// Returns whether there is nothing, not even a link that leads nowhere.
fn is_gone(path: &Path) -> bool {
    path.symlink_metadata().is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn of_template(root: &Path, folder: &Path, name: &str) -> Result<Files, Vec<Fault>> {
    let mut faults = Vec::new();
    let mut read = |file: &str, kib: usize| {
        let path = format!("{name}/{file}");
        let text = text_of(root, &folder.join(file), kib);
        text.unwrap_or_else(|(line, message)| {
            faults.push(Fault { line, ..Fault::of_file(&path, message) });
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

/// Reads a text of at most `kib` KiB; `None` if there is none. If it cannot be used, returns why, and
/// the line if there is one.
fn text_of(
    root: &Path,
    path: &Path,
    kib: usize,
) -> Result<Option<String>, (Option<usize>, String)> {
    let Some(bytes) = bytes_of(root, path, kib).map_err(|message| (None, message))? else {
        return Ok(None);
    };
    String::from_utf8(bytes).map(Some).map_err(|error| {
        let (valid, _) = error.as_bytes().split_at(error.utf8_error().valid_up_to());
        let line = valid.split(|byte| *byte == b'\n').count();
        (Some(line), String::from("this is not UTF-8: store the file as UTF-8"))
    })
}

/// Reads a file of at most `kib` KiB; `None` if there is none.
fn bytes_of(root: &Path, path: &Path, kib: usize) -> Result<Option<Vec<u8>>, String> {
    let unreadable = |error: io::Error| format!("the file cannot be read: {error}");
    let real: PathBuf = match path.canonicalize() {
        Ok(real) => real,
        Err(_) if is_gone(path) => return Ok(None),
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
    let limit = kib * 1024;
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let read = || {
        let mut bytes = Vec::new();
        File::open(&real)?.take(most).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let bytes = unchanged(&real, read).map_err(unreadable)?;
    let bytes = bytes.ok_or("the file changed while it was read: read the folder again")?;
    if bytes.len() > limit {
        return Err(format!("the file is larger than {kib} KiB: shorten it"));
    }
    Ok(Some(bytes))
}

/// Returns what `read` returns; `None` if the file changed meanwhile.
fn unchanged<T>(path: &Path, read: impl FnOnce() -> io::Result<T>) -> io::Result<Option<T>> {
    let state = || path.metadata().and_then(|found| Ok((found.len(), found.modified()?)));
    let before = state()?;
    let content = read()?;
    Ok((state()? == before).then_some(content))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_changes_while_it_is_read_is_not_used() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "half").unwrap();
        let during = || {
            let half = fs::read(&path)?;
            fs::write(&path, "half and whole")?;
            Ok(half)
        };
        assert_eq!(unchanged(&path, during).unwrap(), None);
        let whole = unchanged(&path, || fs::read(&path)).unwrap();
        assert_eq!(whole.as_deref(), Some("half and whole".as_bytes()));
    }
}
