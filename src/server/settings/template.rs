//! The template that the settings of a stack describe, where there is no catalogue.

use std::collections::BTreeMap;

use super::StackSettings;
use domain::stack_spec::HealthCheck;
use domain::template::text::Localized;
use domain::template::{DEFAULT_ID, FirstAccess, HealthPath, Link, Template};
use domain::words;

impl StackSettings {
    /// Returns the template that these settings describe, without a version. It asks nothing, and a
    /// stack of it gets all variables of the settings.
    pub fn template(&self) -> Template {
        let health =
            HealthPath { path: self.health_path.clone(), accept: vec![HealthCheck::SUCCESS] };
        let text = |text: &str| Localized::Plain(text.to_owned());
        let link = Link { label: text(words::template::OPEN), path: String::from("/") };
        Template {
            id: DEFAULT_ID.to_owned(),
            name: text(words::template::DEFAULT_NAME),
            summary: text(words::template::DEFAULT_SUMMARY),
            version: String::new(),
            image: self.image.clone(),
            port: self.port,
            command: Vec::new(),
            first_access: FirstAccess::NoneNeeded,
            inherit_env: self.environment.iter().map(|(name, _)| name.clone()).collect(),
            links: vec![link],
            env: BTreeMap::new(),
            health: vec![health],
            healthcheck: None,
            sizes: Vec::new(),
            parameters: Vec::new(),
            volumes: Vec::new(),
        }
    }
}
