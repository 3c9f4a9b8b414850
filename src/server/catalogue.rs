//! The templates that people are offered now, and what a stack of one is made of.
//!
//! They are read from the catalogue's folder, or describe the one image of the settings. What they
//! say changes while the portal runs; a stack keeps the definition that it began with.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use catalogue::{Catalogue, Entry, Fault, Reading, Stamp};

use super::auth::accounts::group_name;
use super::auth::sign_in::Asked;
use super::platform::Registry;
use super::settings::{CatalogueSource, StackSettings};
use domain::stack_spec::TemplateRef;
use domain::template::parameter::{DefaultAnswer, Parameter, Source};
use domain::template::{Offer, Template};

/// The number of digits of a hash that are the version of the settings' template.
const VERSION_LENGTH: usize = 12;

/// Whom templates are offered to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Somebody in an open portal, where nobody has groups.
    Anybody,
    /// A person with these groups.
    Person(BTreeSet<String>),
    /// An operator, who is offered all.
    Operator,
}

impl Audience {
    /// Returns whether it is offered a template with this offer.
    fn is_offered(&self, offer: &Offer) -> bool {
        match self {
            Self::Operator => true,
            Self::Anybody => offer.groups.is_empty(),
            Self::Person(groups) => {
                offer.groups.is_empty()
                    || offer.groups.iter().any(|group| groups.contains(group_name(group)))
            }
        }
    }
}

/// The templates that there are.
#[derive(Debug)]
pub struct Offers {
    source: CatalogueSource,
    current: RwLock<Arc<Catalogue>>,
    /// The files of the folder when it was read.
    stamp: Mutex<Stamp>,
}

impl Offers {
    /// Reads the templates, of which the versions in `used` cannot change any more. Returns what is
    /// wrong with them as well.
    ///
    /// This reads files: it blocks.
    pub fn read(
        source: CatalogueSource,
        settings: &StackSettings,
        used: Vec<TemplateRef>,
    ) -> (Self, Vec<Fault>) {
        let mut known = Catalogue::default();
        for one in used {
            known.remember(one);
        }
        let mut stamp = Stamp::default();
        let Reading { catalogue, faults } = match &source {
            CatalogueSource::Folder(folder) => {
                stamp = Stamp::of(folder);
                known.reload(folder)
            }
            CatalogueSource::BuiltIn => Catalogue::built_in(),
            CatalogueSource::Settings => {
                let catalogue = of_settings(settings).map(Catalogue::only).unwrap_or_default();
                Reading { catalogue, faults: Vec::new() }
            }
        };
        let current = RwLock::new(Arc::new(catalogue));
        (Self { source, current, stamp: Mutex::new(stamp) }, faults)
    }

    /// Reads the folder again if a file of it has changed, or if it `is_asked` for, and returns what
    /// is wrong with it; `None` if it was not read.
    ///
    /// This reads files: it blocks.
    pub fn reread(&self, is_asked: bool) -> Option<Vec<Fault>> {
        let folder = match &self.source {
            CatalogueSource::Folder(folder) => folder,
            CatalogueSource::BuiltIn | CatalogueSource::Settings => return None,
        };
        let stamp = Stamp::of(folder);
        let mut last = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == stamp && !is_asked {
            return None;
        }
        let Reading { catalogue, faults } = self.current().reload(folder);
        self.replace(|now| {
            let mut next = catalogue;
            // A version may have been used meanwhile.
            now.used().for_each(|one| next.remember(one));
            next
        });
        *last = stamp;
        Some(faults)
    }

    /// Returns the templates that there are now.
    pub fn current(&self) -> Arc<Catalogue> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Returns the templates that `audience` is offered, in the order of their ids.
    pub fn offered(&self, audience: &Audience) -> Vec<Arc<Entry>> {
        let current = self.current();
        current.iter().filter(|entry| audience.is_offered(&entry.offer)).cloned().collect()
    }

    /// Returns the paths of all health checks.
    pub fn health_paths(&self) -> BTreeSet<String> {
        let current = self.current();
        let paths = current.iter().flat_map(|entry| &entry.template.health);
        paths.map(|one| one.path.clone()).collect()
    }

    /// Returns whether some template is offered to groups only.
    pub fn has_groups(&self) -> bool {
        self.current().iter().any(|entry| !entry.offer.groups.is_empty())
    }

    /// Returns what the templates ask of people.
    pub fn asked(&self) -> Asked {
        let current = self.current();
        let groups = current.iter().flat_map(|entry| &entry.offer.groups);
        let parameters = current.iter().flat_map(|entry| &entry.template.parameters);
        let asks_for_email = |parameter: &Parameter| {
            parameter.default == Some(DefaultAnswer::From(Source::PersonEmail))
        };
        Asked {
            email: parameters.into_iter().any(asks_for_email),
            groups: groups.map(|group| group_name(group).to_owned()).collect(),
        }
    }

    /// Returns the template of this id, if `audience` is offered it.
    pub fn find(&self, audience: &Audience, id: &str) -> Option<Arc<Entry>> {
        self.current().get(id).filter(|entry| audience.is_offered(&entry.offer)).cloned()
    }

    /// Records that a stack is made of this definition, so that its version cannot change any more.
    pub fn remember(&self, used: TemplateRef) {
        if !self.current().is_used(&used) {
            self.replace(|now| {
                let mut next = now.clone();
                next.remember(used);
                next
            });
        }
    }

    /// Returns the login that the image of a template is pulled with. That of the settings is sent
    /// to the registry that it is for, and to no other.
    pub fn registry<'a>(
        &self,
        template: &Template,
        settings: &'a StackSettings,
    ) -> Option<&'a Registry> {
        let registry = settings.registry.as_ref()?;
        let is_meant = match self.source {
            CatalogueSource::Settings => true,
            CatalogueSource::Folder(_) | CatalogueSource::BuiltIn => {
                registry_of(&template.image) == host_of(registry.url.as_deref())
            }
        };
        is_meant.then_some(registry)
    }

    fn replace(&self, next: impl FnOnce(&Catalogue) -> Catalogue) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        *current = Arc::new(next(&current));
    }
}

/// Returns the template that the settings describe. Its version is the hash of its content.
///
/// # Errors
///
/// None of the settings' values makes it fail.
pub fn of_settings(settings: &StackSettings) -> serde_json::Result<Entry> {
    versioned(settings.template())
}

/// Returns the entry of a template without a version, which gets the hash of its content.
///
/// # Errors
///
/// None of the settings' values makes it fail.
pub fn versioned(template: Template) -> serde_json::Result<Entry> {
    let content = Entry::of(template.clone(), Offer::default())?;
    let version = content.digest.chars().take(VERSION_LENGTH).collect();
    Entry::of(Template { version, ..template }, Offer { default: true, groups: Vec::new() })
}

/// The registry of images that name none.
const DOCKER_HUB: &str = "docker.io";

/// Returns the host of an image's registry, with its port.
fn registry_of(image: &str) -> &str {
    match image.split_once('/') {
        Some((host, _)) if host.contains(['.', ':']) || host == "localhost" => canonical(host),
        Some(_) | None => DOCKER_HUB,
    }
}

/// Returns the host of a registry's address, with its port.
fn host_of(url: Option<&str>) -> &str {
    let Some(url) = url else { return DOCKER_HUB };
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    canonical(rest.split('/').next().unwrap_or_default())
}

/// Returns the one name of a registry that has several.
fn canonical(host: &str) -> &str {
    match host {
        "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" => DOCKER_HUB,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_belongs_to_the_registry_of_its_address() {
        let cases = [
            ("ghcr.io/example/image:1", Some("ghcr.io"), true),
            ("ghcr.io/example/image:1", Some("https://ghcr.io/v2/"), true),
            ("ghcr.io/example/image:1", None, false),
            ("ghcr.io.example.com/image:1", Some("ghcr.io"), false),
            ("example/image", None, true),
            ("image", None, true),
            ("docker.io/library/image", Some("https://index.docker.io/v1/"), true),
            ("localhost:5000/image", Some("localhost:5000"), true),
            ("localhost/image", Some("localhost:5000"), false),
            ("registry.example.com:5000/a/b", Some("registry.example.com"), false),
        ];
        for (image, url, is_same) in cases {
            assert_eq!(registry_of(image) == host_of(url), is_same, "{image} {url:?}");
        }
    }

    #[test]
    fn a_template_with_groups_is_offered_to_their_members_and_to_operators() {
        let groups = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let staff = Offer { default: false, groups: vec![String::from("staff")] };
        let person = |names: &[&str]| Audience::Person(groups(names));
        assert!(Audience::Operator.is_offered(&staff));
        assert!(person(&["guests", "staff"]).is_offered(&staff));
        for other in [Audience::Anybody, person(&[]), person(&["guests"])] {
            assert!(!other.is_offered(&staff), "{other:?}");
            assert!(other.is_offered(&Offer::default()), "{other:?}");
        }
    }
}
