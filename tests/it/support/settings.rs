//! The settings of a stack in tests.

use std::time::Duration;

use ai_stack_deployer::server::{
    ports::platform::Certificate,
    settings::{Deadlines, Scheme, StackSettings},
};

/// Returns the settings of the sandbox, with short limits.
pub(crate) fn stack_settings(image: &str) -> StackSettings {
    StackSettings {
        portal_name: String::from("test"),
        scheme: Scheme::Http,
        suffix: String::from("localhost"),
        public_port: Some(8081),
        certificate: Certificate::None,
        image: image.to_owned(),
        registry: None,
        port: 8080,
        cpu_nanos: None,
        memory_bytes: None,
        environment: Vec::new(),
        health_path: String::from("/health"),
        health_timeout: Duration::from_mins(1),
        health_interval: Duration::from_secs(5),
        certificate_timeout: Duration::from_mins(5),
        deadlines: Deadlines {
            whole: Duration::from_mins(15),
            step: Duration::from_mins(5),
            deploy: Duration::from_mins(10),
            drain: Duration::from_mins(5),
        },
    }
}
