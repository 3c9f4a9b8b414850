//! The spec of a stack, as it is stored with the operation that uses it.
//!
//! An operation keeps the spec with which it began, even if the settings change. The spec contains
//! no secrets, but refers to them by names and fingerprints.

mod stored;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::EnumString;

pub use crate::size::Size;
use crate::template::situation::Values;
use crate::template::{Accept, HealthPath, Volume};

/// The spec of a stack. Persisted as JSON: never rename fields, only add some.
///
/// Each added field raises the version of the form, or the schema's generation: an older version of
/// the portal would ignore the field, and finish an operation without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSpec {
    /// The template; `None` if the stack began before there were templates.
    pub template: Option<TemplateRef>,
    /// The answers to the template's questions. No secret is among them.
    pub values: Values,
    /// The image, with its tag or digest.
    pub image: String,
    /// The command; that of the image if it is empty.
    pub command: Vec<String>,
    /// The login for the private registry that the image comes from.
    pub registry: Option<RegistryLogin>,
    /// The port on which the container listens.
    pub port: u16,
    /// The id of the size that was chosen; `None` if the template has no sizes.
    pub size_id: Option<String>,
    /// The limits of the container.
    pub size: Size,
    /// The environment variables of the container, in order.
    pub environment: Vec<Variable>,
    /// The keys of the answers that are secrets which the portal generated. They can be shown again.
    pub generated: Vec<String>,
    /// The volumes.
    pub volumes: Vec<Volume>,
    /// The data of an earlier stack that it brings back, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub brought_back: Option<BroughtBack>,
    /// How to check that the stack works.
    pub health: HealthCheck,
    /// The command of the container runtime's own health check.
    pub healthcheck: Option<Vec<String>>,
    /// The certificate of the stack's address.
    pub certificate: CertificateSpec,
}

/// The data of an earlier stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BroughtBack {
    /// The id of the data.
    pub id: String,
    /// The names of its volumes, by their keys.
    pub volumes: BTreeMap<String, String>,
}

/// A reference to the definition of a template.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TemplateRef {
    /// The id.
    pub id: String,
    /// The version.
    pub version: String,
    /// The SHA-256 of the definition as it is stored, in hexadecimal digits.
    pub digest: String,
}

/// A login for a private registry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegistryLogin {
    /// The address; `None` for the platform's default registry.
    pub url: Option<String>,
    /// The user.
    pub user: String,
    /// The password.
    pub password: SecretRef,
}

/// A variable of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// The name, as the container sees it.
    pub name: String,
    /// The value.
    pub value: VariableValue,
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VariableValue {
    /// This text.
    Plain(String),
    /// A secret of the stack.
    Secret(SecretRef),
}

impl VariableValue {
    /// Returns the reference to the secret, if it is one.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Plain(_) => None,
            Self::Secret(secret) => Some(secret),
        }
    }
}

/// A reference to a secret of the stack, which is stored encrypted elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretRef {
    /// The name among the secrets of the stack.
    pub name: String,
    /// The fingerprint, which differs for different values of the secret.
    pub fingerprint: String,
}

/// How to check that a stack works.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthCheck {
    /// The paths that all answer well once the stack works; at least one.
    pub paths: Vec<HealthPath>,
    /// The time that a stack may take to answer once it is started.
    pub timeout: Duration,
    /// The longest pause between two probes.
    pub interval: Duration,
}

/// The certificate of a stack's address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateSpec {
    /// The source of the certificate.
    pub source: CertificateSource,
    /// The time that it may take to become valid.
    pub timeout: Duration,
}

/// Where the certificate of an address comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, EnumString)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "lowercase")]
pub enum CertificateSource {
    /// Let's Encrypt, one for each host.
    LetsEncrypt,
    /// Nowhere: the router has a default, or there is no TLS.
    None,
    /// A resolver that the platform's operator has set up.
    Custom,
}

impl HealthCheck {
    /// Returns the status codes that are good where nothing else is said: those of success.
    pub const SUCCESS: Accept = Accept::Class(2);
}

impl StackSpec {
    /// Returns whether a container can be replaced while the former one answers: the container
    /// runtime can tell when it answers, and no data would be written by two at once.
    pub fn is_replaced_without_a_gap(&self) -> bool {
        self.healthcheck.is_some() && self.volumes.is_empty()
    }

    /// Returns the references to all secrets, in a fixed order.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let password = self.registry.iter().map(|registry| &registry.password);
        let variables = self.environment.iter();
        password.chain(variables.filter_map(|variable| variable.value.secret()))
    }

    /// Returns the references to all secrets, in the same order.
    pub fn secrets_mut(&mut self) -> impl Iterator<Item = &mut SecretRef> {
        let password = self.registry.iter_mut().map(|registry| &mut registry.password);
        let variables = self.environment.iter_mut();
        password.chain(variables.filter_map(|variable| match &mut variable.value {
            VariableValue::Plain(_) => None,
            VariableValue::Secret(secret) => Some(secret),
        }))
    }
}
