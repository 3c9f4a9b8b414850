//! The folder of the catalogue: one folder for each template, with `template.toml`, and perhaps
//! `icon.svg` and `README.md`.
//!
//! It reads files of limited size inside of the folder only. A template with a fault is refused
//! whole, and hides none of the others.

mod files;
mod stamp;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use domain::stack_spec::TemplateRef;
use domain::template::{Offer, Template};
use sha2::{Digest, Sha256};

pub use self::stamp::Stamp;
use crate::fault::Fault;
use crate::parse::{Definition, parse};
use crate::patterns::Patterns;

/// A template of the catalogue.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The definition.
    pub template: Template,
    /// Who is offered it.
    pub offer: Offer,
    /// The definition as it is stored.
    pub json: String,
    /// The SHA-256 of `json`, in hexadecimal digits.
    pub digest: String,
    /// The compiled patterns.
    pub patterns: Patterns,
    /// The icon, as SVG that nobody has checked: it may only be served as an image.
    pub icon: Option<String>,
    /// The description, as Markdown that nobody has checked.
    pub readme: Option<String>,
}

/// Returns the template of these without being named: the default one, or the only one.
pub fn unnamed<'a, I>(offered: I) -> Option<&'a Arc<Entry>>
where
    I: IntoIterator<Item = &'a Arc<Entry>>,
    I::IntoIter: Clone,
{
    let offered = offered.into_iter();
    let mut rest = offered.clone();
    let only = rest.next().filter(|_| rest.next().is_none());
    offered.clone().find(|entry| entry.offer.default).or(only)
}

/// The templates by their ids. What a newer version of it does not describe, stays as it was.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    entries: BTreeMap<String, Arc<Entry>>,
    /// The digests of the versions that are used, by id and version.
    used: BTreeMap<(String, String), String>,
}

/// A catalogue, and what was wrong while it was read.
#[derive(Clone, Debug, Default)]
pub struct Reading {
    /// The catalogue.
    pub catalogue: Catalogue,
    /// The errors, because of which templates were refused, and the warnings.
    pub faults: Vec<Fault>,
}

/// The files of a template's folder.
pub(crate) struct Files {
    /// The path of `template.toml`, for messages.
    pub(crate) file: String,
    pub(crate) definition: String,
    pub(crate) icon: Option<String>,
    pub(crate) readme: Option<String>,
}

impl Entry {
    /// Makes an entry of a template without files.
    ///
    /// # Errors
    ///
    /// None of a template's values makes it fail.
    pub fn of(template: Template, offer: Offer) -> serde_json::Result<Self> {
        let json = template.to_json()?;
        let digest = base16ct::lower::encode_string(&Sha256::digest(json.as_bytes()));
        let patterns = Patterns::of(&template);
        Ok(Self { template, offer, json, digest, patterns, icon: None, readme: None })
    }

    /// Returns the reference by which a revision names the definition.
    pub fn reference(&self) -> TemplateRef {
        let Template { id, version, .. } = &self.template;
        TemplateRef { id: id.clone(), version: version.clone(), digest: self.digest.clone() }
    }
}

impl Catalogue {
    /// Makes a catalogue of one template.
    pub fn only(entry: Entry) -> Self {
        let entries = BTreeMap::from([(entry.template.id.clone(), Arc::new(entry))]);
        Self { entries, used: BTreeMap::new() }
    }

    /// Reads a folder.
    pub fn read(folder: &Path) -> Reading {
        Self::default().reload(folder)
    }

    /// Reads a folder again. A template with a fault stays as it was, and one that is gone is gone.
    /// If the folder itself cannot be read, all stay.
    pub fn reload(&self, folder: &Path) -> Reading {
        match files::read(folder) {
            Ok((all, faults)) => self.with(all, faults),
            Err(fault) => Reading { catalogue: self.clone(), faults: vec![fault] },
        }
    }

    /// Records that a version with this digest is used, so that it is refused with another content
    /// from now on. The store knows which ones are. A version that nobody has used may still change:
    /// its file may have been read while it was half written.
    pub fn remember(&mut self, used: TemplateRef) {
        self.used.insert((used.id, used.version), used.digest);
    }

    /// Returns whether this definition is recorded as used.
    pub fn is_used(&self, used: &TemplateRef) -> bool {
        let key = (used.id.clone(), used.version.clone());
        self.used.get(&key) == Some(&used.digest)
    }

    /// Returns the definitions that are recorded as used.
    pub fn used(&self) -> impl Iterator<Item = TemplateRef> {
        let reference = |((id, version), digest): (&(String, String), &String)| TemplateRef {
            id: id.clone(),
            version: version.clone(),
            digest: digest.clone(),
        };
        self.used.iter().map(reference)
    }

    /// Returns the template of this id.
    pub fn get(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entries.get(id)
    }

    /// Returns all templates, in the order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Entry>> {
        self.entries.values()
    }

    /// Returns the template without being named: the default one, or the only one.
    pub fn default_entry(&self) -> Option<&Arc<Entry>> {
        unnamed(self.entries.values())
    }

    pub(crate) fn with(
        &self,
        all: Vec<(String, Result<Files, Vec<Fault>>)>,
        mut faults: Vec<Fault>,
    ) -> Reading {
        let mut next = Self { entries: BTreeMap::new(), used: self.used.clone() };
        for (id, files) in all {
            let entry = files.and_then(|files| {
                let (entry, mut warnings) = entry(files)?;
                next.check_version(&entry)?;
                faults.append(&mut warnings);
                Ok(Arc::new(entry))
            });
            let entry = entry.map_err(|mut refused| faults.append(&mut refused)).ok();
            if let Some(entry) = entry.or_else(|| self.entries.get(&id).cloned()) {
                next.entries.insert(id, entry);
            }
        }
        faults.extend(next.keep_one_default());
        faults.sort();
        Reading { catalogue: next, faults }
    }

    /// Refuses a version that is used with another content.
    fn check_version(&self, entry: &Entry) -> Result<(), Vec<Fault>> {
        let template = &entry.template;
        let used = self.used.get(&(template.id.clone(), template.version.clone()));
        if used.is_none_or(|digest| *digest == entry.digest) {
            return Ok(());
        }
        let message = format!(
            "version {} of {} was something else before: write another `version`",
            template.version, template.id
        );
        Err(vec![Fault::of_file(&format!("{}/{}", template.id, files::DEFINITION), message)])
    }

    /// Keeps the first default, and returns the faults of the others.
    fn keep_one_default(&mut self) -> Vec<Fault> {
        let is_default = |entry: &&mut Arc<Entry>| entry.offer.default;
        let mut defaults = self.entries.values_mut().filter(is_default);
        let Some(first) = defaults.next().map(|entry| entry.template.id.clone()) else {
            return Vec::new();
        };
        let fault = |entry: &mut Arc<Entry>| {
            Arc::make_mut(entry).offer.default = false;
            let message = format!("{first} is the default template already: leave `default` out");
            Fault::of_file(&format!("{}/{}", entry.template.id, files::DEFINITION), message)
        };
        defaults.map(fault).collect()
    }
}

/// Makes the entry of a template, with its warnings.
fn entry(files: Files) -> Result<(Entry, Vec<Fault>), Vec<Fault>> {
    let Definition { template, offer, warnings } = parse(&files.definition, &files.file)?;
    let entry = Entry::of(template, offer).map_err(|error| {
        vec![Fault::of_file(&files.file, format!("it cannot be stored: {error}"))]
    })?;
    Ok((Entry { icon: files.icon, readme: files.readme, ..entry }, warnings))
}
