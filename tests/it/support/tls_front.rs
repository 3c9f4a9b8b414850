//! A TLS server in front of another one, with a certificate of the tests' own authority.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// The first message of a PostgreSQL client that wants TLS.
const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];

/// Returns the path of a file of `tests/fixtures/tls`.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tls").join(name)
}

/// Returns the path of the authority that the server's certificate is from.
pub(crate) fn authority() -> String {
    fixture("outbound-ca.pem").to_str().unwrap().to_owned()
}

/// Starts one in front of the server at `port`, and returns its own port.
pub(crate) async fn in_front_of(port: u16) -> u16 {
    let chain = CertificateDer::pem_file_iter(fixture("outbound.pem")).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("outbound.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain.map(Result::unwrap).collect(), key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // A client that does not trust the certificate disconnects.
            tokio::spawn(async move { serve(client, acceptor, port).await.ok() });
        }
    });
    own
}

async fn serve(mut client: TcpStream, acceptor: TlsAcceptor, port: u16) -> std::io::Result<()> {
    let mut first = [0; SSL_REQUEST.len()];
    client.peek(&mut first).await?;
    if first == SSL_REQUEST {
        client.read_exact(&mut first).await?;
        client.write_all(b"S").await?;
    }
    let mut client = acceptor.accept(client).await?;
    let mut server = TcpStream::connect(("127.0.0.1", port)).await?;
    copy_bidirectional(&mut client, &mut server).await.map(drop)
}
