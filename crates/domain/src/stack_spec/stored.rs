//! The forms in which specs are stored.
//!
//! The second one added templates. The first is still read: a stack keeps the spec with which it
//! began.

use serde::{Deserialize, Serialize};

use super::{
    CertificateSpec, HealthCheck, RegistryLogin, SecretRef, Size, StackSpec, Variable,
    VariableValue,
};
use crate::template::HealthPath;
use crate::template::situation::Values;
use std::time::Duration;

/// A spec, by the version of its form.
#[derive(Deserialize)]
#[serde(tag = "version")]
enum Stored {
    #[serde(rename = "1")]
    One(Box<One>),
    #[serde(rename = "2")]
    Two(Box<StackSpec>),
}

/// The form that is written.
#[derive(Serialize)]
#[serde(tag = "version")]
enum Written<'a> {
    #[serde(rename = "2")]
    Two(&'a StackSpec),
}

/// The first form: there were no templates, all variables were secret, and one path was asked.
#[derive(Deserialize)]
struct One {
    image: String,
    registry: Option<RegistryLogin>,
    port: u16,
    size: Size,
    environment: Vec<VariableOne>,
    health: HealthOne,
    certificate: CertificateSpec,
}

#[derive(Deserialize)]
struct VariableOne {
    name: String,
    value: SecretRef,
}

#[derive(Deserialize)]
struct HealthOne {
    path: String,
    timeout: Duration,
    interval: Duration,
}

impl From<One> for StackSpec {
    fn from(one: One) -> Self {
        let HealthOne { path, timeout, interval } = one.health;
        let paths = vec![HealthPath { path, accept: vec![HealthCheck::SUCCESS] }];
        let variable =
            |VariableOne { name, value }| Variable { name, value: VariableValue::Secret(value) };
        Self {
            template: None,
            values: Values::new(),
            image: one.image,
            command: Vec::new(),
            registry: one.registry,
            port: one.port,
            size_id: None,
            size: one.size,
            environment: one.environment.into_iter().map(variable).collect(),
            generated: Vec::new(),
            volumes: Vec::new(),
            brought_back: None,
            health: HealthCheck { paths, timeout, interval },
            healthcheck: None,
            certificate: one.certificate,
        }
    }
}

impl StackSpec {
    /// Writes it down, with the version of its form.
    ///
    /// # Errors
    ///
    /// None of its values makes it fail.
    pub fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string(&Written::Two(self))
    }

    /// Reads what [`StackSpec::to_json`] wrote, in this version of the portal or an earlier one.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with a text that is no spec, or one in the form of a later version.
    pub fn from_json(text: &str) -> serde_json::Result<Self> {
        Ok(match serde_json::from_str(text)? {
            Stored::One(one) => (*one).into(),
            Stored::Two(spec) => *spec,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::stack_spec::stored::*;
    use crate::stack_spec::{BroughtBack, CertificateSource, TemplateRef};
    use crate::template::parameter::Value;
    use crate::template::{Accept, Volume};

    fn secret(name: &str) -> SecretRef {
        SecretRef { name: name.to_owned(), fingerprint: String::from("00c0ffee") }
    }

    fn path(path: &str, accept: &[Accept]) -> HealthPath {
        HealthPath { path: path.to_owned(), accept: accept.to_vec() }
    }

    /// Returns a spec that the first form can express.
    fn simple() -> StackSpec {
        StackSpec {
            template: None,
            values: Values::new(),
            image: String::from("registry.example.com/ai-stack:1.4"),
            command: Vec::new(),
            registry: Some(RegistryLogin {
                url: Some(String::from("registry.example.com")),
                user: String::from("puller"),
                password: secret("registry:password"),
            }),
            port: 8080,
            size_id: None,
            size: Size { cpu_nanos: Some(500_000_000), memory_bytes: None },
            environment: vec![Variable {
                name: String::from("TOKEN"),
                value: VariableValue::Secret(secret("env:TOKEN")),
            }],
            generated: Vec::new(),
            volumes: Vec::new(),
            brought_back: None,
            health: HealthCheck {
                paths: vec![path("/health", &[Accept::Class(2)])],
                timeout: Duration::from_mins(1),
                interval: Duration::from_millis(1_500),
            },
            healthcheck: None,
            certificate: CertificateSpec {
                source: CertificateSource::LetsEncrypt,
                timeout: Duration::from_mins(5),
            },
        }
    }

    /// Returns a spec with everything that the second form added.
    fn full() -> StackSpec {
        let mut spec = simple();
        let variable = VariableValue::Plain(String::from("nl"));
        spec.environment.push(Variable { name: String::from("LANGUAGE"), value: variable });
        spec.health.paths = vec![path("/", &[Accept::Class(2), Accept::Code(401)])];
        StackSpec {
            template: Some(TemplateRef {
                id: String::from("chat"),
                version: String::from("1.2.0"),
                digest: String::from("cafe"),
            }),
            values: Values::from([
                (String::from("language"), Some(Value::Text(String::from("nl")))),
                (String::from("model"), None),
            ]),
            command: vec![String::from("serve")],
            size_id: Some(String::from("small")),
            generated: vec![String::from("password")],
            volumes: vec![Volume {
                key: String::from("data"),
                path: String::from("/data"),
                exclusive: true,
            }],
            healthcheck: Some(vec![String::from("CMD"), String::from("true")]),
            ..spec
        }
    }

    const FIRST: &str = "{\"version\":\"1\",\"image\":\"registry.example.com/ai-stack:1.4\",\
        \"registry\":{\"url\":\"registry.example.com\",\"user\":\"puller\",\"password\":{\
        \"name\":\"registry:password\",\"fingerprint\":\"00c0ffee\"}},\"port\":8080,\
        \"size\":{\"cpu_nanos\":500000000,\"memory_bytes\":null},\"environment\":[{\
        \"name\":\"TOKEN\",\"value\":{\"name\":\"env:TOKEN\",\"fingerprint\":\"00c0ffee\"}}],\
        \"health\":{\"path\":\"/health\",\"timeout\":{\"secs\":60,\"nanos\":0},\
        \"interval\":{\"secs\":1,\"nanos\":500000000}},\"certificate\":{\
        \"source\":\"lets_encrypt\",\"timeout\":{\"secs\":300,\"nanos\":0}}}";

    const SECOND: &str = "{\"version\":\"2\",\"template\":{\"id\":\"chat\",\"version\":\"1.2.0\",\
        \"digest\":\"cafe\"},\"values\":{\"language\":\"nl\",\"model\":null},\
        \"image\":\"registry.example.com/ai-stack:1.4\",\"command\":[\"serve\"],\
        \"registry\":{\"url\":\"registry.example.com\",\"user\":\"puller\",\"password\":{\
        \"name\":\"registry:password\",\"fingerprint\":\"00c0ffee\"}},\"port\":8080,\
        \"size_id\":\"small\",\"size\":{\"cpu_nanos\":500000000,\"memory_bytes\":null},\
        \"environment\":[{\"name\":\"TOKEN\",\"value\":{\"secret\":{\"name\":\"env:TOKEN\",\
        \"fingerprint\":\"00c0ffee\"}}},{\"name\":\"LANGUAGE\",\"value\":{\"plain\":\"nl\"}}],\
        \"generated\":[\"password\"],\"volumes\":[{\"key\":\"data\",\"path\":\"/data\",\"exclusive\":true}],\
        \"health\":{\"paths\":[{\"path\":\"/\",\"accept\":[{\"class\":2},{\"code\":401}]}],\
        \"timeout\":{\"secs\":60,\"nanos\":0},\"interval\":{\"secs\":1,\"nanos\":500000000}},\
        \"healthcheck\":[\"CMD\",\"true\"],\"certificate\":{\"source\":\"lets_encrypt\",\
        \"timeout\":{\"secs\":300,\"nanos\":0}}}";

    #[test]
    fn it_is_stored_in_exactly_this_form_and_read_again() {
        assert_eq!(full().to_json().unwrap(), SECOND);
        assert_eq!(StackSpec::from_json(SECOND).unwrap(), full());
        assert_eq!(StackSpec::from_json(&simple().to_json().unwrap()).unwrap(), simple());
    }

    #[test]
    fn data_that_is_brought_back_is_stored_with_it() {
        let names = [(String::from("data"), String::from("asd-test-stk_1-data"))];
        let data = BroughtBack { id: String::from("dat_1"), volumes: names.into() };
        let spec = StackSpec { brought_back: Some(data), ..full() };
        let text = spec.to_json().unwrap();
        let part = "\"brought_back\":{\"id\":\"dat_1\",\"volumes\":{\"data\":\
            \"asd-test-stk_1-data\"}}";
        assert!(text.contains(part), "{text}");
        assert_eq!(StackSpec::from_json(&text).unwrap(), spec);
    }

    #[test]
    fn the_first_form_is_read_as_a_stack_without_a_template() {
        assert_eq!(StackSpec::from_json(FIRST).unwrap(), simple());
    }

    #[test]
    fn the_form_of_a_later_version_is_not_read_as_this_one() {
        for text in [SECOND.replace("\"version\":\"2\"", "\"version\":\"3\""), String::from("{}")] {
            assert!(StackSpec::from_json(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn it_names_all_its_secrets() {
        let spec = full();
        let names: Vec<_> = spec.secrets().map(|secret| secret.name.as_str()).collect();
        assert_eq!(names, ["registry:password", "env:TOKEN"]);
    }
}
