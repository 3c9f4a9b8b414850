//! Checks addresses and markers.

use domain::stack_id::StackId;

use super::*;

fn settings(scheme: Scheme, public_port: Option<u16>) -> StackSettings {
    StackSettings {
        portal_name: String::from("staging"),
        scheme,
        suffix: String::from("ai.example.com"),
        public_port,
        certificate: CertificateSource::LetsEncrypt,
        image: String::from("sandbox/hello"),
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
            watch: Duration::from_secs(30),
        },
        lifetime_max: None,
    }
}

#[test]
fn an_address_shows_only_a_port_that_the_scheme_does_not_imply() {
    let alice = StackName::parse("alice").unwrap();
    let cases = [
        (Scheme::Https, None, "https://alice.ai.example.com"),
        (Scheme::Https, Some(443), "https://alice.ai.example.com"),
        (Scheme::Http, Some(443), "http://alice.ai.example.com:443"),
        (Scheme::Http, Some(8081), "http://alice.ai.example.com:8081"),
    ];
    for (scheme, port, url) in cases {
        let settings = settings(scheme, port);
        assert_eq!(settings.url(&alice), url);
        let host = settings.host(&alice);
        assert_eq!(settings.url_of_host(&host), url);
    }
}

#[test]
fn the_marker_names_portal_and_deployment() {
    let id = domain::deployment::DeploymentId::from_random(1);
    let marker = settings(Scheme::Https, None).marker(StackId::of(&id));
    assert_eq!(marker, format!("ai-stack-deployer/staging/{id}"));
}
