//! The addresses of the page's code and style.
//!
//! They have a digest of the whole code. So a browser may keep the code for ever, and a page never
//! gets the code of another build: it has other addresses.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

use axum::http::{HeaderValue, Uri};
use leptos::config::LeptosOptions;
use sha2::{Digest as _, Sha256};

/// The caching of files whose address changes with their content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The caching during development: the files change while the portal runs.
const NEVER: HeaderValue = HeaderValue::from_static("no-cache");
/// The variable that `cargo leptos watch` sets.
const WATCH: &str = "LEPTOS_WATCH";
/// The number of hexadecimal digits of a version.
const DIGITS: usize = 16;

/// The built site.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The options with which pages are rendered: their addresses of the code have the version.
    pub(super) options: LeptosOptions,
    /// The caching of the code.
    pub(super) lifetime: HeaderValue,
    /// The folder of the code, in the site.
    folder: String,
}

impl Site {
    /// Reads the code that `options` name. Without any, which is logged, the portal still has its
    /// API and pages without scripts.
    pub(super) fn read(mut options: LeptosOptions) -> Self {
        let folder = options.site_pkg_dir.to_string();
        let path = Path::new(&*options.site_root).join(&folder);
        let version = version(&path).unwrap_or_else(|error| {
            tracing::warn!(%error, folder = %path.display(), "The code of the pages cannot be read");
            String::from("none")
        });
        let lifetime = if env::var_os(WATCH).is_some() { NEVER } else { FOR_EVER };
        options.site_pkg_dir = format!("{folder}/{version}").into();
        Self { options, lifetime, folder }
    }

    /// Returns the address in the site of the file at `path`, if that has our version.
    pub(super) fn file_at(&self, path: &str) -> Option<Uri> {
        let name = path.strip_prefix('/')?.strip_prefix(&*self.options.site_pkg_dir)?;
        Uri::try_from(format!("/{}{name}", self.folder)).ok().filter(|_| name.starts_with('/'))
    }
}

/// Returns the version of the files in `folder`: a digest of their names and contents. The
/// compressed forms follow from the others.
fn version(folder: &Path) -> io::Result<String> {
    let mut digest = Sha256::new();
    for path in files(folder)? {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy();
        let content = fs::read(&path)?;
        // The lengths keep names and contents apart.
        digest.update(format!("{} {name} {} ", name.len(), content.len()));
        digest.update(content);
    }
    let mut version = base16ct::lower::encode_string(&digest.finalize());
    version.truncate(DIGITS);
    Ok(version)
}

/// Returns the uncompressed files in `folder` and the folders below it, in a fixed order.
fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.append(&mut files(&path)?);
        } else if !path.extension().is_some_and(|end| end == "br" || end == "gz") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version_of(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("snippets")).unwrap();
        for (name, content) in files {
            fs::write(folder.path().join(name), content).unwrap();
        }
        version(folder.path()).unwrap()
    }

    #[test]
    fn the_version_changes_with_every_name_and_content_and_with_nothing_else() {
        let files = [("a.js", "1"), ("snippets/b.js", "2"), ("c.css", "")];
        let first = version_of(&files);
        assert_eq!(first.len(), DIGITS);
        assert_eq!(version_of(&files), first, "written later");
        assert_eq!(version_of(&[files[2], files[0], files[1]]), first, "in another order");
        assert_eq!(version_of(&[&files[..], &[("a.js.br", "x")]].concat()), first, "compressed");
        let others = [
            [("a.js", "2"), files[1], files[2]],
            [("b.js", "1"), files[1], files[2]],
            [files[0], ("b.js", "2"), files[2]],
            [files[0], ("snippets/b.js", "21"), files[2]],
            [("a.j", "s 1 1"), files[1], files[2]],
        ];
        for other in others {
            assert_ne!(version_of(&other), first, "{other:?}");
        }
    }
}
