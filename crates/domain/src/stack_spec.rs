//! The spec of a stack, as it is stored with the operation that uses it.
//!
//! An operation keeps the spec with which it began, even if the settings change. The spec contains
//! no secrets, but refers to them by names and fingerprints.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use strum::EnumString;

/// The spec of a stack. Persisted as JSON: never rename fields, only add some.
///
/// Each added field raises the version of the form, or the schema's generation: an older version of
/// the portal would ignore the field, and finish an operation without it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackSpec {
    /// The image, with its tag or digest.
    pub image: String,
    /// The login for the private registry that the image comes from.
    pub registry: Option<RegistryLogin>,
    /// The port on which the container listens.
    pub port: u16,
    /// The limits of the container.
    pub size: Size,
    /// The environment variables of the container, in order.
    pub environment: Vec<Variable>,
    /// How to check that the stack works.
    pub health: HealthCheck,
    /// The certificate of the stack's address.
    pub certificate: CertificateSpec,
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

/// The limits of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// The CPU limit in nano-CPUs: 1 CPU is 1,000,000,000.
    pub cpu_nanos: Option<u64>,
    /// The memory limit in bytes.
    pub memory_bytes: Option<u64>,
}

/// A variable of a container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// The name, as the container sees it.
    pub name: String,
    /// The value.
    pub value: SecretRef,
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
    /// The path that answers with success once the stack works.
    pub path: String,
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

/// The form in which specs are stored, by its version.
#[derive(Serialize, Deserialize)]
#[serde(tag = "version")]
enum Versioned<T> {
    #[serde(rename = "1")]
    One(T),
}

impl StackSpec {
    /// Writes it down, with the version of its form.
    ///
    /// # Errors
    ///
    /// None of its values makes it fail.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Versioned::One(self))
    }

    /// Reads what [`StackSpec::to_json`] wrote.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with a text that is no spec, or one in the form of a later version.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        let Versioned::One(spec) = serde_json::from_str(text)?;
        Ok(spec)
    }

    /// Returns the references to all secrets, in a fixed order.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretRef> {
        let password = self.registry.iter().map(|registry| &registry.password);
        password.chain(self.environment.iter().map(|variable| &variable.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(name: &str) -> SecretRef {
        SecretRef { name: name.to_owned(), fingerprint: String::from("00c0ffee") }
    }

    fn spec() -> StackSpec {
        StackSpec {
            image: String::from("registry.example.com/ai-stack:1.4"),
            registry: Some(RegistryLogin {
                url: Some(String::from("registry.example.com")),
                user: String::from("puller"),
                password: secret("registry:password"),
            }),
            port: 8080,
            size: Size { cpu_nanos: Some(500_000_000), memory_bytes: None },
            environment: vec![Variable { name: String::from("TOKEN"), value: secret("env:TOKEN") }],
            health: HealthCheck {
                path: String::from("/health"),
                timeout: Duration::from_mins(1),
                interval: Duration::from_millis(1_500),
            },
            certificate: CertificateSpec {
                source: CertificateSource::LetsEncrypt,
                timeout: Duration::from_mins(5),
            },
        }
    }

    const JSON: &str = "{\"version\":\"1\",\"image\":\"registry.example.com/ai-stack:1.4\",\
        \"registry\":{\"url\":\"registry.example.com\",\"user\":\"puller\",\"password\":{\
        \"name\":\"registry:password\",\"fingerprint\":\"00c0ffee\"}},\"port\":8080,\
        \"size\":{\"cpu_nanos\":500000000,\"memory_bytes\":null},\"environment\":[{\
        \"name\":\"TOKEN\",\"value\":{\"name\":\"env:TOKEN\",\"fingerprint\":\"00c0ffee\"}}],\
        \"health\":{\"path\":\"/health\",\"timeout\":{\"secs\":60,\"nanos\":0},\
        \"interval\":{\"secs\":1,\"nanos\":500000000}},\"certificate\":{\
        \"source\":\"lets_encrypt\",\"timeout\":{\"secs\":300,\"nanos\":0}}}";

    #[test]
    fn it_is_stored_in_exactly_this_form_and_read_again() {
        assert_eq!(spec().to_json().unwrap(), JSON);
        assert_eq!(StackSpec::from_json(JSON).unwrap(), spec());
    }

    #[test]
    fn the_form_of_a_later_version_is_not_read_as_this_one() {
        for text in [JSON.replace("\"version\":\"1\"", "\"version\":\"2\""), String::from("{}")] {
            assert!(StackSpec::from_json(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn it_names_all_its_secrets() {
        let spec = spec();
        let names: Vec<_> = spec.secrets().map(|secret| secret.name.as_str()).collect();
        assert_eq!(names, ["registry:password", "env:TOKEN"]);
    }
}
