//! The API client against scripted peers on real sockets: what is sent, and what each kind of answer comes to.
//!
//! Not here: the reading of bodies (`answer::tests`), TLS (`tls`).

mod connections;
mod encoded;
mod peer;
mod tls;

use std::time::{Duration, SystemTime};

use super::{Client, Config};
use crate::core::process::{CreateProcess, Procedure};
use crate::core::reply::{Body, Lost, NotSent, Reply, Response, Wrapper};
use crate::secret::{Secret, SecretSource};
use crate::tls::Files;
use peer::{Act, Peer, Seen};

const DEADLINE: Duration = Duration::from_secs(20);
const MAX_REPLY: usize = 1000;
const TOKEN: &str = "s3cret-token";

fn config(base: &str) -> Config {
    Config {
        base_url: base.parse().unwrap(),
        token: SecretSource::Given(Secret::new(TOKEN)),
        timeout: Duration::from_secs(10),
        connect_timeout: Duration::from_secs(5),
        max_reply: MAX_REPLY,
        tls: Files::default(),
        proxy: None,
        proxy_login: None,
    }
}

const BODY: &str = r#"{"data":{"z":"Zoë \"x\"","a":5,"f":1.5},"status":"OPEN"}"#;

fn request() -> CreateProcess {
    CreateProcess {
        procedure: Procedure::new("field-visit_2").unwrap(),
        procedure_is_literal: true,
        lookup: None,
        photos: crate::core::photo::Photos::default(),
        body: BODY.as_bytes().into(),
    }
}

async fn within<T>(work: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, work).await.expect("the test ends within its deadline")
}

/// One create with this configuration against a peer that does this.
async fn exchange_with(change: impl FnOnce(&mut Config), act: Act) -> (Reply, Vec<Seen>) {
    let peer = Peer::new().await;
    let mut config = config(&format!("http://{}", peer.address()));
    change(&mut config);
    let (client, request) = (Client::new(&config).unwrap(), request());
    within(async { tokio::join!(client.create(&request), peer.serve(vec![act])) }).await
}

#[tokio::test]
async fn a_proxy_gets_the_login_that_is_for_it_and_never_instead_of_the_token() {
    let peer = Peer::new().await;
    let mut config = config("http://api.internal");
    config.proxy = Some(format!("http://{}", peer.address()).parse().unwrap());
    config.proxy_login = Some(("bridge".to_owned(), SecretSource::Given(Secret::new("hunter2"))));
    let (client, request) = (Client::new(&config).unwrap(), request());
    let act = json("200 OK", "{}");
    let (_, seen) = within(async { tokio::join!(client.create(&request), peer.serve(vec![act])) }).await;
    assert_eq!(seen[0].header("proxy-authorization"), ["Basic YnJpZGdlOmh1bnRlcjI="]);
    assert_eq!(seen[0].header("authorization"), [format!("Bearer {TOKEN}")]);
    assert!(!format!("{config:?}").contains("hunter2"), "it is not printed");
}

async fn exchange(act: Act) -> Reply {
    exchange_with(|_| {}, act).await.0
}

fn http(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

fn json(status: &str, body: &str) -> Act {
    Act::Say(http(status, "Content-Type: application/json\r\n", body))
}

fn answered(status: u16, body: Body) -> Reply {
    Reply::Response(Response::new(status, body))
}

fn lost(reply: &Reply) -> Option<Lost> {
    if let Reply::Lost { why, .. } = reply { Some(*why) } else { None }
}

#[tokio::test]
async fn a_created_process_brings_its_id() {
    let wrapper = Wrapper { has_data: true, process: Some("p-1".into()), ..Wrapper::default() };
    let reply = exchange(json("200 OK", r#"{"_data":{"id":"p-1"},"_meta":{},"_errors":[]}"#)).await;
    assert_eq!(reply, answered(200, Body::Json(Wrapper { is_api_word: true, ..wrapper.clone() })));
    assert_eq!(exchange(json("201 Created", r#"{"_data":{"id":"p-1"}}"#)).await, answered(201, Body::Json(wrapper)));
}

#[tokio::test]
async fn what_is_shown_of_a_create_is_what_is_sent_but_for_the_token() {
    let peer = Peer::new().await;
    let config = config(&format!("http://{}/prefix/", peer.address()));
    let (client, request) = (Client::new(&config).unwrap(), request());
    let shown = super::request_parts(&config, &request);
    let (_, seen) =
        within(async { tokio::join!(client.create(&request), peer.serve(vec![json("200 OK", "{}")])) }).await;
    assert_eq!(seen[0].body.as_bytes(), shown.body);
    assert_eq!(seen[0].head[0], format!("POST {} HTTP/1.1", shown.url.path()));
    let by_http = ["host", "content-length", "authorization"];
    let names: Vec<_> = seen[0].head[1..].iter().filter_map(|line| line.split(':').next()).collect();
    for name in names.iter().filter(|name| !by_http.contains(&name.to_lowercase().as_str())) {
        assert!(shown.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name)), "{name} is not shown");
    }
    for (name, value) in &shown.headers {
        assert_eq!(seen[0].header(name), [value], "{name}");
    }
}

#[tokio::test]
async fn a_token_that_the_api_repeats_is_no_part_of_what_it_said() {
    let said = |token: &str| json("422 No", &format!(r#"{{"message":"no, with Bearer {token} of yours"}}"#));
    for token in [TOKEN, "S3CRET-token", r"s3cret\u002dtoken"] {
        let Reply::Response(Response { body: Body::Json(wrapper), .. }) = exchange(said(token)).await else {
            panic!("no answer")
        };
        assert_eq!(wrapper.error_text.as_deref(), Some("no, with Bearer … of yours"));
    }
}

#[tokio::test]
async fn every_kind_of_body_arrives_as_what_it_is() {
    let bare = Body::Json(Wrapper { is_bare: true, ..Wrapper::default() });
    let said = Wrapper { has_errors: true, is_api_word: true, error_text: Some("no".into()), ..Wrapper::default() };
    let errors = Body::Json(said);
    assert_eq!(exchange(json("200 OK", "{}")).await, answered(200, bare));
    assert_eq!(exchange(json("200 OK", "")).await, answered(200, Body::Empty));
    assert_eq!(exchange(json("200 OK", r#"{"_errors":["no"]}"#)).await, answered(200, errors.clone()));
    assert_eq!(exchange(json("422 Unprocessable", r#"{"_errors":["no"]}"#)).await, answered(422, errors));
    assert_eq!(exchange(json("200 OK", "<html>hello")).await, answered(200, Body::Html));
    assert_eq!(exchange(json("500 Oops", r#"{"_data":"#)).await, answered(500, Body::Broken));
}

#[tokio::test]
async fn a_wait_is_read_from_the_answer_in_both_forms() {
    let throttled = |wait: String| Act::Say(http("429 Slow down", &format!("Retry-After: {wait}\r\n"), ""));
    let Reply::Response(seconds) = exchange(throttled("17".into())).await else { panic!("answered") };
    assert_eq!((seconds.status, seconds.retry_after), (429, Some(Duration::from_secs(17))));
    let then = jiff::Timestamp::try_from(SystemTime::now() + Duration::from_secs(3600)).unwrap();
    let date = jiff::fmt::rfc2822::DateTimePrinter::new().timestamp_to_rfc9110_string(&then).unwrap();
    let Reply::Response(dated) = exchange(throttled(date)).await else { panic!("answered") };
    let wait = dated.retry_after.expect("a date is a wait");
    assert!((Duration::from_secs(3500)..=Duration::from_secs(3600)).contains(&wait), "{wait:?}");
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let peer = Peer::new().await;
    let client = Client::new(&config(&format!("http://{}", peer.address()))).unwrap();
    let answer = http("302 Found", &format!("Location: http://{}/elsewhere\r\n", peer.address()), "");
    // A followed redirect would fill the second act with the wrong request.
    let acts = vec![Act::Say(answer), json("200 OK", "{}")];
    let request = request();
    let both = async { (client.create(&request).await, client.create(&request).await) };
    let ((first, _), seen) = within(async { tokio::join!(both, peer.serve(acts)) }).await;
    let place = Some(format!("http://{}", peer.address()));
    assert_eq!(first, Reply::Response(Response { redirects_to: place, ..Response::new(302, Body::Empty) }));
    assert!(seen[1].head[0].starts_with("POST /v1/ext/"), "{}", seen[1].head[0]);
}

#[tokio::test]
async fn a_refused_connection_was_not_sent() {
    let closed = Peer::new().await.address();
    let client = Client::new(&config(&format!("http://{closed}"))).unwrap();
    let reply = within(client.create(&request())).await;
    let Reply::NotSent { why, detail } = reply else { panic!("nobody listened: {reply:?}") };
    assert_eq!(why, NotSent::Unreachable);
    assert!(!detail.contains(TOKEN) && !detail.contains("field-visit"), "{detail}");
}

#[tokio::test]
async fn a_silent_server_is_lost_by_the_timeout() {
    let hurry = |config: &mut Config| config.timeout = Duration::from_millis(300);
    assert_eq!(lost(&exchange_with(hurry, Act::SayAndHold(String::new())).await.0), Some(Lost::Timeout));
}

#[tokio::test]
async fn an_answer_that_drips_is_lost_by_the_timeout_of_the_whole() {
    let hurry = |config: &mut Config| config.timeout = Duration::from_millis(300);
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{".to_owned();
    let drip = Act::SayAndDrip(head, Duration::from_millis(20));
    assert_eq!(lost(&exchange_with(hurry, drip).await.0), Some(Lost::Timeout));
}

#[tokio::test]
async fn a_connection_that_breaks_after_the_request_is_lost() {
    assert_eq!(lost(&exchange(Act::Reset).await), Some(Lost::Reset));
    assert_eq!(lost(&exchange(Act::SayAndClose(String::new())).await), Some(Lost::Reset));
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n{\"_data\":".to_owned();
    assert_eq!(lost(&exchange(Act::SayAndClose(half)).await), Some(Lost::Reset));
    assert_eq!(lost(&exchange(Act::SayAndClose("HTTP/1.1 2".into())).await), Some(Lost::Reset));
}

#[tokio::test]
async fn an_answer_over_the_limit_is_broken_and_drops_its_connection() {
    let flood = |start: &str| Act::SayAndFlood(format!("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n{start}"));
    assert_eq!(exchange(flood("{")).await, answered(200, Body::Broken));
    assert_eq!(exchange(flood("<html>")).await, answered(200, Body::Html));
    let fits = format!("{{{}}}", " ".repeat(MAX_REPLY - 2));
    let bare = Body::Json(Wrapper { is_bare: true, ..Wrapper::default() });
    assert_eq!(exchange(json("200 OK", &fits)).await, answered(200, bare));
    assert_eq!(exchange(json("200 OK", &format!("{fits} "))).await, answered(200, Body::Broken));
}

#[tokio::test]
async fn the_request_is_exactly_what_the_api_documents() {
    let at_a_prefix = |config: &mut Config| config.base_url.set_path("/gate/way");
    let (_, seen) = exchange_with(at_a_prefix, json("200 OK", "{}")).await;
    assert_eq!(seen[0].head[0], "POST /gate/way/v1/ext/procedure/field-visit_2/process HTTP/1.1");
    assert_eq!(seen[0].header("authorization"), ["Bearer s3cret-token"]);
    assert_eq!(seen[0].header("accept"), ["application/json"]);
    assert_eq!(seen[0].header("accept-encoding"), ["identity"]);
    assert_eq!(seen[0].header("connection"), Vec::<&str>::new());
    assert_eq!(seen[0].header("content-type"), ["application/json"]);
    assert_eq!(seen[0].header("user-agent"), [concat!("chakra-bridge/", env!("CARGO_PKG_VERSION"))]);
    assert_eq!(seen[0].body, BODY);
}

#[tokio::test]
async fn two_requests_use_one_connection_and_a_rotated_token_needs_no_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("token");
    std::fs::write(&file, "first\n").unwrap();
    let peer = Peer::new().await;
    let config = Config { token: SecretSource::File(file.clone()), ..config(&format!("http://{}/", peer.address())) };
    let (client, request) = (Client::new(&config).unwrap(), request());
    let both = async {
        client.create(&request).await;
        std::fs::write(&file, "second").unwrap();
        client.clone().create(&request).await;
    };
    let ((), seen) =
        within(async { tokio::join!(both, peer.serve(vec![json("200 OK", "{}"), json("200 OK", "{}")])) }).await;
    assert_eq!((seen[0].connection, seen[1].connection), (1, 1));
    assert_eq!(seen[0].header("authorization"), ["Bearer first"]);
    assert_eq!(seen[1].header("authorization"), ["Bearer second"]);
}

#[tokio::test]
async fn without_a_usable_token_nothing_is_sent() {
    let missing = SecretSource::File("/nowhere/to/be/found".into());
    for token in [missing, SecretSource::Given(Secret::new("s3cret\nx: y"))] {
        let peer = Peer::new().await;
        let client = Client::new(&Config { token, ..config(&format!("http://{}", peer.address())) }).unwrap();
        let reply = within(client.create(&request())).await;
        let Reply::NotSent { why, detail } = reply else { panic!("no token, yet {reply:?}") };
        assert_eq!(why, NotSent::Token);
        assert!(!detail.contains("s3cret"), "{detail}");
    }
}

#[test]
fn a_base_url_that_would_bend_the_request_is_refused_with_an_error_text_without_it() {
    for bad in ["ftp://h", "data:x", "http://u:hunter2@h", "http://hunter2@h", "http://h?hunter2", "http://h/#hunter2"]
    {
        let words = Client::new(&config(bad)).expect_err(bad);
        assert!(words.starts_with("the base URL") && !words.contains("hunter2"), "{words}");
    }
}

#[test]
fn a_client_prints_without_its_token() {
    let printed = format!("{:?}", Client::new(&config("http://h")).unwrap());
    assert!(!printed.contains(TOKEN), "{printed}");
}
