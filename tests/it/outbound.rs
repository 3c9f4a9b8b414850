//! Proxies and certificate authorities of outgoing connections.

use std::fs;
use std::time::Duration;

use ai_stack_deployer::server::probe::{AddressPolicy, Health, HttpProbe, Probe as _, Trust};
use serde_json::json;
use tokio::task::spawn_blocking;
use transport::{Exceptions, Outbound, Proxies, ProxyAddress};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::support::forward_proxy::ForwardProxy;
use crate::support::platform::Platform;
use crate::support::postgres::Cluster;
use crate::support::process::PortalDir;
use crate::support::tls_front::{authority, fixture, in_front_of};

const LIMIT: Duration = Duration::from_secs(5);

/// A platform and a provider behind TLS, at names that only a proxy knows.
struct World {
    portal_dir: PortalDir,
    platform: Platform,
    _provider: MockServer,
    variables: Vec<(&'static str, String)>,
}

impl World {
    async fn new() -> Self {
        let (portal_dir, platform) = spawn_blocking(|| {
            let portal_dir = PortalDir::new();
            let platform = Platform::start(&portal_dir);
            (portal_dir, platform)
        })
        .await
        .unwrap();
        let provider = MockServer::start().await;
        let issuer = format!("https://login.test:{}", in_front_of(provider.address().port()).await);
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/jwks"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "keys": [],
        });
        let answer = ResponseTemplate::new(200).set_body_json(metadata);
        Mock::given(any()).respond_with(answer).mount(&provider).await;
        // The file has several authorities.
        let authorities =
            ["ca.pem", "outbound-ca.pem"].map(|name| fs::read(fixture(name)).unwrap());
        let file = portal_dir.path().join("authorities.pem");
        fs::write(&file, authorities.concat()).unwrap();
        let mut variables = platform.variables();
        let platform_port = in_front_of(platform.api).await;
        variables.extend([
            ("DOKPLOY_URL", format!("https://dokploy.test:{platform_port}")),
            ("AUTH", String::from("oidc")),
            ("OIDC_ISSUER", issuer),
            ("OIDC_CLIENT_ID", String::from("portal")),
            ("CA_FILE", file.to_str().unwrap().to_owned()),
        ]);
        Self { portal_dir, platform, _provider: provider, variables }
    }

    /// Runs `check` with more variables, and returns what it says and whether all is well.
    async fn check(&self, more: &[(&str, &str)]) -> (String, bool) {
        let mut command = self.portal_dir.command(&[]);
        command.envs(self.variables.iter().cloned()).envs(more.iter().copied()).arg("check");
        let output = spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        (said, output.status.success())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn provider_and_platform_are_reached_through_the_proxy_and_trusted_by_the_file() {
    let world = World::new().await;
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"] {
        let proxy = ForwardProxy::start().await;
        let (said, passed) = world.check(&[(name, &proxy.address)]).await;
        assert!(passed, "{name}: {said}");
        assert!(said.contains("at https://dokploy.test:") && said.contains("accepts the key"));
        assert!(said.contains("The identity provider https://login.test:"), "{said}");
        let requests = proxy.requests();
        assert!(requests.contains("CONNECT dokploy.test:"), "{requests}");
        assert!(requests.contains("CONNECT login.test:"), "{requests}");
        // The name and the password of the proxy's address.
        assert!(requests.to_lowercase().contains("proxy-authorization: basic"), "{requests}");
        assert!(!said.contains("secret@"), "{said}");
        // The check of the stacks' addresses uses no proxy.
        assert!(!requests.contains("localhost"), "{requests}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_proxy_authority_or_with_an_exception_they_are_not_reached() {
    let world = World::new().await;
    let proxy = ForwardProxy::start().await;
    let address = proxy.address.as_str();
    let (said, passed) = world.check(&[("HTTPS_PROXY", address), ("NO_PROXY", ".test")]).await;
    assert!(!passed && proxy.requests().is_empty(), "{said}\n{}", proxy.requests());
    let (said, passed) = world.check(&[("HTTP_PROXY", address)]).await;
    assert!(!passed && proxy.requests().is_empty(), "{said}\n{}", proxy.requests());
    let (said, passed) = world.check(&[("HTTPS_PROXY", address), ("CA_FILE", "")]).await;
    assert!(!passed && said.contains("certificate"), "{said}");
    assert!(proxy.requests().contains("CONNECT dokploy.test:"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_listed_in_any_usual_form_is_reached_without_the_proxy() {
    let world = World::new().await;
    let proxy = ForwardProxy::start().await;
    // Dokploy is at an address, so that it is reached.
    let url = format!("http://127.0.0.1:{}", world.platform.api);
    let with_port = format!("127.0.0.1:{}, login.test", world.platform.api);
    for name in ["NO_PROXY", "no_proxy"] {
        for list in [with_port.as_str(), "*", "127.0.0.0/8 LOGIN.test.", " [::1],127.0.0.1,.test"] {
            let variables = [("ALL_PROXY", proxy.address.as_str()), (name, list)];
            let (said, _) = world.check(&[&variables[..], &[("DOKPLOY_URL", &url)]].concat()).await;
            assert!(said.contains("accepts the key"), "{list}: {said}");
            assert_eq!(proxy.requests(), "", "{list}");
        }
    }
    let variables = [("ALL_PROXY", proxy.address.as_str()), ("NO_PROXY", " ")];
    let (said, _) = world.check(&[&variables[..], &[("DOKPLOY_URL", &url)]].concat()).await;
    assert!(said.contains("accepts the key"), "{said}");
    assert!(proxy.requests().contains("GET http://127.0.0.1:"), "{}", proxy.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_is_ignored_with_a_warning_where_nothing_needs_it() {
    let world = World::new().await;
    let proxy = ForwardProxy::start().await;
    let socks = ("ALL_PROXY", "socks5://user:canary@127.0.0.1:1080");
    for (more, ends_well) in [
        (vec![("HTTPS_PROXY", proxy.address.as_str())], true),
        (vec![("NO_PROXY", "dokploy.test,login.test")], false),
    ] {
        let (said, passed) = world.check(&[&more[..], &[socks]].concat()).await;
        assert!(said.contains("ALL_PROXY is the address of a SOCKS proxy, which"), "{said}");
        assert!(said.contains("it is ignored") && !said.contains("canary"), "{said}");
        assert_eq!(passed, ends_well, "{said}");
    }
    for (more, variable) in [
        (vec![], "DOKPLOY_URL"),
        (vec![("HTTP_PROXY", proxy.address.as_str())], "DOKPLOY_URL"),
        (vec![("NO_PROXY", "dokploy.test")], "OIDC_ISSUER"),
    ] {
        let (said, passed) = world.check(&[&more[..], &[socks]].concat()).await;
        let sentence = format!("but {variable} would be reached through it: set HTTPS_PROXY or");
        assert!(!passed && said.contains(&sentence) && !said.contains("canary"), "{said}");
    }
    // The sandbox is reached through no proxy.
    let portal_dir = PortalDir::new();
    let (_, said) = portal_dir.start(&[socks]).end_with_output();
    assert!(said.join("\n").contains("it is ignored"), "{said:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_without_tls_is_reached_through_the_proxy_for_http() {
    let world = World::new().await;
    let proxy = ForwardProxy::start().await;
    let url = format!("http://dokploy.test:{}", world.platform.api);
    let variables = [("DOKPLOY_URL", url.as_str()), ("ALL_PROXY", &proxy.address)];
    let (said, passed) = world.check(&variables).await;
    assert!(passed, "{said}");
    assert!(proxy.requests().contains("GET http://dokploy.test:"), "{}", proxy.requests());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_without_usable_authorities_stops_the_start_with_a_sentence() {
    let portal_dir = PortalDir::new();
    let damaged = portal_dir.path().join("damaged.pem");
    fs::write(&damaged, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").unwrap();
    let files = [
        (fixture("missing.pem"), "cannot be read: check the path"),
        (fixture("alice.key"), "holds no certificate authority in PEM form, or a damaged one"),
        (damaged, "holds no certificate authority in PEM form, or a damaged one"),
    ];
    for (file, problem) in files {
        for arguments in [&[][..], &["check"]] {
            let file = file.to_str().unwrap();
            let mut command = portal_dir.command(&[("CA_FILE", file)]);
            let output = command.args(arguments).output().unwrap();
            assert_eq!(output.status.code(), Some(1), "{output:?}");
            let said = String::from_utf8(output.stderr).unwrap();
            assert!(said.contains("CA_FILE cannot be used: "), "{said}");
            assert!(said.contains(file) && said.contains(problem), "{said}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stack_is_probed_through_no_proxy_but_its_own() {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let port = in_front_of(server.address().port()).await;
    let url = format!("https://alice.stacks.test:{port}/health");
    let proxy = ForwardProxy::start().await;
    let address = ProxyAddress::parse(&proxy.address);
    let except = Exceptions::default();
    let proxies = Proxies { https: address.clone(), http: address.clone(), except };
    let outbound = Outbound::new(Some(&fixture("outbound-ca.pem")), proxies).unwrap();
    let untrusting = Outbound::default();
    let probe = |trust, outbound, proxy| {
        HttpProbe::new(&trust, AddressPolicy::Public, outbound, proxy).unwrap()
    };
    let health = probe(Trust::System, &outbound, None).check(&url, LIMIT).await;
    assert!(!matches!(health, Health::Answering(200)), "{health:?}");
    assert_eq!(proxy.requests(), "");
    let health = probe(Trust::System, &outbound, address.clone()).check(&url, LIMIT).await;
    assert_eq!(health, Health::Answering(200));
    assert!(proxy.requests().contains("CONNECT alice.stacks.test:"));
    let plain = format!("http://alice.stacks.test:{}/health", server.address().port());
    let health = probe(Trust::PlainHttp, &untrusting, address.clone());
    assert_eq!(health.check(&plain, LIMIT).await, Health::Answering(200));
    let health = probe(Trust::System, &untrusting, address.clone()).check(&url, LIMIT).await;
    assert!(matches!(health, Health::Untrusted(_)), "{health:?}");
    // An address is not resolved, so the policy holds.
    let private = format!("http://10.0.0.1:{}/health", server.address().port());
    let health = probe(Trust::PlainHttp, &outbound, address).check(&private, LIMIT).await;
    assert_eq!(health, Health::Silent(String::from("its address is private")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_postgres_is_trusted_by_the_same_file() {
    let portal_dir = PortalDir::new();
    let database = spawn_blocking(|| Cluster::shared().database()).await.unwrap();
    let front = in_front_of(Cluster::shared().port()).await;
    let url = format!("{}?sslmode=verify-full", Cluster::through(front, &database));
    let platform = [
        ("DOKPLOY_URL", "http://127.0.0.1:9"),
        ("DOKPLOY_API_TOKEN", "key"),
        ("STACK_DOMAIN_SUFFIX", "localhost"),
        ("STACK_IMAGE", "sandbox/hello"),
        ("DATABASE_URL", url.as_str()),
    ];
    let file = authority();
    for (file, passes) in [(file.as_str(), true), ("", false)] {
        let mut command = portal_dir.command(&platform);
        command.env("CA_FILE", file).arg("audit");
        let output = spawn_blocking(move || command.output().unwrap()).await.unwrap();
        assert_eq!(output.status.success(), passes, "{output:?}");
    }
}
