//! The API client and TLS: whom it trusts, and that a handshake that fails was never a request.
//!
//! Not here: plain HTTP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::PrivatePkcs8KeyDer;
use tempfile::TempDir;

use super::peer::{Act, Peer};
use super::{Config, DEADLINE, Files, answered, config, request, within};
use crate::chakra::Client;
use crate::core::reply::{Body, NotSent, Reply, Wrapper};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}";

fn identity(name: &str) -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed([name.to_owned()]).unwrap()
}

/// Answers one request over TLS; ends early if the client breaks off.
fn answer_once(listener: &TcpListener, own: &CertifiedKey<KeyPair>) -> std::io::Result<()> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivatePkcs8KeyDer::from(own.signing_key.serialize_der());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![own.cert.der().clone()], key.into())
        .unwrap();
    let (mut socket, _) = listener.accept()?;
    socket.set_read_timeout(Some(DEADLINE))?;
    let mut session = rustls::ServerConnection::new(Arc::new(config)).unwrap();
    let mut stream = rustls::Stream::new(&mut session, &mut socket);
    if stream.read(&mut [0; 4096])? > 0 {
        stream.write_all(ANSWER)?;
    }
    stream.conn.send_close_notify();
    stream.flush()
}

/// One create against a server of this identity, whose certificate is trusted or not.
async fn handshake(own: CertifiedKey<KeyPair>, trusted: &CertifiedKey<KeyPair>) -> Reply {
    handshake_with(own, trusted, |config| config).await
}

async fn handshake_with(
    own: CertifiedKey<KeyPair>,
    trusted: &CertifiedKey<KeyPair>,
    change: impl FnOnce(Config) -> Config,
) -> Reply {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, folder) = (listener.local_addr().unwrap(), tempfile::tempdir().unwrap());
    let client = Client::new(&change(tls_config(address, &folder, &trusted.cert.pem()))).unwrap();
    let serving = tokio::task::spawn_blocking(move || answer_once(&listener, &own));
    let request = request();
    let (reply, served) = within(async { tokio::join!(client.create(&request), serving) }).await;
    assert_eq!(served.unwrap().is_ok(), matches!(reply, Reply::Response(_)), "both sides tell the same story");
    reply
}

fn tls_config(address: SocketAddr, folder: &TempDir, authorities: &str) -> Config {
    let tls = Files { section: "api", authorities: Some(written(folder, authorities)), identity: None };
    Config { tls, ..config(&format!("https://localhost:{}", address.port())) }
}

fn written(folder: &TempDir, text: &str) -> PathBuf {
    let file = folder.path().join("authorities.pem");
    std::fs::write(&file, text).unwrap();
    file
}

fn not_sent(reply: &Reply) -> Option<NotSent> {
    if let Reply::NotSent { why, .. } = reply { Some(*why) } else { None }
}

#[tokio::test]
async fn a_certificate_from_the_file_of_authorities_is_trusted() {
    let own = identity("localhost");
    let bare = Body::Json(Wrapper { is_bare: true, ..Wrapper::default() });
    let trusted = CertifiedKey { cert: own.cert.clone(), signing_key: KeyPair::generate().unwrap() };
    assert_eq!(handshake(own, &trusted).await, answered(200, bare));
}

#[tokio::test]
async fn a_certificate_from_elsewhere_or_for_another_name_is_told_from_an_unreachable_server() {
    let unknown = handshake(identity("localhost"), &identity("localhost")).await;
    assert_eq!(not_sent(&unknown), Some(NotSent::Certificate), "{unknown:?}");
    let other = identity("elsewhere.example");
    let trusted = CertifiedKey { cert: other.cert.clone(), signing_key: KeyPair::generate().unwrap() };
    let misnamed = handshake(other, &trusted).await;
    assert_eq!(not_sent(&misnamed), Some(NotSent::Certificate), "{misnamed:?}");
}

/// The server is a proxy, and the API behind it is asked without TLS.
fn behind_it(config: Config) -> Config {
    Config { proxy: Some(config.base_url), base_url: "http://api.internal".parse().unwrap(), ..config }
}

#[tokio::test]
async fn an_https_proxy_is_trusted_by_its_certificate_also_before_an_api_without_tls() {
    let own = identity("localhost");
    let trusted = CertifiedKey { cert: own.cert.clone(), signing_key: KeyPair::generate().unwrap() };
    let bare = Body::Json(Wrapper { is_bare: true, ..Wrapper::default() });
    assert_eq!(handshake_with(own, &trusted, behind_it).await, answered(200, bare));
    let unknown = handshake_with(identity("localhost"), &trusted, behind_it).await;
    let Reply::NotSent { why: NotSent::Certificate, detail } = &unknown else { panic!("{unknown:?}") };
    assert!(detail.starts_with("the proxy: "), "{detail}");
}

#[tokio::test]
async fn a_handshake_that_never_ends_was_not_sent() {
    let (peer, folder) = (Peer::new().await, tempfile::tempdir().unwrap());
    let mut config = tls_config(peer.address().parse().unwrap(), &folder, &identity("localhost").cert.pem());
    config.connect_timeout = Duration::from_millis(300);
    // The kernel accepts the connection, and nobody ever answers on it.
    let reply = within(Client::new(&config).unwrap().create(&request())).await;
    assert_eq!(not_sent(&reply), Some(NotSent::Unreachable), "{reply:?}");
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_unreachable() {
    let (peer, folder) = (Peer::new().await, tempfile::tempdir().unwrap());
    let config = tls_config(peer.address().parse().unwrap(), &folder, &identity("localhost").cert.pem());
    let (client, request) = (Client::new(&config).unwrap(), request());
    let garbage = Act::SayAndClose("HTTP/1.1 400 Bad Request\r\n\r\n".into());
    let reply = within(async {
        tokio::select! {
            reply = client.create(&request) => reply,
            _ = peer.answer_at_once(garbage) => unreachable!("the peer stays until the client is done"),
        }
    })
    .await;
    assert_eq!(not_sent(&reply), Some(NotSent::Unreachable), "{reply:?}");
    let said = reply.detail().unwrap_or_default();
    assert!(said.starts_with("what answers there does not speak TLS: ") && said.contains("api.base_url"), "{said}");
}

#[tokio::test]
async fn a_server_that_speaks_tls_where_none_is_asked_for_is_told_with_an_error_text() {
    let alert = Act::SayAndClose("\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{46}".into());
    let reply = super::exchange(alert).await;
    assert!(reply.detail().is_some_and(|said| said.contains("does not speak HTTP")), "{reply:?}");
}

#[tokio::test]
async fn a_self_signed_authority_is_told_with_an_error_text_with_the_key_that_mends_it() {
    let key = KeyPair::generate().unwrap();
    let mut params = rcgen::CertificateParams::new(["localhost".to_owned()]).unwrap();
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let own = CertifiedKey { cert: params.self_signed(&key).unwrap(), signing_key: key };
    let trusted = CertifiedKey { cert: own.cert.clone(), signing_key: KeyPair::generate().unwrap() };
    let reply = handshake(own, &trusted).await;
    assert_eq!(not_sent(&reply), Some(NotSent::Certificate), "{reply:?}");
    let said = reply.detail().unwrap_or_default();
    assert!(said.contains("CA:FALSE") && said.contains("api.ca_file"), "{said}");
}

#[test]
fn a_file_without_certificates_is_refused_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let address = "127.0.0.1:1".parse().unwrap();
    for (content, expected) in [("", "no certificate in PEM form in it"), ("nothing of the kind", "no certificate")] {
        let words = Client::new(&tls_config(address, &folder, content)).expect_err(content);
        assert!(words.contains(expected), "{words}");
    }
    let authorities = Some(folder.path().join("missing.pem"));
    let missing = Config { tls: Files { authorities, ..Files::default() }, ..config("https://localhost") };
    assert!(Client::new(&missing).expect_err("missing").contains("missing.pem"));
}
