//! Templates: what a person can have, and what they are asked.
//!
//! One check of answers serves the API, the pages and the browser. It must not know files, TOML, or
//! how patterns are matched.

pub mod answer_error;
pub mod answers;
pub mod carry;
mod check;
pub mod checked;
pub mod decimal;
pub mod parameter;
mod rules;
pub mod situation;
pub mod text;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use self::parameter::Parameter;
use self::parameter::is_false;
use self::text::Localized;
use crate::size::Size;

/// The keys that no parameter can have: they name other fields of a request or of a form.
pub const RESERVED_KEYS: [&str; 5] = ["name", "parameters", "secrets", "size", "template"];
/// The id of the template that the settings describe, where there is no catalogue.
pub const DEFAULT_ID: &str = "default";
/// The largest number of parameters of a template, and of answers in a request.
pub const MOST_PARAMETERS: usize = 64;

/// The definition of a template. Persisted as JSON by the hash of its content: never rename fields,
/// only add some, which are left out where they say nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// The id, which is the name of its folder.
    pub id: String,
    /// The name.
    pub name: Localized,
    /// What it is, in one line.
    pub summary: Localized,
    /// The version. Another content has another version.
    pub version: String,
    /// The image, with its tag or digest.
    pub image: String,
    /// The port on which the container listens.
    pub port: u16,
    /// The command; that of the image if it is empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub command: Vec<String>,
    /// How the stack is protected from whoever opens it first.
    pub first_access: FirstAccess,
    /// The variables that it gets from the portal's settings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherit_env: Vec<String>,
    /// The links of the stack; the first is the main one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// The fixed variables.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The paths that must all answer.
    pub health: Vec<HealthPath>,
    /// The command of the container runtime's own health check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<Vec<String>>,
    /// The sizes to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sizes: Vec<SizeChoice>,
    /// The questions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<Parameter>,
    /// The volumes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volumes: Vec<Volume>,
}

/// Who is offered a template. It is no part of the definition, so a change needs no new version.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// Whether it is the one without being named.
    pub default: bool,
    /// The groups that are offered it; everybody if there are none.
    pub groups: Vec<String>,
}

/// How a stack is protected from whoever opens it first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FirstAccess {
    /// By the password that is the answer to this parameter.
    Password(String),
    /// Nothing in it can be misused.
    NoneNeeded,
}

/// A link of a stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Link {
    /// Its text.
    pub label: Localized,
    /// The path below the stack's address.
    pub path: String,
}

/// A path that tells by its answer whether the stack works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HealthPath {
    /// The path.
    pub path: String,
    /// The status codes that are good.
    pub accept: Vec<Accept>,
}

/// Status codes of HTTP that are good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accept {
    /// All codes with this first digit.
    Class(u8),
    /// This code.
    Code(u16),
}

impl HealthPath {
    /// Returns whether `status` is a good answer.
    pub fn accepts(&self, status: u16) -> bool {
        self.accept.iter().any(|codes| codes.includes(status))
    }
}

impl Accept {
    /// Returns whether `status` is one of the codes.
    pub fn includes(self, status: u16) -> bool {
        match self {
            Self::Class(digit) => status / 100 == u16::from(digit),
            Self::Code(code) => status == code,
        }
    }
}

/// A size to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SizeChoice {
    /// The id, unique in the template.
    pub id: String,
    /// Its name; the id where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<Localized>,
    /// The limits of the container.
    pub limits: Size,
    /// Whether it is the one if none is chosen.
    #[serde(default, skip_serializing_if = "is_false")]
    pub default: bool,
}

/// A volume.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Volume {
    /// The key, unique in the template.
    pub key: String,
    /// The folder in the container.
    pub path: String,
    /// Whether two containers must never have it at once.
    #[serde(default, skip_serializing_if = "is_false")]
    pub exclusive: bool,
}

/// The form in which templates are stored, by its version.
#[derive(Serialize, Deserialize)]
#[serde(tag = "form")]
enum Versioned<T> {
    #[serde(rename = "1")]
    One(T),
}

impl Template {
    /// Writes it down, with the version of its form. Equal templates have equal texts.
    ///
    /// # Errors
    ///
    /// None of its values makes it fail.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Versioned::One(self))
    }

    /// Reads what [`Template::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with a text that is no template, or one in the form of a later version.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        let Versioned::One(template) = serde_json::from_str(text)?;
        Ok(template)
    }

    /// Returns whether a stack of it needs nothing but a name: it has neither questions nor sizes.
    pub fn asks_nothing(&self) -> bool {
        self.parameters.is_empty() && self.sizes.is_empty()
    }

    /// Returns the parameter of this key.
    pub fn parameter(&self, key: &str) -> Option<&Parameter> {
        self.parameters.iter().find(|parameter| parameter.key == key)
    }

    /// Returns the size that is used if none is chosen: the default one, or the only one.
    pub fn default_size(&self) -> Option<&SizeChoice> {
        let only = || self.sizes.first().filter(|_| self.sizes.len() == 1);
        self.sizes.iter().find(|size| size.default).or_else(only)
    }

    /// Returns all patterns.
    pub fn patterns(&self) -> Vec<&parameter::Pattern> {
        let rules = self.parameters.iter().filter_map(|parameter| parameter.kind.text_rules());
        rules.filter_map(|rules| rules.pattern.as_ref()).collect()
    }
}
