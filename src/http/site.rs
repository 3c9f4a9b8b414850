//! The code of the pages: scripts, WebAssembly and style.
//!
//! Its addresses have a digest of the whole code. So a browser may keep the code for ever, and a page
//! never gets the code of another build: it has other addresses. The code is read once, so that it
//! always is what its digest says, and a client that does not read it costs no open file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{env, fs, io};

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use leptos::config::LeptosOptions;
use sha2::{Digest as _, Sha256};

use super::error;
use super::headers::{list, weighted};
use crate::app::SmallForms;

/// The caching of files whose address changes with their content.
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The variable that `cargo leptos watch` sets.
const WATCH: &str = "LEPTOS_WATCH";
/// What the names of the small forms of the scripts and the WebAssembly have besides the whole one's.
const CONTROLS: &str = "-controls";
const QUESTIONS: &str = "-questions";
/// What the name of the style sheet of the pages of stacks has besides that of all pages.
const STACK: &str = "-stack";
/// The number of hexadecimal digits of a version.
const DIGITS: usize = 16;
/// The compressed forms of a file, with the endings of their names, the smallest first.
const COMPRESSED: [(&str, &str); 2] = [("br", ".br"), ("gzip", ".gz")];

/// The built site.
#[derive(Clone, Debug)]
pub(super) struct Site {
    /// The options with which pages are rendered: their addresses of the code have the version.
    pub(super) options: LeptosOptions,
    /// True during development, when the files change while the portal runs.
    pub(super) is_watched: bool,
    /// The names of the scripts and the WebAssembly of the pages without a deployment.
    pub(super) small: SmallForms,
    /// The folder of the code, in the site.
    folder: String,
    code: Arc<Code>,
}

/// The files of the code by their names, compressed forms included.
type Code = BTreeMap<String, CodeFile>;

/// A file of the code.
#[derive(Debug)]
struct CodeFile {
    content: Bytes,
    /// The tag by which clients know it: a digest of its content.
    tag: HeaderValue,
}

impl Site {
    /// Reads the code that `options` name. Without any, which is logged, the portal still has its
    /// API and pages without scripts.
    pub(super) fn read(mut options: LeptosOptions) -> Self {
        let folder = options.site_pkg_dir.to_string();
        let path = Path::new(&*options.site_root).join(&folder);
        let code = read(&path).unwrap_or_else(|error| {
            tracing::warn!(%error, folder = %path.display(), "The code of the pages cannot be read");
            Code::new()
        });
        // cargo-leptos alone builds no small form: then it is the whole code.
        let form = |which| {
            let name = format!("{}{which}", options.output_name);
            let has = |end| code.contains_key(&format!("{name}{end}"));
            let is_there = has(".js") && has(".wasm");
            if is_there { name.into() } else { Arc::clone(&options.output_name) }
        };
        let stack_style = format!("{}{STACK}", options.output_name);
        let has_stack_style = code.contains_key(&format!("{stack_style}.css"));
        let small = SmallForms {
            controls: form(CONTROLS),
            questions: form(QUESTIONS),
            stack_style: has_stack_style.then(|| stack_style.into()),
        };
        options.site_pkg_dir = format!("{folder}/{}", version(&code)).into();
        let is_watched = env::var_os(WATCH).is_some();
        Self { options, is_watched, small, folder, code: Arc::new(code) }
    }

    /// Returns the address in the site of the file at `path`, if that has our version.
    pub(super) fn file_at(&self, path: &str) -> Option<Uri> {
        Uri::try_from(format!("/{}/{}", self.folder, self.name(path)?)).ok()
    }

    /// Answers a request for the file at `uri`.
    pub(super) fn answer(&self, uri: &Uri, headers: &HeaderMap) -> Response {
        let name = self.name(uri.path()).filter(|name| !is_compressed(name));
        let found = name.and_then(|name| self.form(name, headers));
        found.unwrap_or_else(|| error::unknown(uri).into_response())
    }

    /// Returns the name of the file at `path`, if that has our version.
    fn name<'a>(&self, path: &'a str) -> Option<&'a str> {
        path.strip_prefix('/')?.strip_prefix(&*self.options.site_pkg_dir)?.strip_prefix('/')
    }

    /// Returns the form of a file that the client prefers, or says that it has that already.
    fn form(&self, name: &str, headers: &HeaderMap) -> Option<Response> {
        let plain = self.code.get(name)?;
        let forms = COMPRESSED.iter().filter_map(|(coding, end)| {
            Some((*coding, self.code.get(&format!("{name}{end}"))?, quality(headers, coding)?))
        });
        let plain = ("identity", plain, quality(headers, "identity").unwrap_or(0.0));
        // Of equals, the last is chosen.
        let forms = [plain].into_iter().chain(forms.collect::<Vec<_>>().into_iter().rev());
        let (coding, file, _) = forms.max_by(|(.., one), (.., other)| one.total_cmp(other))?;
        let fixed = [
            (header::CACHE_CONTROL, FOR_EVER),
            (header::VARY, HeaderValue::from_static("accept-encoding")),
            (header::ETAG, file.tag.clone()),
        ];
        if has(headers, &file.tag) {
            return Some((StatusCode::NOT_MODIFIED, fixed).into_response());
        }
        let content_type = [(header::CONTENT_TYPE, HeaderValue::from_static(content_type(name)))];
        // No copy: the content is shared by all who read it.
        let body = Body::from(file.content.clone());
        let mut response = (fixed, content_type, body).into_response();
        if coding != "identity" {
            let coding = HeaderValue::from_static(coding);
            response.headers_mut().insert(header::CONTENT_ENCODING, coding);
        }
        Some(response)
    }
}

/// Returns how much the client likes this coding, if it is listed and accepted.
fn quality(headers: &HeaderMap, coding: &str) -> Option<f32> {
    let listed = list(headers, header::ACCEPT_ENCODING).find_map(|element| {
        let (name, weight) = weighted(element);
        weight.filter(|_| name.eq_ignore_ascii_case(coding))
    });
    listed?.parse().ok().filter(|quality| *quality > 0.0)
}

/// Returns whether the client has the content with this tag.
pub(super) fn has(headers: &HeaderMap, tag: &HeaderValue) -> bool {
    let mut known = list(headers, header::IF_NONE_MATCH);
    known.any(|known| known == "*" || known.trim_start_matches("W/").as_bytes() == tag.as_bytes())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("js" | "mjs") => "text/javascript",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css",
        Some("json" | "map") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some(_) | None => "application/octet-stream",
    }
}

fn is_compressed(name: &str) -> bool {
    COMPRESSED.iter().any(|(_, end)| name.ends_with(end))
}

/// Returns the version of the code: a digest of the names and contents of its files.
fn version(code: &Code) -> String {
    let mut all = Vec::new();
    for (name, CodeFile { content, .. }) in code {
        // The lengths keep names and contents apart.
        all.extend(format!("{} {name} {} ", name.len(), content.len()).into_bytes());
        all.extend_from_slice(content);
    }
    digest(&all)
}

/// Returns the tag of this content: a digest of it.
pub(super) fn tag(content: &[u8]) -> HeaderValue {
    HeaderValue::try_from(format!("\"{}\"", digest(content)))
        .unwrap_or(HeaderValue::from_static("\"\""))
}

fn digest(content: &[u8]) -> String {
    let mut digits = base16ct::lower::encode_string(&Sha256::digest(content));
    digits.truncate(DIGITS);
    digits
}

/// Reads the files in `folder` and the folders below it.
fn read(folder: &Path) -> io::Result<Code> {
    let content = |path: PathBuf| {
        let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().into_owned();
        let content = Bytes::from(fs::read(path)?);
        let tag = tag(&content);
        Ok((name, CodeFile { content, tag }))
    };
    files(folder)?.into_iter().map(content).collect()
}

fn files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.append(&mut files(&path)?);
        } else {
            found.push(path);
        }
    }
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
        version(&read(folder.path()).unwrap())
    }

    #[test]
    fn the_version_changes_with_every_name_and_content_and_with_nothing_else() {
        let files = [("a.js", "1"), ("snippets/b.js", "2"), ("c.css", "")];
        let first = version_of(&files);
        assert_eq!(first.len(), DIGITS);
        assert_eq!(version_of(&files), first, "written later");
        assert_eq!(version_of(&[files[2], files[0], files[1]]), first, "in another order");
        let compressed = [&files[..], &[("a.js.br", "x")]].concat();
        assert_ne!(version_of(&compressed), first, "another compression");
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

    #[test]
    fn a_client_gets_the_form_that_it_prefers_and_understands() {
        let folder = tempfile::tempdir().unwrap();
        let pkg = folder.path().join("pkg");
        fs::create_dir(&pkg).unwrap();
        for name in ["a.js", "a.js.br", "a.js.gz", "b.wasm", "b.wasm.gz"] {
            fs::write(pkg.join(name), name).unwrap();
        }
        let root = folder.path().to_str().unwrap().to_owned();
        let site = Site::read(LeptosOptions::builder().output_name("a").site_root(root).build());
        let chosen = |name: &str, accepted: &str| {
            let value = HeaderValue::from_str(accepted).unwrap();
            let headers = [(header::ACCEPT_ENCODING, value)].into_iter().collect();
            let path = format!("/{}/{name}", site.options.site_pkg_dir);
            let uri = Uri::try_from(path).unwrap();
            let response = site.answer(&uri, &headers);
            let coding = response.headers().get(header::CONTENT_ENCODING);
            coding.map_or("-", |coding| coding.to_str().unwrap()).to_owned()
        };
        for (accepted, of_script, of_wasm) in [
            ("gzip, br", "br", "gzip"),
            ("br", "br", "-"),
            ("GZIP;q=0.5, br ; q=0.4", "gzip", "gzip"),
            ("gzip, identity;q=0.5", "gzip", "gzip"),
            ("identity, gzip;q=0.5", "-", "-"),
            ("br;q=0, gzip;q=0.001", "gzip", "gzip"),
            ("*;q=0", "-", "-"),
            ("identity;q=0, br;q=0", "-", "-"),
            ("gzip;q=x, zstd", "-", "-"),
            ("", "-", "-"),
        ] {
            let found = (chosen("a.js", accepted), chosen("b.wasm", accepted));
            assert_eq!(found, (of_script.to_owned(), of_wasm.to_owned()), "{accepted}");
        }
    }
}
