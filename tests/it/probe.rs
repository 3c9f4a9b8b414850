//! The probe of stacks that are healthy, unhealthy, slow, missing or untrusted.

use std::io::Write as _;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ai_stack_deployer::server::local_fault::LocalFault;
use ai_stack_deployer::server::probe::{
    AddressPolicy, BuildProbeError, Health, HttpProbe, Probe, Trust,
};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use transport::Outbound;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

const LIMIT: Duration = Duration::from_secs(5);

fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

fn probe(trust: Trust, policy: AddressPolicy) -> HttpProbe {
    HttpProbe::new(&trust, policy, &Outbound::default(), None).unwrap()
}

async fn answering(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

/// Serves `answer` to every plain connection.
fn plain_server(answer: &'static str) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // The request is read first: closing a connection with unread bytes would reset it.
            let read = std::io::Read::read(&mut stream, &mut [0; 4096]);
            drop(read.and_then(|_| stream.write_all(answer.as_bytes())));
        }
    });
    port
}

/// Serves 200 over TLS to every connection, with the certificate of `alice.localhost`.
fn tls_server() -> u16 {
    let certificates: Result<Vec<_>, _> =
        CertificateDer::pem_file_iter(fixture("alice.pem")).unwrap().collect();
    let key = PrivateKeyDer::from_pem_file(fixture("alice.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates.unwrap(), key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // A client that does not trust the certificate disconnects here.
            if std::io::Read::read(&mut stream, &mut [0; 4096]).is_ok() {
                let answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
                drop(stream.write_all(answer).and_then(|()| stream.flush()));
            }
        }
    });
    port
}

#[tokio::test]
async fn a_success_is_healthy_and_any_other_status_is_an_answer() {
    for (status, health) in [
        (200, Health::Answering(200)),
        (204, Health::Answering(204)),
        (302, Health::Answering(302)),
        (404, Health::Answering(404)),
        (502, Health::Answering(502)),
    ] {
        let answer = ResponseTemplate::new(status).insert_header("location", "/elsewhere");
        let server = answering(answer).await;
        let url = format!("http://alice.localhost:{}/health", server.address().port());
        assert_eq!(probe(Trust::PlainHttp, AddressPolicy::Public).check(&url, LIMIT).await, health);
        assert_eq!(server.received_requests().await.unwrap().len(), 1, "no redirect is followed");
    }
}

#[tokio::test]
async fn names_under_localhost_are_reached_without_a_resolver() {
    let server = answering(ResponseTemplate::new(200)).await;
    let port = server.address().port();
    let url = format!("http://some-name.deeper.localhost:{port}/health");
    assert_eq!(
        probe(Trust::PlainHttp, AddressPolicy::Public).check(&url, LIMIT).await,
        Health::Answering(200)
    );
    let asked = &server.received_requests().await.unwrap()[0];
    assert_eq!(asked.headers["host"], format!("some-name.deeper.localhost:{port}"));
}

#[tokio::test]
async fn an_endless_answer_is_read_no_further_than_needed() {
    let server = answering(ResponseTemplate::new(200).set_body_bytes(vec![b'x'; 32 << 20])).await;
    let url = format!("http://localhost:{}/health", server.address().port());
    assert_eq!(
        probe(Trust::PlainHttp, AddressPolicy::Public).check(&url, LIMIT).await,
        Health::Answering(200)
    );
}

#[tokio::test]
async fn a_broken_or_refused_connection_and_an_invalid_address_are_silent() {
    let cut = plain_server("HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nok");
    let mute = plain_server("");
    let probe = probe(Trust::PlainHttp, AddressPolicy::AnyAddress);
    for url in [
        format!("http://127.0.0.1:{cut}/"),
        format!("http://127.0.0.1:{mute}/"),
        "http://127.0.0.1:1/".to_owned(),
        "no address".to_owned(),
    ] {
        let health = probe.check(&url, LIMIT).await;
        assert!(matches!(health, Health::Silent(_)), "{url}: {health:?}");
    }
}

#[tokio::test]
async fn an_answer_that_takes_too_long_is_silent() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    let server = answering(slow).await;
    let url = format!("http://localhost:{}/", server.address().port());
    let health =
        probe(Trust::PlainHttp, AddressPolicy::Public).check(&url, Duration::from_millis(50)).await;
    assert_eq!(health, Health::Silent("no answer within 50 ms".to_owned()));
}

#[tokio::test]
async fn private_addresses_are_probed_only_if_they_are_allowed() {
    let server = answering(ResponseTemplate::new(200)).await;
    let port = server.address().port();
    for host in ["127.0.0.1", "[::ffff:127.0.0.1]"] {
        let url = format!("http://{host}:{port}/");
        let refused = probe(Trust::PlainHttp, AddressPolicy::Public).check(&url, LIMIT).await;
        assert_eq!(refused, Health::Silent("its address is private".to_owned()), "{host}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
    let url = format!("http://127.0.0.1:{port}/");
    assert_eq!(
        probe(Trust::PlainHttp, AddressPolicy::AnyAddress).check(&url, LIMIT).await,
        Health::Answering(200)
    );
}

#[tokio::test]
async fn a_certificate_is_accepted_only_from_a_trusted_authority_and_for_its_own_name() {
    let port = tls_server();
    let alice = format!("https://alice.localhost:{port}/health");
    let bob = format!("https://bob.localhost:{port}/health");
    let ours = Trust::SystemAnd(fixture("ca.pem"));
    for (trust, url, trusted) in [
        (Trust::System, &alice, false),
        (Trust::PlainHttp, &alice, false),
        (ours.clone(), &alice, true),
        (ours, &bob, false),
        (Trust::Unverified, &bob, true),
    ] {
        let health = probe(trust.clone(), AddressPolicy::Public).check(url, LIMIT).await;
        match health {
            Health::Answering(200) => assert!(trusted, "{trust:?} {url}"),
            Health::Untrusted(_) => assert!(!trusted, "{trust:?} {url}"),
            other => panic!("{trust:?} {url}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn plain_http_on_a_tls_port_is_untrusted_and_a_closed_port_is_silent() {
    let port = plain_server("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let probe = probe(Trust::Unverified, AddressPolicy::Public);
    let health = probe.check(&format!("https://localhost:{port}/"), LIMIT).await;
    assert!(matches!(health, Health::Untrusted(_)), "{health:?}");
    let health = probe.check("https://localhost:1/", LIMIT).await;
    assert!(matches!(health, Health::Silent(_)), "{health:?}");
}

#[tokio::test]
async fn an_unroutable_address_says_nothing_about_the_stack() {
    // No route leads there from any machine (RFC 6890), so the system fails without sending a
    // packet.
    let health = probe(Trust::PlainHttp, AddressPolicy::AnyAddress)
        .check("http://255.255.255.255:9/", LIMIT)
        .await;
    assert!(matches!(health, Health::LocalFault(LocalFault::Network, _)), "{health:?}");
}

#[test]
fn authorities_that_cannot_be_read_stop_the_start_and_name_the_file() {
    for name in ["missing.pem", "alice.key"] {
        let trust = Trust::SystemAnd(fixture(name));
        let error =
            HttpProbe::new(&trust, AddressPolicy::Public, &Outbound::default(), None).unwrap_err();
        assert!(error.to_string().contains(name), "{error}");
        assert!(matches!(error, BuildProbeError::Authorities(_)));
    }
}
